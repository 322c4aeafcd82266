#include "forecast/pooled_intervals.h"

#include <algorithm>
#include <cmath>

namespace warmfront::forecast {

// Mean absolute value of a standard normal variable.
static constexpr double kMeanAbsolute = 0.798;

static double unit_of(double point, double relative) {
    const double off = relative * point;
    return std::sqrt(point + 0.25 + off * off);
}

std::size_t PooledIntervals::range_of(std::size_t step) {
    return static_cast<std::size_t>(std::ranges::upper_bound(kRangeEnds, step) - kRangeEnds.begin());
}

std::size_t PooledIntervals::cell_of(std::size_t range, double point) {
    const auto size =
        static_cast<std::size_t>(std::ranges::upper_bound(kSizeEnds, point) - kSizeEnds.begin());
    return range * kSizes + size;
}

// What the errors have beyond the chance in counts. Of their mean, not their squares: one surge is not to
// blind a series to the next.
static double relative_error(std::span<const PooledIntervals::Sample> samples) {
    double off = 0, points = 0;
    for (const auto& [point, actual] : samples) {
        off += std::abs(static_cast<double>(actual - point));
        points += static_cast<double>(point);
    }
    if (!(points > 0)) return 0;
    const auto count = static_cast<double>(samples.size());
    const double deviation = off / count / kMeanAbsolute, mean = points / count;
    return std::sqrt(std::max(0.0, deviation * deviation - mean)) / mean;
}

float PooledIntervals::learn(std::size_t range, std::span<const Sample> samples, double share) {
    const double relative = relative_error(samples);
    for (const auto& [point_, actual] : samples) {
        const auto point = static_cast<double>(point_);
        Cell& cell = cells_[cell_of(range, point)];
        cell.due += share;
        if (cell.due < 1 || cell.scaled.size() >= kPoolMax) continue;
        cell.due -= 1;
        cell.scaled.push_back(
            static_cast<float>((static_cast<double>(actual) - point) / unit_of(point, relative)));
    }
    return static_cast<float>(relative);
}

void PooledIntervals::finish() {
    for (Cell& cell : cells_) {
        cell.learnt = cell.scaled.size() >= kPoolMin;
        if (cell.learnt) {
            std::ranges::sort(cell.scaled);
            const auto last = static_cast<double>(cell.scaled.size() - 1);
            for (std::size_t i = 0; i < kLevels.size();
                 ++i) {  // outwards: never narrower than the errors were
                const double place = kLevels[i] * last;
                const auto at =
                    static_cast<std::size_t>(kLevels[i] < 0.5 ? std::floor(place) : std::ceil(place));
                cell.quantiles[i] = static_cast<double>(cell.scaled[at]);
            }
        }
        cell.scaled = {};
    }
}

PooledIntervals::Bounds PooledIntervals::at(std::size_t step, double point, const Spread& spread) const {
    const std::size_t range = range_of(step);
    const auto& quantiles = cells_[cell_of(range, point)].quantiles;
    const double unit = unit_of(point, static_cast<double>(spread[range]));
    const auto below = [&](std::size_t i) {
        return std::max(0.0, point + std::min(0.0, quantiles[i]) * unit);
    };
    const auto above = [&](std::size_t i) { return point + std::max(0.0, quantiles[i]) * unit; };
    return {below(1), above(2), below(0), above(3)};
}

bool PooledIntervals::learnt(std::size_t step, double point) const {
    return cells_[cell_of(range_of(step), point)].learnt;
}

}  // namespace warmfront::forecast
