#include "forecast/combination.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace warmfront::forecast {
namespace {

constexpr double kErrorCut = 15;
constexpr std::size_t kErrorsMax = 500;  // of a range

// What each member was off (actual - forecast) in steps [from, to). One list a member, all in the same order;
// at most kErrorsMax, evenly taken.
std::vector<std::vector<double>> errors_of(const Series& series, const std::vector<Rolled>& members,
                                           std::size_t from, std::size_t to) {
    const std::vector<Origin>& origins = members.front().origins;
    std::vector<std::pair<std::size_t, std::size_t>> known;  // origin, step
    for (std::size_t o = 0; o < origins.size(); ++o)
        for (std::size_t step = from; step < std::min(to, origins[o].horizon); ++step)
            if (!std::isnan(actual_of(series, origins[o], step))) known.emplace_back(o, step);
    const std::size_t stride = known.size() / kErrorsMax + 1;
    std::vector<std::vector<double>> errors(members.size());
    for (std::size_t k = 0; k < known.size(); k += stride) {
        const auto [o, step] = known[k];
        const double actual = actual_of(series, origins[o], step);
        for (std::size_t i = 0; i < members.size(); ++i)
            errors[i].push_back(actual - members[i].forecasts[o][step]);
    }
    return errors;
}

// No error counts more than kErrorCut times the upper quartile of the best member's: one spike that nobody
// foresaw must not decide who is best at all other times.
void cut_errors(std::vector<std::vector<double>>& errors) {
    double cut = std::numeric_limits<double>::infinity();
    for (std::vector<double> each : errors) {
        for (double& error : each) error = std::abs(error);
        const auto at = each.begin() + static_cast<std::ptrdiff_t>(each.size() * 3 / 4);
        std::nth_element(each.begin(), at, each.end());
        cut = std::min(cut, kErrorCut * *at);
    }
    if (cut <= 0) return;
    for (std::vector<double>& each : errors)
        for (double& error : each) error = std::clamp(error, -cut, cut);
}

// apart: how many forecasts of this length lie side by side in the backtest.
std::vector<double> weights_of(std::vector<std::vector<double>> errors, double apart) {
    const double sharpness = Combination::kSharpness * apart / (apart + Combination::kFew);
    const double worst = Combination::kWorstRatio * (1 + 1 / apart);
    cut_errors(errors);
    std::vector<double> means(errors.size(), 0.0), weights(errors.size(), 0.0);
    for (std::size_t i = 0; i < errors.size(); ++i)
        for (const double error : errors[i]) means[i] += std::abs(error);
    const double best = *std::ranges::min_element(means);
    double sum = 0;
    for (std::size_t i = 0; i < errors.size(); ++i) {
        if (means[i] > worst * best) continue;
        weights[i] = best > 0 ? std::pow(means[i] / best, -sharpness) : 1.0;
        sum += weights[i];
    }
    for (double& weight : weights) weight /= sum;
    return weights;
}

// The first value in ascending order at which half of the weight is reached.
double weighted_median(std::vector<std::pair<double, double>>& weighed) {
    std::ranges::sort(weighed);
    double reached = 0;
    for (const auto& [value, weight] : weighed)
        if ((reached += weight) >= 0.5) return value;
    return weighed.back().first;
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
    const std::vector<Origin>& origins = members.front().origins;
    const auto span = static_cast<double>(origins.back().bucket - origins.front().bucket + 1);
    std::size_t from = 0;
    for (const std::size_t to : step_ranges(horizon_max)) {
        const auto errors = errors_of(series, members, from, to);
        const double apart = std::max(1.0, span / (1 + static_cast<double>(from + to) / 2));
        if (!errors.front().empty())
            ranges_.push_back({to, weights_of(errors, apart)});
        else if (!ranges_.empty())
            ranges_.push_back({to, ranges_.back().weights});
        else
            ranges_.push_back({to, std::vector(members.size(), 1 / static_cast<double>(members.size()))});
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
    std::vector<std::pair<double, double>> weighed;  // forecast, weight
    for (std::size_t step = 0; step < horizon; ++step) {
        const std::vector<double>& weights = this->weights(step);
        for (std::size_t i = 0; i < forecasts.size(); ++i)
            if (weights[i] > 0) combined[step] += weights[i] * forecasts[i][step];
        if (step >= kOutvotedSteps) continue;
        weighed.clear();
        for (std::size_t i = 0; i < forecasts.size(); ++i)
            if (weights[i] > 0) weighed.emplace_back(forecasts[i][step], weights[i]);
        combined[step] = (combined[step] + weighted_median(weighed)) / 2;
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
