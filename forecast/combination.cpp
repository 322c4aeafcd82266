#include "forecast/combination.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace warmfront::forecast {
namespace {

constexpr double kErrorCut = 4;

// What each member was off in steps [from, to), per origin and step. One list a member, in the same order.
std::vector<std::vector<double>> errors_of(const Series& series, const std::vector<Rolled>& members,
                                           std::size_t from, std::size_t to) {
    std::vector<std::vector<double>> errors(members.size());
    const std::vector<Origin>& origins = members.front().origins;
    for (std::size_t o = 0; o < origins.size(); ++o)
        for (std::size_t step = from; step < std::min(to, origins[o].horizon); ++step) {
            const double actual = actual_of(series, origins[o], step);
            if (std::isnan(actual)) continue;
            for (std::size_t i = 0; i < members.size(); ++i)
                errors[i].push_back(std::abs(actual - members[i].forecasts[o][step]));
        }
    return errors;
}

// Means of errors, where no error counts more than kErrorCut times the upper quartile of the best member's:
// one spike that nobody foresaw must not decide who is best at all other times. NaN where nothing is known.
std::vector<double> mean_errors(const std::vector<std::vector<double>>& errors) {
    std::vector<double> means(errors.size(), std::numeric_limits<double>::quiet_NaN());
    if (errors.front().empty()) return means;
    double cut = std::numeric_limits<double>::infinity();
    for (std::vector<double> each : errors) {
        const auto at = each.begin() + static_cast<std::ptrdiff_t>(each.size() * 3 / 4);
        std::nth_element(each.begin(), at, each.end());
        cut = std::min(cut, kErrorCut * *at);
    }
    if (cut <= 0) cut = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < errors.size(); ++i) {
        double sum = 0;
        for (const double error : errors[i]) sum += std::min(error, cut);
        means[i] = sum / static_cast<double>(errors[i].size());
    }
    return means;
}

std::vector<double> weights_of(const std::vector<double>& errors) {
    std::vector<double> weights(errors.size(), 0.0);
    const double best = *std::ranges::min_element(errors);
    double sum = 0;
    for (std::size_t i = 0; i < errors.size(); ++i) {
        if (std::isnan(errors[i]) || errors[i] > Combination::kWorstRatio * best) continue;
        weights[i] = best > 0 ? std::pow(errors[i] / best, -Combination::kSharpness) : 1.0;
        sum += weights[i];
    }
    for (double& weight : weights) weight = sum > 0 ? weight / sum : 1.0 / static_cast<double>(errors.size());
    return weights;
}

}  // namespace

std::vector<std::size_t> step_ranges(std::size_t horizon_max) {
    std::vector<std::size_t> ends;
    for (std::size_t from = 0; from < horizon_max;) {
        ends.push_back(std::min(horizon_max, from + 1 + from / 2));
        from = ends.back();
    }
    if (ends.empty()) ends.push_back(1);
    return ends;
}

Combination::Combination(const Series& series, const std::vector<Rolled>& members, std::size_t horizon_max) {
    std::size_t from = 0;
    for (const std::size_t to : step_ranges(horizon_max)) {
        const std::vector<double> errors = mean_errors(errors_of(series, members, from, to));
        const bool known = std::ranges::none_of(errors, [](double error) { return std::isnan(error); });
        if (known || ranges_.empty())
            ranges_.push_back({to, weights_of(errors)});
        else
            ranges_.push_back({to, ranges_.back().weights});
        from = to;
    }
}

const std::vector<double>& Combination::weights(std::size_t step) const {
    for (const Range& range : ranges_)
        if (step < range.to) return range.weights;
    return ranges_.back().weights;
}

std::vector<double> Combination::combined(const std::vector<std::vector<double>>& forecasts) const {
    std::size_t horizon = 0;
    for (const auto& forecast : forecasts) horizon = std::max(horizon, forecast.size());
    std::vector<double> combined(horizon, 0.0);
    for (std::size_t step = 0; step < horizon; ++step) {
        const std::vector<double>& weights = this->weights(step);
        for (std::size_t i = 0; i < forecasts.size(); ++i)
            if (weights[i] > 0) combined[step] += weights[i] * forecasts[i][step];
    }
    return combined;
}

Rolled Combination::combined(const std::vector<Rolled>& members) const {
    Rolled combined{members.front().origins, {}, 0};
    for (const Rolled& member : members) combined.cpu_s += member.cpu_s;
    for (std::size_t o = 0; o < combined.origins.size(); ++o) {
        std::vector<std::vector<double>> forecasts;
        for (const Rolled& member : members) forecasts.push_back(member.forecasts[o]);
        combined.forecasts.push_back(this->combined(forecasts));
    }
    return combined;
}

bool Combination::uses(std::size_t member) const {
    return std::ranges::any_of(ranges_, [&](const Range& range) { return range.weights[member] > 0; });
}

}  // namespace warmfront::forecast
