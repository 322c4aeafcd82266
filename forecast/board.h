// forecast/board.h: the forecasts in force, for whoever acts on them or shows them.
//
// The trainer publishes a whole new Forecasts at each step; readers keep the one they took as long as they
// like. Thread-safe; a publication or a look takes one short lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "forecast/series.h"

namespace warmfront::forecast {

enum class Measure : std::uint8_t { Requests, Reads, Writes };

// What a series counts. kind and name: a database, a table ("schema.name") or a statement (its digest, 16 hex
// digits) of that database.
struct SeriesName {
    enum class Kind : std::uint8_t { Database, Table, Template };
    Kind kind = Kind::Database;
    std::string database, name;  // name: empty for a database
    Measure measure = Measure::Requests;
    auto operator<=>(const SeriesName&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct SeriesForecast {
    Series recent;            // the last buckets, for a chart
    std::int64_t from_s = 0;  // begin of the first bucket forecast; steps of recent.step_s
    std::vector<double> point, lo95, hi95, lo99, hi99;  // requests a bucket, all of one length
    std::string model;                                  // which was chosen
    double mase = 0;  // of the choice, on buckets that it had not seen; NaN: not known
};

struct Forecasts {
    std::int64_t made_s = 0;  // 0: none yet
    std::map<SeriesName, SeriesForecast> series;
};

class Board {
public:
    void publish(std::shared_ptr<const Forecasts> forecasts) {
        const std::lock_guard lock(mutex_);
        forecasts_ = std::move(forecasts);
    }
    // Never nullptr.
    [[nodiscard]] std::shared_ptr<const Forecasts> current() const {
        const std::lock_guard lock(mutex_);
        return forecasts_;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Forecasts> forecasts_ = std::make_shared<Forecasts>();
};

}  // namespace warmfront::forecast
