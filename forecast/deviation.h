// forecast/deviation.h: how far a load is off what was expected of it at present, and what is left of that
// later.
//
// Decayed sums of the load and of what was expected, the last ten buckets counting; of few requests little is
// said. Plain values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace warmfront::forecast {

struct Deviation {
    static constexpr double kDecay = 0.9;        // a bucket
    static constexpr double kPrior = 20;         // requests before a deviation counts half
    static constexpr double kMost = 4;           // times, up or down
    static constexpr double kDecayAhead = 0.97;  // of the deviation, a bucket ahead

    double load = 0, expected = 0;  // decayed sums

    void take(double came, double was_expected) {  // NaN: not known
        if (std::isnan(came)) return;
        load = kDecay * load + came;
        expected = kDecay * expected + was_expected;
    }
    [[nodiscard]] double log_ratio() const {
        return std::log(std::clamp((load + kPrior) / (expected + kPrior), 1 / kMost, kMost));
    }
    // What to multiply with so many buckets after the next one.
    [[nodiscard]] static double factor(double log_ratio, std::size_t ahead) {
        return std::exp(log_ratio * std::pow(kDecayAhead, static_cast<double>(ahead + 1)));
    }
};

}  // namespace warmfront::forecast
