// forecast/score.h: how far a forecast was off.
//
// Pure. `actual` and `forecast` have one length; buckets whose actual value is NaN do not count; where none
// counts the answer is NaN. Sources: Hyndman, Koehler, "Another look at measures of forecast accuracy" (2006)
// for MASE; Makridakis et al., "The M4 competition" (2020) for sMAPE as used here (0 to 200 %).
#pragma once

#include <cstddef>
#include <span>

namespace warmfront::forecast {

[[nodiscard]] double mse(std::span<const double> actual, std::span<const double> forecast);
[[nodiscard]] double rmse(std::span<const double> actual, std::span<const double> forecast);
[[nodiscard]] double mae(std::span<const double> actual, std::span<const double> forecast);
// In percent, 0 to 200; a bucket where both are 0 counts 0.
[[nodiscard]] double smape(std::span<const double> actual, std::span<const double> forecast);

// The mean absolute error of the seasonal naive forecast within `history`: MASE is mae() divided by it.
// NaN if no bucket has one a season before; a constant history gives 0.
[[nodiscard]] double naive_scale(std::span<const double> history, std::size_t season);

// The share of buckets within [lo, hi].
[[nodiscard]] double coverage(std::span<const double> actual, std::span<const double> lo,
                              std::span<const double> hi);
// The mean pinball loss of the forecast of one quantile, 0 < quantile < 1.
[[nodiscard]] double pinball(std::span<const double> actual, std::span<const double> forecast,
                             double quantile);

}  // namespace warmfront::forecast
