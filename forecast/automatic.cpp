#include "forecast/automatic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "forecast/prepare.h"
#include "forecast/roster.h"
#include "forecast/score.h"

namespace warmfront::forecast {
namespace {

constexpr std::string_view kAuto = "auto", kCombination = "combination";
constexpr std::size_t kShortHorizon = 12;  // what every origin is asked for
constexpr std::size_t kLongOrigins = 40;   // how many are asked for the whole horizon
// A model is fitted again on the way through the validation part as often as time allows: a short history's
// fits are quick, and there each further bucket counts.
constexpr std::size_t kFitsFor = 3'000, kFitsMax = 4;
constexpr double kValidationShare = 0.25;  // of the history
// A combination was weighed and corrected by the very errors that its intervals are made from: those to come
// are larger.
constexpr double kWidening = 1.08;

Result<std::vector<const RosterEntry*>> entries_for(const AutomaticOptions& options) {
    std::vector<const RosterEntry*> entries;
    std::string known = fmt::format("{}, {}", kAuto, kCombination);
    for (const RosterEntry& entry : roster()) {
        known += fmt::format(", {}", entry.name);
        const bool any = options.model == kAuto || options.model == kCombination;
        if (any ? entry.quick || options.thorough : entry.name == options.model) entries.push_back(&entry);
    }
    if (entries.empty())
        return fail("22023", fmt::format("model \"{}\": expected one of {}", options.model, known));
    return entries;
}

// The origins of the validation part: nearly every bucket for the short horizon, some for the whole.
std::vector<Origin> validation_origins(std::size_t size, std::size_t horizon) {
    if (size < 2) return {};
    const auto share = static_cast<std::size_t>(kValidationShare * static_cast<double>(size));
    const std::size_t wanted = std::max(share, std::min(size / 2, 2 * horizon));
    const std::size_t length = std::clamp<std::size_t>(wanted, 1, size > 1 ? size - 1 : 1);
    const std::size_t from = size - length;
    std::vector<Origin> origins =
        spread_origins(from, size - 1, std::min(length, kOriginsMax), std::min(horizon, kShortHorizon));
    const std::size_t last_long = size - 1 - std::min(length - 1, horizon / 2);
    for (std::size_t i = 0; i < kLongOrigins; ++i) {
        const std::size_t span = last_long - from;
        const std::size_t bucket = from + i * span / kLongOrigins;
        const auto at = std::ranges::lower_bound(origins, bucket, {}, &Origin::bucket);
        if (at != origins.end()) at->horizon = horizon;
    }
    return origins;
}

ModelScore score_of(const Series& series, const Rolled& rolled, std::string name,
                    const Conformal* intervals) {
    std::vector<double> actual, forecast, lo, hi;
    for (std::size_t o = 0; o < rolled.origins.size(); ++o)
        for (std::size_t step = 0; step < rolled.origins[o].horizon; ++step) {
            actual.push_back(actual_of(series, rolled.origins[o], step));
            forecast.push_back(rolled.forecasts[o][step]);
            if (intervals == nullptr) continue;
            const Interval interval = intervals->at(step, forecast.back(), 0.95);
            lo.push_back(interval.lo);
            hi.push_back(interval.hi);
        }
    const std::size_t season = series.seasons.empty() ? 1 : series.seasons.front();
    const std::vector<double> history(
        series.values.begin(),
        series.values.begin() + static_cast<std::ptrdiff_t>(rolled.origins.front().bucket));
    ModelScore score;
    score.model = std::move(name);
    score.mase = mae(actual, forecast) / naive_scale(history, season);
    score.smape = smape(actual, forecast);
    score.mse = mse(actual, forecast);
    score.rmse = std::sqrt(score.mse);
    score.coverage =
        intervals != nullptr ? coverage(actual, lo, hi) : std::numeric_limits<double>::quiet_NaN();
    score.cpu_s = rolled.cpu_s;
    return score;
}

}  // namespace

namespace {

// Every model that can be fitted, backtested; the others' reasons go to the scores.
void try_models(const Series& series, const std::vector<const RosterEntry*>& entries,
                const AutomaticOptions& options, std::vector<std::unique_ptr<Model>>& candidates,
                std::vector<Rolled>& rolled, std::vector<ModelScore>& scores) {
    const std::size_t horizon = options.fit.horizon_max;
    const std::vector<Origin> origins = validation_origins(series.size(), horizon);
    const std::size_t fits = std::clamp<std::size_t>(kFitsFor / series.size(), 1, kFitsMax);
    for (const RosterEntry* entry : entries) {
        auto model = entry->make();
        auto said = origins.empty()
                        ? Result<Rolled>(fail("22023", "a single bucket leaves nothing to validate on"))
                        : roll(*model, series, origins, options.fit, fits);
        if (!said) {
            ModelScore failed;
            failed.model = entry->name;
            failed.failure = said.error().text;
            scores.push_back(std::move(failed));
            continue;
        }
        candidates.push_back(std::move(model));
        rolled.push_back(*std::move(said));
        const std::optional<Conformal> intervals =
            options.coverages ? std::optional(Conformal(series, rolled.back(), horizon)) : std::nullopt;
        scores.push_back(
            score_of(series, rolled.back(), std::string(entry->name), intervals ? &*intervals : nullptr));
    }
}

}  // namespace

std::vector<ErrorCorrection> Automatic::correct(const Series& series, std::vector<Rolled>& rolled,
                                                std::size_t horizon) {
    std::vector<ErrorCorrection> corrections;
    for (Rolled& each : rolled) {
        corrections.emplace_back(series, each, horizon);
        each = corrections.back().corrected(series, each);
    }
    return corrections;
}

Result<Automatic> Automatic::choose(const Series& whole, const AutomaticOptions& asked) {
    AutomaticOptions options = asked;
    options.fit.horizon_max = std::max<std::size_t>(1, options.fit.horizon_max);
    const std::size_t horizon = options.fit.horizon_max;
    const auto entries = entries_for(options);
    if (!entries) return tl::unexpected(entries.error());
    if (auto sound = require_load(whole, 1, "forecast"); !sound) return tl::unexpected(sound.error());
    const Series series = latest(whole, kBucketsMax);

    Automatic automatic;
    std::vector<std::unique_ptr<Model>> candidates;  // fitted for the last origins
    std::vector<Rolled> rolled;
    try_models(series, *entries, options, candidates, rolled, automatic.scores_);
    if (candidates.empty())
        candidates.push_back(entries->front()->make());  // nothing to validate on: the simplest
    std::vector<ErrorCorrection> corrections;
    if (candidates.size() > 1) {
        corrections = correct(series, rolled, horizon);
        automatic.weights_ = std::make_shared<Combination>(series, rolled, horizon);
        rolled = {automatic.weights_->combined(rolled)};
    }
    const bool combined = automatic.weights_ != nullptr;
    automatic.model_ = combined ? kCombination : candidates.front()->name();
    automatic.intervals_ = std::make_shared<Conformal>(series, rolled.empty() ? Rolled{} : rolled.front(),
                                                       horizon, combined ? kWidening : 1.0);
    if (!rolled.empty()) {
        std::erase_if(automatic.scores_,
                      [&](const ModelScore& score) { return score.model == automatic.model_; });
        automatic.scores_.insert(automatic.scores_.begin(), score_of(series, rolled.front(), automatic.model_,
                                                                     automatic.intervals_.get()));
    }
    automatic.candidates_ = candidates.size();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (combined && !automatic.weights_->uses(i)) continue;
        std::unique_ptr<Model>& model = candidates[i];
        if (auto fitted = model->fit(series, options.fit); !fitted) return tl::unexpected(fitted.error());
        automatic.members_.push_back(
            {std::move(model), i, combined ? std::optional(std::move(corrections[i])) : std::nullopt});
    }
    return automatic;
}

