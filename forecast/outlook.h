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
};

struct TrainingEffort {
    std::uint64_t ticks = 0;
    std::uint64_t fits = 0, fits_failed = 0, extended = 0;
    std::uint64_t sources_failed = 0;  // looks at the history that failed
    std::size_t waiting = 0;           // series whose fit is due and did not fit into the last tick
    double seconds = 0;                // spent in ticks
    double tick_seconds = 0;           // the last one
};

struct Outlook {
    std::shared_ptr<const Forecasts> forecasts = std::make_shared<Forecasts>();
    std::map<SeriesName, SeriesOutlook> series;  // those of forecasts
    Capacity capacity;
    TrainingEffort effort;
    std::string problem;  // why the history cannot be read; empty: it can
};

}  // namespace warmfront::forecast
