// forecast/pooled_intervals.h: intervals of thousands of loads, from the errors that were made on all of
// them.
//
// Normalised split-conformal prediction (Papadopoulos, Gammerman, Vovk, 2008): an error counts in units of
// sqrt(p + 1/4 + (r p)^2), the chance in a count of p and the series' own relative error r, and the quantiles
// of errors so scaled are those of all series together, taken apart by how far ahead and by the size of the
// load (as Mondrian conformal prediction does). So a day of errors is enough for a 99 % interval, which one
// series alone would need weeks for. None is narrower than the chance in counts alone would make it: a quiet
// day says nothing of the next. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace warmfront::forecast {

class PooledIntervals {
public:
    // Of how far ahead, in buckets counted from 0; the last range has no end.
    static constexpr std::array<std::size_t, 2> kRangeEnds{10, 60};
    static constexpr std::size_t kRanges = kRangeEnds.size() + 1;
    [[nodiscard]] static std::size_t range_of(std::size_t step);
    // Of the load forecast.
    static constexpr std::array<double, 2> kSizeEnds{1, 10};
    static constexpr std::size_t kSizes = kSizeEnds.size() + 1;

    static constexpr std::size_t kPoolMax = 50'000;  // errors kept of each range and size
    static constexpr std::size_t kPoolMin = 200;     // with fewer, the normal distribution stands in

    struct Sample {
        float point = 0, actual = 0;
    };
    // Each series' relative errors, by range.
    using Spread = std::array<float, kRanges>;

    // One series' forecasts of a range, of buckets that were not learnt from, and what came; `share` of them
    // goes into the pool (0 to 1). Returns the relative error of the range.
    float learn(std::size_t range, std::span<const Sample> samples, double share);
    // No more is learnt.
    void finish();

    struct Bounds {
        double lo95 = 0, hi95 = 0, lo99 = 0, hi99 = 0;
    };
    // Never negative; they hold the point, and 99 % holds 95 %.
    [[nodiscard]] Bounds at(std::size_t step, double point, const Spread& spread) const;
    // Whether they come of errors that were made: nothing else is worth an alarm.
    [[nodiscard]] bool learnt(std::size_t step, double point) const;

private:
    static constexpr std::array<double, 4> kLevels{0.005, 0.025, 0.975, 0.995};
    struct Cell {
        std::vector<float> scaled;
        double due = 0;  // of the share that goes into the pool
        bool learnt = false;
        std::array<double, 4> quantiles{-3.09, -2.35, 2.35, 3.09};  // the normal ones and a fifth
    };
    [[nodiscard]] static std::size_t cell_of(std::size_t range, double point);

    std::array<Cell, kRanges * kSizes> cells_;
};

}  // namespace warmfront::forecast