Forecast Automatic::forecast(std::size_t horizon) const {
    Forecast forecast;
    forecast.model = model_;
    forecast.scores = scores_;
    if (weights_ == nullptr) {
        forecast.point = members_.front().model->forecast(horizon);
    } else {
        std::vector<std::vector<double>> each(candidates_);
        for (const Member& member : members_) {
            each[member.place] = member.model->forecast(horizon);
            member.correction->correct(each[member.place]);
        }
        forecast.point = weights_->combined(each);
        for (const Member& member : members_) {
            double sum = 0;
            for (std::size_t step = 0; step < horizon; ++step) sum += weights_->weights(step)[member.place];
            forecast.shares.push_back({std::string(member.model->name()),
                                       sum / static_cast<double>(std::max<std::size_t>(1, horizon))});
        }
        std::ranges::sort(forecast.shares, std::greater(), &Share::weight);
    }
    for (std::size_t step = 0; step < horizon; ++step) {
        const Interval usual = intervals_->at(step, forecast.point[step], 0.95);
        const Interval wide = intervals_->at(step, forecast.point[step], 0.99);
        forecast.lo95.push_back(usual.lo);
        forecast.hi95.push_back(usual.hi);
        forecast.lo99.push_back(wide.lo);
        forecast.hi99.push_back(wide.hi);
    }
    return forecast;
}

bool Automatic::extend(const std::vector<double>& values) {
    return std::ranges::all_of(members_, [&](Member& member) {
        if (!member.correction) return member.model->extend(values);
        for (const double value : values) {
            const double error = value - member.model->forecast(1).front();
            if (!member.model->extend({value})) return false;
            member.correction->see(error);
        }
        return true;
    });
}

}  // namespace warmfront::forecast
