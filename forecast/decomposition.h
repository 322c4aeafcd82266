// forecast/decomposition.h: the seasons of a whole history, taken out of it.
//
// A simple form of MSTL (Bandara, Hyndman, Bergmeir, 2021): the trend is a centred moving average over the
// longest season; each season's profile is the mean of its slots over what trend and other season leave,
// recent cycles counting more, outliers cut. Uses the future of each bucket: for fitting, never for testing.
// Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace warmfront::forecast {

struct Profiles {
    std::vector<double> season, long_season;  // by bucket modulo their length; one entry, 0, for length 1
};

// values: on the scale where seasons are additive; NaN: not known. Lengths of 1: no such season; others are
// at most half of values.size().
[[nodiscard]] Profiles decompose(std::span<const double> values, std::size_t season, std::size_t long_season);

}  // namespace warmfront::forecast
