#include "forecast/conformal.h"

#include <algorithm>
#include <cmath>

#include "forecast/combination.h"
#include "forecast/prepare.h"

namespace warmfront::forecast {
namespace {

constexpr double kFloorShare = 0.1;         // of the median forecast
constexpr std::size_t kErrorsWanted = 150;  // in a range; neighbours lend what is missing

// Intervals are wider by this share of one over the number of forecasts that do not overlap.
constexpr double kWidening = 4;
constexpr std::size_t kErrorsCompared = 1'500;  // of all, for the choice of the power

double scale_of(double point, double power, double floor) {
    if (power == 0) return 1;
    return power == 0.5 ? std::sqrt(point + floor) : point + floor;
}

struct Error {
    std::size_t step;
    double point, off;
};

std::vector<Error> errors_of(const Series& series, const Rolled& rolled) {
    std::vector<Error> errors;
    for (std::size_t o = 0; o < rolled.origins.size(); ++o)
        for (std::size_t step = 0; step < rolled.origins[o].horizon; ++step) {
            const double actual = actual_of(series, rolled.origins[o], step);
            const double point = rolled.forecasts[o][step];
            if (!std::isnan(actual)) errors.push_back({step, point, actual - point});
        }
    return errors;
}

// The value that a new error exceeds with probability 1 - quantile at most: the (n + 1) * quantile-th
// smallest of n; beyond the largest seen, that one and a share of what lies between it and the middle.
// nth(k): the k-th smallest.
template <typename Nth>
double upper_quantile(std::size_t count, Nth nth, double quantile) {
    const double n = static_cast<double>(count);
    const double rank = (n + 1) * quantile - 1;
    if (rank <= 0) return nth(0);
    if (rank >= n - 1) {
        const double largest = nth(count - 1), middle = nth(count / 2);
        return largest + (largest - middle) * 0.25 * std::min(1.0, rank - (n - 1));
    }
    const auto below = static_cast<std::size_t>(rank);
    const double share = rank - static_cast<double>(below);
    return nth(below) + share * (nth(below + 1) - nth(below));
}

double upper_quantile(const std::vector<double>& ascending, double quantile) {
    return upper_quantile(
        ascending.size(), [&](std::size_t k) { return ascending[k]; }, quantile);
}

double lower_quantile(const std::vector<double>& ascending, double quantile) {
    const std::size_t last = ascending.size() - 1;
    return -upper_quantile(
        ascending.size(), [&](std::size_t k) { return -ascending[last - k]; }, 1 - quantile);
}

double pinball_loss(double above, double quantile) {
    return above >= 0 ? quantile * above : (quantile - 1) * above;
}

// The pinball loss of both ends of the 95 % interval, all horizons together, for one power.
double sharpness(const std::vector<Error>& errors, double power, double floor) {
    const std::size_t stride = errors.size() / kErrorsCompared + 1;
    std::vector<double> scaled, scales, off;
    for (std::size_t i = 0; i < errors.size(); i += stride) {
        scales.push_back(scale_of(errors[i].point, power, floor));
        off.push_back(errors[i].off);
        scaled.push_back(off.back() / scales.back());
    }
    std::ranges::sort(scaled);
    const double lo = lower_quantile(scaled, 0.025), hi = upper_quantile(scaled, 0.975);
    double loss = 0;
    for (std::size_t i = 0; i < off.size(); ++i)
        loss += pinball_loss(off[i] - lo * scales[i], 0.025) + pinball_loss(off[i] - hi * scales[i], 0.975);
    return loss;
}

// The errors of steps [from, to), ascending; neighbouring steps join until there are enough.
std::vector<double> pooled(const std::vector<std::vector<double>>& by_step, std::size_t from,
                           std::size_t to) {
    std::vector<double> errors;
    const auto add = [&](std::size_t step) {
        errors.insert(errors.end(), by_step[step].begin(), by_step[step].end());
    };
    for (std::size_t step = from; step < std::min(to, by_step.size()); ++step) add(step);
    while (errors.size() < kErrorsWanted && (from > 0 || to < by_step.size())) {
        if (from > 0) add(--from);
        if (to < by_step.size()) add(to++);
    }
    std::ranges::sort(errors);
    return errors;
}

}  // namespace

Conformal::Conformal(const Series& series, const Rolled& rolled, std::size_t horizon_max, double widening) {
    const std::vector<Error> errors = errors_of(series, rolled);
    std::vector<double> points;
    points.reserve(errors.size());
    for (const Error& error : errors) points.push_back(error.point);
    const double middle = median(std::move(points));
    floor_ = middle > 0 ? kFloorShare * middle : 1;
    double best = 0;
    for (const double power : {0.0, 0.5, 1.0}) {
        const double loss = errors.empty() ? 0 : sharpness(errors, power, floor_);
        if (power > 0 && loss >= best) continue;
        best = loss;
        power_ = power;
    }
    std::vector<std::vector<double>> by_step(horizon_max);
    for (const Error& error : errors)
        if (error.step < horizon_max) by_step[error.step].push_back(error.off / scale(error.point));
    const double span =
        rolled.origins.empty()
            ? 1.0
            : static_cast<double>(rolled.origins.back().bucket - rolled.origins.front().bucket + 1);
    std::size_t from = 0;
    for (const std::size_t to : step_ranges(horizon_max)) {
        const double apart = span / (static_cast<double>(from + to) / 2);
        ranges_.push_back({to, pooled(by_step, from, to), widening * (1 + kWidening / std::max(1.0, apart))});
        from = to;
    }
}

double Conformal::scale(double point) const {
    return scale_of(point, power_, floor_);
}

Interval Conformal::at(std::size_t step, double point, double level) const {
    const auto found = std::ranges::find_if(ranges_, [step](const Range& range) { return step < range.to; });
    const Range& range = found == ranges_.end() ? ranges_.back() : *found;
    if (range.errors.empty()) return {point, point};
    const double tail = (1 - level) / 2;
    const double lo = point + range.widening * scale(point) * lower_quantile(range.errors, tail);
    const double hi = point + range.widening * scale(point) * upper_quantile(range.errors, 1 - tail);
    return {std::max(0.0, std::min(lo, point)), std::max(hi, point)};
}

}  // namespace warmfront::forecast
