#include "forecast/long_season.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "forecast/prepare.h"

namespace warmfront::forecast {
namespace {

constexpr double kPrior = 30;         // requests in a slot before what it has of its own counts half
constexpr double kServesBelow = 0.9;  // times the error without it
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool apart(const Calendar* calendar, std::int64_t from_s, std::int64_t to_s) {
    if (calendar == nullptr) return false;
    const auto touches = [&](const Span& span) { return span.from_s < to_s && span.to_s > from_s; };
    return std::ranges::any_of(calendar->holidays, touches) ||
           std::ranges::any_of(calendar->events, touches, &Event::span);
}

// Coarse buckets, by the slot of the long season that each has.
struct Slots {
    Grain grain;
    std::size_t longs = 0, shorts = 1;  // slots of either season; the short one repeats within the long one
    std::int64_t first = 0;
    std::vector<double> values;  // NaN: not known, or a day apart

    [[nodiscard]] std::size_t slot(std::size_t i) const {
        return static_cast<std::size_t>((first + static_cast<std::int64_t>(i)) %
                                        static_cast<std::int64_t>(longs));
    }
};

// The seasons given to grain_of: the one that can be seen and the long one, or the long one alone.
std::optional<Slots> slots_of(const Series& series, const Calendar* calendar) {
    const std::vector<std::size_t> seen = seen_seasons(series);
    const auto longer = std::ranges::find_if(series.seasons, [&](std::size_t season) {
        return 2 * season > kBucketsMax && 2 * season <= series.size();
    });
    if (longer == series.seasons.end()) return std::nullopt;
    Series as{series.start_s, series.step_s, {}, {}};
    if (!seen.empty()) as.seasons.push_back(seen.back());
    as.seasons.push_back(*longer);
    Slots slots;
    slots.grain = grain_of(as);
    slots.longs = seen.empty() ? slots.grain.season : slots.grain.long_season;
    slots.shorts = seen.empty() ? 1 : slots.grain.season;
    if (slots.longs < 2 || slots.longs % slots.shorts != 0) return std::nullopt;
    const Rollup rollup = roll_up(series, slots.grain, series.size() / slots.grain.per);
    slots.first = rollup.first;
    slots.values.assign(rollup.coarse.begin(), rollup.coarse.end());
    const std::int64_t coarse_s = slots.grain.coarse_s();
    for (std::size_t i = 0; i < slots.values.size(); ++i) {
        const std::int64_t from_s = (slots.first + static_cast<std::int64_t>(i)) * coarse_s;
        if (apart(calendar, from_s, from_s + coarse_s)) slots.values[i] = kNan;
    }
    return slots;
}

// What the first `count` coarse buckets say of each slot.
struct Profile {
    std::vector<double> longs, shorts;  // NaN: not known
    std::vector<double> factors;
};

Profile profile_of(const Slots& slots, std::size_t count) {
    Profile profile;
    std::vector<std::vector<double>> by_slot(slots.longs);
    for (std::size_t i = 0; i < count; ++i)
        if (!std::isnan(slots.values[i])) by_slot[slots.slot(i)].push_back(slots.values[i]);
    std::vector<double> sum(slots.shorts), known(slots.shorts);
    for (std::size_t slot = 0; slot < slots.longs; ++slot) {
        profile.longs.push_back(median(by_slot[slot]));
        if (by_slot[slot].empty()) continue;
        sum[slot % slots.shorts] += profile.longs.back();
        known[slot % slots.shorts] += 1;
    }
    for (std::size_t slot = 0; slot < slots.shorts; ++slot)
        profile.shorts.push_back(known[slot] > 0 ? sum[slot] / known[slot] : kNan);
    for (std::size_t slot = 0; slot < slots.longs; ++slot) {
        const auto buckets = static_cast<double>(by_slot[slot].size() * slots.grain.per);
        const double own = profile.longs[slot] * buckets;
        const double like = profile.shorts[slot % slots.shorts] * buckets;
        const double factor = buckets > 0 ? (own + kPrior) / (like + kPrior) : 1.0;
        profile.factors.push_back(std::clamp(factor, 1 / LongSeason::kFactorMax, LongSeason::kFactorMax));
    }
    return profile;
}

// Whether the last long season is forecast better by all before it with the factors than without, both at its
// own level.
bool serves(const Slots& slots) {
    const std::size_t from = slots.values.size() - slots.longs;
    const Profile before = profile_of(slots, from);
    double load = 0, with_load = 0, without_load = 0;
    const auto each = [&](const auto& use) {
        for (std::size_t i = from; i < slots.values.size(); ++i) {
            const std::size_t slot = slots.slot(i);
            const double as_ever = before.shorts[slot % slots.shorts];
            if (std::isnan(slots.values[i]) || std::isnan(as_ever)) continue;
            use(slots.values[i], as_ever * before.factors[slot], as_ever);
        }
    };
    each([&](double value, double with, double without) {
        load += value;
        with_load += with;
        without_load += without;
    });
    if (!(with_load > 0) || !(without_load > 0)) return false;
    double with_error = 0, without_error = 0;
    each([&](double value, double with, double without) {
        with_error += std::abs(value - with * load / with_load);
        without_error += std::abs(value - without * load / without_load);
    });
    return with_error < kServesBelow * without_error;
}

}  // namespace

std::vector<std::size_t> seen_seasons(const Series& series) {
    std::vector<std::size_t> seen;
    for (const std::size_t season : series.seasons)
        if (2 * season <= kBucketsMax) seen.push_back(season);
    return seen;
}

std::optional<LongSeason> LongSeason::learn(const Series& series, const Calendar* calendar) {
    const auto slots = slots_of(series, calendar);
    if (!slots || slots->values.size() < 2 * slots->longs || !serves(*slots)) return std::nullopt;
    return LongSeason(slots->grain, profile_of(*slots, slots->values.size()).factors);
}

double LongSeasonForecaster::without_season(std::int64_t time_s, double value) {
    const double factor = season_->factor(time_s);
    divided_.push_back(value / factor);
    if (divided_.size() > static_cast<std::size_t>(LongSeason::kFactorMax)) divided_.pop_front();
    if (std::isnan(value)) return value;
    const auto count =
        static_cast<std::size_t>(std::clamp(std::round(1 / factor), 1.0, LongSeason::kFactorMax));
    double sum = 0, known = 0;
    for (std::size_t i = divided_.size() - std::min(count, divided_.size()); i < divided_.size(); ++i) {
        if (std::isnan(divided_[i])) continue;
        sum += divided_[i];
        known += 1;
    }
    return sum / known;
}

Result<void> LongSeasonForecaster::fit(const Series& series, const FitOptions& options) {
    season_.reset();
    divided_.clear();
    if (auto is = require_load(series, 1, "a load"); !is) return is;
    season_ = LongSeason::learn(series, options.calendar);
    step_s_ = series.step_s;
    next_s_ = series.time_of(series.size());
    if (!season_) return inner_->fit(series, options);
    Series without = latest(series, kBucketsMax);
    without.seasons = seen_seasons(series);
    for (std::size_t i = 0; i < without.size(); ++i)
        without.values[i] = without_season(without.time_of(i), without.values[i]);
    return inner_->fit(without, options);
}

bool LongSeasonForecaster::extend(const std::vector<double>& values) {
    if (!season_) return inner_->extend(values);
    std::vector<double> without;
    for (const double value : values) {
        without.push_back(without_season(next_s_, value));
        next_s_ += step_s_;
    }
    return inner_->extend(without);
}

Prediction LongSeasonForecaster::forecast(std::size_t horizon) const {
    Prediction made = inner_->forecast(horizon);
    if (!season_) return made;
    for (std::size_t i = 0; i < made.point.size(); ++i) {
        const double factor = season_->factor(next_s_ + static_cast<std::int64_t>(i) * step_s_);
        const double widening = std::max(factor, std::sqrt(factor)), point = made.point[i];
        made.point[i] *= factor;
        for (auto* bound : {&made.lo95, &made.hi95, &made.lo99, &made.hi99})
            (*bound)[i] = std::max(0.0, made.point[i] + ((*bound)[i] - point) * widening);
    }
    return made;
}

std::string LongSeasonForecaster::model() const {
    return inner_->model() + (season_ ? ", long season apart" : "");
}

}  // namespace warmfront::forecast
