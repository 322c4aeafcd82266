#include "forecast/score.h"

#include <cmath>
#include <limits>

#include "config/ensure.h"

namespace warmfront::forecast {
namespace {

// The mean of of(i) over the buckets that have an actual value.
template <typename Of>
double mean_over(std::span<const double> actual, Of of) {
    double sum = 0;
    std::size_t counted = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (std::isnan(actual[i])) continue;
        sum += of(i);
        ++counted;
    }
    return counted == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(counted);
}

}  // namespace

double mse(std::span<const double> actual, std::span<const double> forecast) {
    ensure(actual.size() == forecast.size(), "one forecast a bucket");
    return mean_over(actual, [&](std::size_t i) {
        const double error = actual[i] - forecast[i];
        return error * error;
    });
}

double rmse(std::span<const double> actual, std::span<const double> forecast) {
    return std::sqrt(mse(actual, forecast));
}

double mae(std::span<const double> actual, std::span<const double> forecast) {
    ensure(actual.size() == forecast.size(), "one forecast a bucket");
    return mean_over(actual, [&](std::size_t i) { return std::abs(actual[i] - forecast[i]); });
}

double smape(std::span<const double> actual, std::span<const double> forecast) {
    ensure(actual.size() == forecast.size(), "one forecast a bucket");
    return 200 * mean_over(actual, [&](std::size_t i) {
               const double size = std::abs(actual[i]) + std::abs(forecast[i]);
               return size == 0 ? 0.0 : std::abs(actual[i] - forecast[i]) / size;
           });
}

double naive_scale(std::span<const double> history, std::size_t season) {
    ensure(season > 0, "a season has steps");
    double sum = 0;
    std::size_t counted = 0;
    for (std::size_t i = season; i < history.size(); ++i) {
        const double step = std::abs(history[i] - history[i - season]);
        if (std::isnan(step)) continue;
        sum += step;
        ++counted;
    }
    return counted == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(counted);
}

double coverage(std::span<const double> actual, std::span<const double> lo, std::span<const double> hi) {
    ensure(actual.size() == lo.size() && actual.size() == hi.size(), "one interval a bucket");
    return mean_over(actual,
                     [&](std::size_t i) { return actual[i] >= lo[i] && actual[i] <= hi[i] ? 1.0 : 0.0; });
}

double pinball(std::span<const double> actual, std::span<const double> forecast, double quantile) {
    ensure(actual.size() == forecast.size(), "one forecast a bucket");
    return mean_over(actual, [&](std::size_t i) {
        const double above = actual[i] - forecast[i];
        return above >= 0 ? quantile * above : (quantile - 1) * above;
    });
}

}  // namespace warmfront::forecast
