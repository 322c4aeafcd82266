#include "forecast/pooled_intervals.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace warmfront::forecast {

// The mean absolute value of a standard normal variable, and of its smallest kCounted.
static constexpr double kCounted = 0.95, kMeanAbsolute = 0.717;
// What a normal variable keeps within in 99 % and 95 %.
static constexpr std::array<double, 4> kNormal{-2.576, -1.96, 1.96, 2.576};

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

// What the errors have beyond the chance in counts. Without the largest of them: one surge is not to blind a
// series to the next.
static double relative_error(std::span<const PooledIntervals::Sample> samples) {
    std::vector<double> errors;
    double points = 0;
    for (const auto& [point, actual] : samples) {
        errors.push_back(std::abs(static_cast<double>(actual - point)));
        points += static_cast<double>(point);
    }
    if (!(points > 0)) return 0;
    const auto counted =
        static_cast<std::ptrdiff_t>(std::ceil(kCounted * static_cast<double>(errors.size())));
    if (counted < std::ssize(errors))
        std::nth_element(errors.begin(), errors.begin() + counted, errors.end());
    const double off = std::accumulate(errors.begin(), errors.begin() + counted, 0.0);
    const double deviation = off / static_cast<double>(counted) / kMeanAbsolute;
    const double mean = points / static_cast<double>(samples.size());
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
    const double unit = unit_of(point, static_cast<double>(spread[range])), chance = unit_of(point, 0);
    const auto below = [&](std::size_t i) {
        return std::max(0.0, point + std::min(quantiles[i] * unit, kNormal[i] * chance));
    };
    const auto above = [&](std::size_t i) {
        return point + std::max(quantiles[i] * unit, kNormal[i] * chance);
    };
    return {below(1), above(2), below(0), above(3)};
}

bool PooledIntervals::learnt(std::size_t step, double point) const {
    return cells_[cell_of(range_of(step), point)].learnt;
}

}  // namespace warmfront::forecast
