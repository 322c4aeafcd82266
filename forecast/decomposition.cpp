#include "forecast/decomposition.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/prepare.h"

namespace warmfront::forecast {
namespace {

constexpr int kRounds = 3;
constexpr double kCycleDecay = 0.93, kLongCycleDecay = 0.85;  // weight of a cycle by that of the next one
constexpr double kShrink = 0.3;  // cycles' worth of "no season": slots seen rarely are believed less
constexpr double kCut = 3;       // robust deviations that an outlier counts at most

// The mean over `window` buckets around each, fewer at the ends; NaN where none is known.
std::vector<double> moving_average(std::span<const double> values, std::size_t window) {
    std::vector<double> sums(values.size() + 1, 0.0), counts(values.size() + 1, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool known = !std::isnan(values[i]);
        sums[i + 1] = sums[i] + (known ? values[i] : 0);
        counts[i + 1] = counts[i] + (known ? 1 : 0);
    }
    std::vector<double> average(values.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < values.size(); ++i) {
        // Whole windows also at the ends: a part of a season is no trend.
        const std::size_t last_from = values.size() - std::min(window, values.size());
        const std::size_t from = std::min(i - std::min(i, window / 2), last_from);
        const std::size_t to = std::min(values.size(), from + window);
        if (counts[to] > counts[from]) average[i] = (sums[to] - sums[from]) / (counts[to] - counts[from]);
    }
    return average;
}

std::vector<double> slot_profile(const std::vector<double>& rest, std::size_t season, double cycle_decay) {
    if (season == 1) return {0.0};
    std::vector<double> sums(season, 0.0), weights(season, 0.0);
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (std::isnan(rest[i])) continue;
        double& sum = sums[i % season];
        double& weight = weights[i % season];
        sum = sum * cycle_decay + rest[i];
        weight = weight * cycle_decay + 1;
    }
    double mean = 0;
    for (std::size_t k = 0; k < season; ++k) {
        sums[k] = sums[k] / (weights[k] + kShrink);
        mean += sums[k] / static_cast<double>(season);
    }
    for (double& value : sums) value -= mean;
    return sums;
}

// What `trend` and the profiles leave, outliers cut.
std::vector<double> rest_of(std::span<const double> values, const std::vector<double>& trend,
                            const Profiles& profiles) {
    std::vector<double> rest(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        rest[i] = values[i] - trend[i] - profiles.season[i % profiles.season.size()] -
                  profiles.long_season[i % profiles.long_season.size()];
    const double most = kCut * robust_deviation(rest);
    if (most > 0)
        for (double& value : rest) value = std::isnan(value) ? value : std::clamp(value, -most, most);
    return rest;
}

void add_profile(std::vector<double>& values, const std::vector<double>& profile, double times) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += times * profile[i % profile.size()];
}

}  // namespace

Profiles decompose(std::span<const double> values, std::size_t season, std::size_t long_season) {
    Profiles profiles{std::vector(season, 0.0), std::vector(long_season, 0.0)};
    const std::vector<double> trend = moving_average(values, std::max(season, long_season));
    for (int round = 0; round < kRounds; ++round) {
        std::vector<double> rest = rest_of(values, trend, profiles);
        add_profile(rest, profiles.season, 1);
        profiles.season = slot_profile(rest, season, kCycleDecay);
        rest = rest_of(values, trend, profiles);
        add_profile(rest, profiles.long_season, 1);
        profiles.long_season = slot_profile(rest, long_season, kLongCycleDecay);
    }
    return profiles;
}

}  // namespace warmfront::forecast
