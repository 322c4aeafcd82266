// forecast/summary.h: a forecast in a few numbers, and series as text.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forecast/board.h"

namespace warmfront::forecast {

struct Bound {
    double point = 0, lo95 = 0, hi95 = 0;
};

struct Summary {
    double last = 0;           // the newest known bucket; NaN: none
    Bound next;                // the first bucket forecast
    double total = 0;          // of all points
    std::int64_t seconds = 0;  // that total spans
    Bound peak;                // the bucket with the highest point, the first of equals
    std::int64_t peak_s = 0;   // its begin
};

// nullopt for a forecast without buckets.
[[nodiscard]] std::optional<Summary> summarise(const SeriesForecast& forecast);

[[nodiscard]] std::string_view word_for(SeriesName::Kind kind);  // "database", "table", "statement"
[[nodiscard]] std::string_view word_for(Measure measure);        // "requests", "reads", "writes"

// "table:reads:shop:public.orders": one text a series and one series a text; %, : and control characters of
// names are written as %XX.
[[nodiscard]] std::string id_of(const SeriesName& name);

}  // namespace warmfront::forecast
