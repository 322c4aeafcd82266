// forecast/prepare.h: makes of a load as it was counted one that a model can learn from.
//
// Pure. A value is NaN where it is not known; nothing here takes a gap for "no load". Everything is invariant
// to the unit of the load: a load times ten is prepared to the same numbers.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "forecast/series.h"

namespace warmfront::forecast {

// At most so many buckets are learnt from, the latest ones: half a year of hours, a week of 3-minute buckets.
inline constexpr std::size_t kBucketsMax = 4'000;

// Fails with 22023 if the series is no load (an infinite or negative value, a season below 2) or has fewer
// than `known_min` known values; `who` is named in the text.
[[nodiscard]] Result<void> require_load(const Series& series, std::size_t known_min, std::string_view who);

// The last buckets_max buckets of the series.
[[nodiscard]] Series latest(const Series& series, std::size_t buckets_max);

// The first `count` buckets: for a split in time order.
[[nodiscard]] Series first(const Series& series, std::size_t count);

// The scale on which loads are additive: log1p(value / unit), where unit is a small share of the typical
// (median positive) value, so that a quiet hour's few requests do not weigh like a busy one's.
class LogScale {
public:
    explicit LogScale(std::span<const double> values);
    [[nodiscard]] double forward(double value) const;
    // Never negative; bounded by ten thousand times the largest value seen.
    [[nodiscard]] double back(double scaled) const;
    [[nodiscard]] std::vector<double> forward(std::span<const double> values) const;
    // How much the load changes with its scaled value there: what an error on this scale is worth.
    [[nodiscard]] double slope(double scaled) const;

private:
    double unit_ = 1;
    double scaled_max_ = 0;
};

// Known values in place of NaN: short gaps (up to a quarter of the season) along a straight line, longer ones
// from the nearest known bucket a whole number of seasons away. Season 0 or 1: straight lines only. What has
// no known value at all becomes 0.
[[nodiscard]] std::vector<double> fill_gaps(std::span<const double> values, std::size_t season);

// The Hampel filter (Hampel, 1974): a value further than `deviations` robust standard deviations from the
// median of its 2 * half_window + 1 neighbours becomes that median. Gaps stay gaps. Returns how many. For
// what is asked of a whole history (seasons.h). Not for what models are fitted to: it takes a rise that has
// just begun, and the peak of a short day, for an outlier; models cut what they learn from by what they
// expected.
std::size_t remove_outliers(std::vector<double>& values, std::size_t half_window, double deviations);

// Of the known values; NaN if there are none.
[[nodiscard]] double median(std::vector<double> values);
// The standard deviation that a normal distribution of this median absolute value would have.
[[nodiscard]] double robust_deviation(std::vector<double> residuals);

}  // namespace warmfront::forecast
