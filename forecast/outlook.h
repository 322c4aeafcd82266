// forecast/outlook.h: everything that the training has to say at one moment: forecasts, what became of
// earlier ones, alarms, capacity, and its own effort. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "forecast/alarm.h"
#include "forecast/board.h"
#include "forecast/capacity.h"

namespace warmfront::forecast {

// A bucket that came, and what had been forecast of it a bucket before.
struct Outcome {
    std::int64_t time_s = 0;
    double actual = 0, point = 0, lo95 = 0, hi95 = 0;
};

struct SeriesOutlook {
    Alarm alarm;
    std::vector<Outcome> outcomes;  // the last ones, oldest first
    std::int64_t fitted_s = 0;      // when its model was fitted; 0: it has none yet
    std::string problem;            // why the chosen model could not be fitted; empty: it could
    // Of a series of the shared model: loads of one shape have one number, from 1 on, until the next
    // training; 0: it has no shape, or a model of its own.
    std::int32_t shape = 0;
};

// What drives a load: the share that a term ("time of day") has in what a model knows better than the mean,
// by how much worse it forecasts buckets that were held back if the term is shuffled (forecast/importance.h).
struct Driver {
    std::string term;
    double share = 0;  // 0 to 1
};

struct TrainingEffort {
    std::uint64_t ticks = 0;
    std::uint64_t fits = 0, fits_failed = 0, extended = 0;
    std::uint64_t sources_failed = 0;  // looks at the history that failed
    std::size_t waiting = 0;           // series whose fit is due and did not fit into the last tick
    double seconds = 0;                // spent in ticks, and in studies after them
    double tick_seconds = 0;           // the last tick
    std::uint64_t shared_fits = 0;     // of the model that series share
    std::size_t shared_waiting = 0;    // series whose history was not read yet
    double shared_seconds = 0;         // the last fit of it
};

struct Outlook {
    std::shared_ptr<const Forecasts> forecasts = std::make_shared<Forecasts>();
    std::map<SeriesName, SeriesOutlook> series;  // those of forecasts
    Capacity capacity;
    TrainingEffort effort;
    std::string problem;  // why the history cannot be read or the shared model not learn; empty: they can
    // By SeriesForecast::model, the most important first, five at most; only of models that can tell.
    std::map<std::string, std::vector<Driver>> drivers;
};

}  // namespace warmfront::forecast
