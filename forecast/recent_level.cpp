#include "forecast/recent_level.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace warmfront::forecast {

void RecentLevel::take(double value) {
    if (std::isnan(value)) return;
    const double kept = 1 - 1 / kFade;
    weighted_ = weighted_ * kept + value;
    weight_ = weight_ * kept + 1;
    values_.push_back(value);
    if (values_.size() > kRemembered) values_.pop_front();
}

Result<void> RecentLevel::fit(const Series& series, const FitOptions&) {
    values_.clear();
    weighted_ = weight_ = 0;
    (void)extend(series.values);
    if (values_.empty()) return fail("22023", "no value of the series is known");
    return {};
}

bool RecentLevel::extend(const std::vector<double>& values) {
    for (const double value : values) take(value);
    return true;
}

static double quantile(const std::vector<double>& sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Prediction RecentLevel::forecast(std::size_t horizon) const {
    const double level = weight_ > 0 ? weighted_ / weight_ : 0;
    std::vector<double> sorted(values_.begin(), values_.end());
    std::ranges::sort(sorted);
    // Of n values the extremes miss a share of 2 / (n + 1) of what is to come, and one value tells nothing of
    // how far the next will be: the fewer, the wider.
    const double few = sorted.empty() ? 1 : 4 / static_cast<double>(sorted.size());
    const auto bound = [&](double q) {
        const double at = sorted.empty() ? level : quantile(sorted, q);
        const double reached = level + (at - level) * (1 + few);
        const double margin = level * few;
        return std::max(0.0, q < 0.5 ? std::min(level, reached) - margin : std::max(level, reached) + margin);
    };
    return {std::vector(horizon, level), std::vector(horizon, bound(0.025)),
            std::vector(horizon, bound(0.975)), std::vector(horizon, bound(0.005)),
            std::vector(horizon, bound(0.995))};
}

double RecentLevel::mase() const {
    return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace warmfront::forecast
