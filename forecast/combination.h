// forecast/combination.h: several forecasts made one, weighted by how well each did lately.
//
// Bates, Granger, "The combination of forecasts" (1969); the M4 competition found combinations ahead of every
// single method. Weights are per range of horizons, because one model is best at the next bucket and another
// at the next week. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "forecast/backtest.h"

namespace warmfront::forecast {

class Combination {
public:
    // What each member would have said, all over the same origins. A member's weight is its mean absolute
    // error to the power of minus kSharpness; who errs more than kWorstRatio times the best gets none. Where
    // there are few forecasts that do not overlap (kFew: half as sharp), a better record may be luck, and
    // weights are more alike.
    Combination(const Series& series, const std::vector<Rolled>& members, std::size_t horizon_max);

    // One a member, the sum is 1. step counts from 0; beyond horizon_max the last range counts.
    [[nodiscard]] const std::vector<double>& weights(std::size_t step) const;
    // The weighted mean; of the first kOutvotedSteps steps halfway from there to the weighted median, so that
    // a member that misjudges the moment is outvoted. Further ahead members differ in what they make of the
    // seasons, and their mean is better.
    [[nodiscard]] std::vector<double> combined(const std::vector<std::vector<double>>& forecasts) const;
    [[nodiscard]] Rolled combined(const std::vector<Rolled>& members) const;
    // Whether a member has any weight at all.
    [[nodiscard]] bool uses(std::size_t member) const;

    static constexpr double kSharpness = 6, kWorstRatio = 1.35, kFew = 3;
    static constexpr std::size_t kOutvotedSteps = 3;

private:
    struct Range {
        std::size_t to;  // the first step after
        std::vector<double> weights;
    };
    std::vector<Range> ranges_;  // ascending, never empty
};

// The ranges of steps that are judged together: each about half as long again as what lies before it. The
// ends (first step after), ascending; the last is horizon_max.
[[nodiscard]] std::vector<std::size_t> step_ranges(std::size_t horizon_max);

}  // namespace warmfront::forecast
