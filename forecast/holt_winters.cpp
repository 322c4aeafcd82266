// The search starts from parameters that suit loads, and passes over the series are all it costs. Both scales
// are searched when the caller leaves the choice; errors on the log scale are weighted by the load itself, so
// that the costs of both are in requests and can be compared.
#include "forecast/holt_winters.h"

#include <algorithm>
#include <cmath>

#include "forecast/nelder_mead.h"

namespace warmfront::forecast {
namespace {

constexpr double kErrorsMax = 4;  // robust deviations that one error may move the state by
constexpr std::size_t kKnownMin = 3;
constexpr std::size_t kStartSeasons = 4, kStartBuckets = 8;  // that the first state is averaged over

constexpr SmoothingParameters kSeasonsFixed{0.3, 0.01, 0.95, 0, 0, 0.3};
constexpr double kKeptUp = 0.05;  // rate of the seasons after a decomposition

// The mean of each slot over values[0, count), or 0 where a slot has none.
std::vector<double> slot_means(const std::vector<double>& values, std::size_t count, std::size_t season) {
    std::vector<double> sums(season, 0.0), seen(season, 0.0);
    for (std::size_t i = 0; i < count; ++i) {
        if (std::isnan(values[i])) continue;
        sums[i % season] += values[i];
        ++seen[i % season];
    }
    for (std::size_t k = 0; k < season; ++k) sums[k] = seen[k] > 0 ? sums[k] / seen[k] : 0.0;
    return sums;
}

}  // namespace

double HoltWinters::expected(const State& state, const SmoothingParameters& p) {
    return state.level + p.damping * state.trend + state.season[state.slot] +
           state.long_season[state.long_slot] + p.carry * state.last_error;
}

void HoltWinters::learn(State& state, const SmoothingParameters& p, double value, double error_max) {
    learn(state, p, value, error_max, expected(state, p));
}

void HoltWinters::learn(State& state, const SmoothingParameters& p, double value, double error_max,
                        double before) {
    if (std::isnan(value)) {
        state.last_error *= p.carry;
        state.level += p.damping * state.trend;
        state.trend *= p.damping;
    } else {
        const double carried = p.carry * state.last_error;
        const double error = std::clamp(value - before, -error_max, error_max);
        state.level += p.damping * state.trend + p.level * error;
        state.trend = p.damping * state.trend + p.trend * error;
        if (state.season.size() > 1) state.season[state.slot] += p.season * error;
        if (state.long_season.size() > 1) state.long_season[state.long_slot] += p.long_season * error;
        state.last_error = carried + error;
    }
    if (++state.slot == state.season.size()) state.slot = 0;
    if (++state.long_slot == state.long_season.size()) state.long_slot = 0;
}

HoltWinters::State HoltWinters::initial(std::span<const double> values, std::size_t season,
                                        std::size_t long_season) {
    State state;
    state.season = state.long_season = {0.0};
    const std::size_t count =
        std::min(values.size(), std::max({kStartBuckets, kStartSeasons * season, 2 * long_season}));
    std::vector<double> rest(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
    state.level = slot_means(rest, count, 1).front();
    for (double& value : rest) value -= state.level;
    if (season > 1) {
        state.season = slot_means(rest, count, season);
        for (std::size_t i = 0; i < count; ++i) rest[i] -= state.season[i % season];
    }
    if (long_season > 1) state.long_season = slot_means(rest, count, long_season);
    return state;
}

HoltWinters::State HoltWinters::decomposed(std::span<const double> values, const Profiles& profiles) {
    State state;
    state.season = profiles.season;
    state.long_season = profiles.long_season;
    double sum = 0, known = 0;
    for (std::size_t i = 0; i < std::min(values.size(), kStartBuckets); ++i) {
        if (std::isnan(values[i])) continue;
        sum += values[i] - state.season[i % state.season.size()] -
               state.long_season[i % state.long_season.size()];
        ++known;
    }
    state.level = known > 0 ? sum / known : 0;
    return state;
}

double HoltWinters::cost(std::span<const double> values, std::span<const double> weights, State state,
                         const SmoothingParameters& p, double error_max) {
    double sum = 0, weight = 0;
    const std::size_t warm_up = std::min(values.size() / 3, state.season.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double before = expected(state, p);
        if (i >= warm_up && !std::isnan(values[i])) {
            sum += weights[i] * std::min(std::abs(values[i] - before), 2 * error_max);
            weight += 1;
        }
        learn(state, p, values[i], error_max, before);
    }
    return weight > 0 ? sum / weight : 0;
}

HoltWinters::Fitted HoltWinters::fitted(const std::vector<double>& values, const std::vector<double>& weights,
                                        std::size_t season, std::size_t long_season,
                                        const std::optional<SmoothingParameters>& found,
                                        std::size_t evaluations) const {
    const bool smoothed = seasons_ == Seasons::Smoothed;
    Fitted fitted;
    fitted.start = smoothed ? initial(values, season, long_season)
                            : decomposed(values, decompose(values, season, long_season));
    State state = fitted.start;
    const SmoothingParameters usual = smoothed ? SmoothingParameters{} : kSeasonsFixed;
    std::vector<double> errors;
    for (const double value : values) {
        const double before = expected(state, usual);
        errors.push_back(value - before);
        learn(state, usual, value, 1e300, before);
    }
    fitted.error_max = kErrorsMax * robust_deviation(std::move(errors));
    if (!(fitted.error_max > 0)) fitted.error_max = 1e300;
    const SmoothingParameters from = found.value_or(SmoothingParameters{});
    std::vector<Bounded> variables{
        {from.level, 0.001, 1}, {from.trend, 0, 0.3}, {from.damping, 0.8, 0.99}, {from.carry, 0, 0.95}};
    if (smoothed && season > 1) variables.push_back({from.season, 0, 0.7});
    if (smoothed && long_season > 1) variables.push_back({from.long_season, 0, 0.7});
    const auto named = [](const std::vector<double>& at) {
        SmoothingParameters p{at[0], at[1], at[2], 0, 0, at[3]};
        if (at.size() > 4) p.season = at[4];
        if (at.size() > 5) p.long_season = at[5];
        return p;
    };
    const auto best = nelder_mead(
        variables,
        [&](const std::vector<double>& at) {
            return cost(values, weights, fitted.start, named(at), fitted.error_max);
        },
        evaluations);
    fitted.parameters = named(best);
    fitted.cost = cost(values, weights, fitted.start, fitted.parameters, fitted.error_max);
    return fitted;
}

Result<void> HoltWinters::fit(const Series& series, const FitOptions&) {
    if (auto sound = require_load(series, kKnownMin, name()); !sound) return sound;
    const Series recent = latest(series, kBucketsMax);
    std::size_t season = 1, long_season = 1;
    if (!recent.seasons.empty() && 2 * recent.seasons[0] <= recent.size()) season = recent.seasons[0];
    if (recent.seasons.size() > 1 && 2 * recent.seasons[1] <= recent.size()) long_season = recent.seasons[1];

    const LogScale log(recent.values);
    const bool both = wanted_ == Scale::Better;
    std::optional<Fitted> chosen;
    std::vector<double> chosen_values;
    for (const bool on_log : {true, false}) {
        if (!both && on_log != (wanted_ == Scale::Log)) continue;
        std::optional<SmoothingParameters>& found = on_log ? found_on_log_ : found_on_plain_;
        const std::vector<double> values = on_log ? log.forward(recent.values) : recent.values;
        std::vector<double> weights(values.size(), 1.0);
        if (on_log) std::ranges::transform(values, weights.begin(), [&](double z) { return log.slope(z); });
        Fitted candidate = fitted(values, weights, season, long_season, found,
                                  evaluations_max_ / (both ? 2 : 1) / (found ? 2 : 1));
        if (seasons_ == Seasons::Smoothed) found = candidate.parameters;
        if (chosen && chosen->cost <= candidate.cost) continue;
        chosen = std::move(candidate);
        chosen_values = values;
        scale_ = on_log ? std::optional(log) : std::nullopt;
    }
    parameters_ = chosen->parameters;
    error_max_ = chosen->error_max;
    state_ = std::move(chosen->start);
    for (const double value : chosen_values) learn(state_, parameters_, value, error_max_);
    if (seasons_ == Seasons::Decomposed) parameters_.season = parameters_.long_season = kKeptUp;
    return {};
}

std::vector<double> HoltWinters::forecast(std::size_t horizon) const {
    std::vector<double> forecast(horizon);
    double trend = 0, damping = 1, carried = state_.last_error;
    for (std::size_t h = 0; h < horizon; ++h) {
        damping *= parameters_.damping;
        trend += damping * state_.trend;
        carried *= parameters_.carry;
        const double season = state_.season[(state_.slot + h) % state_.season.size()];
        const double longer = state_.long_season[(state_.long_slot + h) % state_.long_season.size()];
        forecast[h] = back(state_.level + trend + season + longer + carried);
    }
    return forecast;
}

bool HoltWinters::extend(const std::vector<double>& values) {
    for (const double value : values)
        learn(state_, parameters_, std::isnan(value) ? value : forward(value), error_max_);
    return true;
}

}  // namespace warmfront::forecast
