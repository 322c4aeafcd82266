// forecast/series.h: a load over time, as evenly spaced buckets.
//
// Plain values, no thread rules. Times are Unix seconds, UTC; buckets are named by their begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace warmfront::forecast {

struct Series {
    std::int64_t start_s = 0;  // begin of the first bucket
    std::int64_t step_s = 60;  // length of a bucket, > 0
    // One a bucket, oldest first; NaN: not known (the proxy was down), which is not the same as no load.
    std::vector<double> values;
    // Lengths of the seasons in steps, ascending, each >= 2: a day and a week at a step of 1 h are {24, 168}.
    std::vector<std::size_t> seasons;

    [[nodiscard]] std::size_t size() const { return values.size(); }
    [[nodiscard]] std::int64_t time_of(std::size_t bucket) const {
        return start_s + static_cast<std::int64_t>(bucket) * step_s;
    }
};

}  // namespace warmfront::forecast
