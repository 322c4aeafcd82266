// tests/forecast/trees_support.h: loads with known causes, the same for the same seed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "forecast/series.h"

namespace warmfront::forecast::trees_support {

inline constexpr std::int64_t kMonday_s = 1'767'571'200;  // 2026-01-05T00:00:00Z

inline Series hourly(std::size_t days) {
    Series series;
    series.start_s = kMonday_s;
    series.step_s = 3'600;
    series.seasons = {24, 168};
    series.values.resize(24 * days);
    return series;
}

// Uniform noise from -1 to 1; the same everywhere.
inline double noise(std::mt19937_64& random) {
    return static_cast<double>(random() >> 11) * 0x1p-52 - 1;
}

// A day's wave, quiet weekends, some noise, times `size`.
inline Series office(std::size_t days, double size, std::uint64_t seed, double noisy = 0.1) {
    Series series = hourly(days);
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < series.size(); ++i) {
        const double hour = static_cast<double>(i % 24), day = static_cast<double>(i / 24 % 7);
        const double wave = 1.2 + std::sin(2 * 3.14159265358979 * (hour - 8) / 24);
        series.values[i] = size * wave * (day >= 5 ? 0.4 : 1.0) * (1 + noisy * noise(random));
    }
    return series;
}

inline double mean_error(const Series& actual, std::size_t from, const std::vector<double>& forecast) {
    double sum = 0;
    for (std::size_t h = 0; h < forecast.size(); ++h) sum += std::abs(actual.values[from + h] - forecast[h]);
    return sum / static_cast<double>(forecast.size());
}

// The first `count` buckets.
inline Series until(const Series& series, std::size_t count) {
    Series first = series;
    first.values.resize(count);
    return first;
}

}  // namespace warmfront::forecast::trees_support
