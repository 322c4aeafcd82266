// forecast/hot_keys.h: which keys will be asked for, how often, and how surely.
//
// Pure. A key is a number that the caller gave it. Times are Unix seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "forecast/analogs.h"
#include "forecast/board.h"

namespace warmfront::forecast {

struct HotKey {
    std::uint64_t key = 0;
    SeriesName name;         // of its template
    double rate_now = 0;     // requests a second predicted for (now, now + soon]
    double requests = 0;     // predicted for (now, now + within]
    double rate_most = 0;    // the higher of rate_now and the mean of the whole time
    double chance = 0;       // that it is asked for within (now, now + within]
    double chance_soon = 0;  // and within (now, now + soon]
};

struct HotKeyOptions {
    std::int64_t now_s = 0;
    double within_s = 60;
    double soon_s = 60;  // at most within_s
    std::size_t keys_max = 10'000;
};

// Requests that a series is forecast to have within [from_s, to_s). What lies beyond the end of the forecast
// counts as its last bucket, what lies before its beginning as its first.
[[nodiscard]] double requests_between(const SeriesForecast& forecast, double from_s, double to_s);

[[nodiscard]] HotKey hot_key(const SeriesName& name, const Analogs::Key& key, const HotKeyOptions& options);

// Most requests first, equal ones by key; the first keys_max.
void keep_hottest(std::vector<HotKey>& keys, std::size_t keys_max);

}  // namespace warmfront::forecast
