#include "forecast/occasions.h"

#include <algorithm>

namespace warmfront::forecast {
namespace {

constexpr TemplateId kOnly = 1;
constexpr std::size_t kSlotsMax = 1'024;

KeyShares::Options shares_of(const Occasions::Options& options, std::int64_t cycle_s, std::size_t slots) {
    KeyShares::Options of;
    of.cycle_s = cycle_s;
    of.slots = std::clamp<std::size_t>(slots, 1, kSlotsMax);
    of.half_life_s = options.half_life_s;
    of.keys_max = std::max<std::size_t>(options.keys_max, 4);
    of.templates_max = 1;
    return of;
}

}  // namespace

Occasions::Occasions(const Options& options)
    : options_(options), day_(shares_of(options, options.day_s, options.slots)) {
    if (options.week_s > options.day_s)
        week_.emplace(shares_of(options, options.week_s,
                                options.slots * static_cast<std::size_t>(options.week_s / options.day_s)));
    if (!options.calendar.holidays.empty())
        holiday_.emplace(shares_of(options, options.day_s, options.slots));
}

bool Occasions::is_holiday(std::int64_t time_s) const {
    return holiday_ && std::ranges::any_of(options_.calendar.holidays,
                                           [&](const Span& span) { return span.contains(time_s); });
}

void Occasions::observe(KeyId key, std::int64_t time_s, double requests) {
    if (is_holiday(time_s)) return holiday_->observe(kOnly, key, time_s, requests);
    day_.observe(kOnly, key, time_s, requests);
    if (week_) week_->observe(kOnly, key, time_s, requests);
}

void Occasions::observe_others(std::int64_t time_s, double requests) {
    if (is_holiday(time_s)) return holiday_->observe_others(kOnly, time_s, requests);
    day_.observe_others(kOnly, time_s, requests);
    if (week_) week_->observe_others(kOnly, time_s, requests);
}

double Occasions::refined(const KeyShares& by, KeyId key, std::int64_t time_s, double prior) const {
    const auto seen = by.evidence(kOnly, key, time_s);
    return (seen.key + options_.prior * prior) / (seen.all + options_.prior);
}

double Occasions::share(KeyId key, std::int64_t time_s) const {
    const double of_day = day_.share(kOnly, key, time_s);
    if (is_holiday(time_s)) return refined(*holiday_, key, time_s, of_day);
    return week_ ? refined(*week_, key, time_s, of_day) : of_day;
}

}  // namespace warmfront::forecast
