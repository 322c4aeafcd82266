// Slots' means are decayed means, so that appending is constant work; a bucket far off what was expected
// moves its slot by a bounded amount only (winsorizing), because one outlier would be forecast again for
// weeks.
#include "forecast/features.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace warmfront::forecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kDay_s = 86'400;

constexpr double kSlotRate = 0.2, kLongSlotRate = 0.3, kFastRate = 0.5, kMediumRate = 0.12,
                 kSpreadRate = 0.01;
constexpr double kOffMax = 6;            // in spreads: what moves a slot's mean at most
constexpr std::size_t kMomentsMax = 4;   // earlier moments that one is compared with
constexpr double kAlikeShare = 0.7;      // of a day's own effect is believed after one like it
constexpr std::size_t kShortWindow = 3;  // buckets of the short rolling mean

using enum FeatureGroup;
constexpr std::array<Feature, kFeatures> kTable{{
    {"off its slot, now", RecentLoad},
    {"off its slot, one bucket before", RecentLoad},
    {"off its slot, the last buckets", RecentLoad},
    {"off its slot, the last hours", RecentLoad},
    {"off its slot, the last season", RecentLoad},
    {"what came after the same moments of seasons before", Season},
    {"what came after the same moments of long seasons before", Season},
    {"mean of 3 buckets less the season's", RecentLoad},
    {"mean of a quarter season less the season's", RecentLoad},
    {"mean of the season less the long season's", RecentLoad},
    {"same slot, one season before", Season},
    {"same slot, two seasons before", Season},
    {"same slot of the long season, its mean", Season},
    {"same slot, one long season before", Season},
    {"slot's mean less the season's", Season},
    {"slope of the slots' means", Season},
    {"place within the season", TimeOfDay},
    {"which season of the long one", DayOfWeek},
    {"weekend", DayOfWeek},
    {"day of the month", Date},
    {"day of the year", Date},
    {"share that is a holiday", Holidays},
    {"what holidays of this name did", Holidays},
    {"what holidays did", Holidays},
    {"days until a holiday", Holidays},
    {"days since a holiday", Holidays},
    {"share that is an event", Events},
    {"what events of this name did", Events},
    {"days until an event", Events},
    {"buckets ahead", Horizon},
    {"typical load", Size},
}};

double towards(double from, double to, double rate) {
    return from + rate * (to - from);
}

double within(double off, double spread) {
    return spread > 0 ? std::clamp(off, -kOffMax * spread, kOffMax * spread) : off;
}

void move_spread(double& spread, double off) {
    spread = spread == 0 ? std::abs(off) : towards(spread, std::abs(off), kSpreadRate);
}

std::vector<Span> spans_of(const std::vector<Event>& events) {
    std::vector<Span> spans;
    spans.reserve(events.size());
    for (const Event& event : events) spans.push_back(event.span);
    return spans;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

// 0 is Sunday.
std::int64_t weekday(std::int64_t time_s) {
    return ((floor_div(time_s, kDay_s) + 4) % 7 + 7) % 7;
}

}  // namespace

std::string_view name_of(FeatureGroup group) {
    switch (group) {
        case RecentLoad: return "recent load";
        case Season: return "season";
        case TimeOfDay: return "time of day";
        case DayOfWeek: return "day of week";
        case Date: return "date";
        case Holidays: return "holidays";
        case Events: return "events";
        case Horizon: return "horizon";
        case Size: return "size";
    }
    return "";
}

const std::array<Feature, kFeatures>& feature_table() {
    return kTable;
}

Features::Shape Features::shape_of(const Series& series, const Calendar* calendar) {
    Shape shape{series.start_s, series.step_s, 1, 1, 1, calendar};
    if (!series.seasons.empty() && 3 * series.seasons[0] <= series.size()) shape.season = series.seasons[0];
    if (shape.season > 1 && series.seasons.size() > 1 && 2 * series.seasons[1] <= series.size())
        shape.long_season = series.seasons[1];
    return shape;
}

Features::Features(const Shape& shape) : shape_(shape) {
    if (shape.calendar == nullptr) return;
    holidays_ = DayEffects(shape.calendar->holidays, shape.start_s, shape.step_s);
    events_ = DayEffects(spans_of(shape.calendar->events), shape.start_s, shape.step_s);
}

void Features::reserve(std::size_t buckets) {
    for (auto* column : {&value_, &slot_, &long_slot_, &off_, &off_fast_, &off_medium_, &off_slow_, &trust_})
        column->reserve(buckets);
    sum_.reserve(buckets);
    off_sum_.reserve(buckets);
    known_.reserve(buckets);
    unlike_.reserve(buckets);
}

void Features::append(double scaled) {
    const std::size_t i = value_.size();
    const bool longer = shape_.long_season > 1, seasoned = i > 0 && i >= shape_.season;
    const auto last = [i](const std::vector<float>& of) {
        return i == 0 ? 0.0 : static_cast<double>(of.back());
    };
    const bool is_known = !std::isnan(scaled);
    // In the first season nothing is known of the slot: the bucket itself stands in.
    const double slot =
        seasoned ? static_cast<double>(slot_[i - shape_.season]) : (is_known ? scaled : last(value_));
    const bool long_seasoned = longer && i >= shape_.long_season;
    const double long_slot = long_seasoned ? static_cast<double>(long_slot_[i - shape_.long_season]) : slot;
    const double expected = slot + last(trust_) * (long_slot - slot);
    if (!is_known) scaled = expected + (seasoned ? last(off_medium_) : 0.0);
    const double off = scaled - expected;
    const double bounded = within(off, spread_), slot_off = within(scaled - slot, slot_spread_);
    const bool unlike = holidays_.share(i) > 0.5 || events_.share(i) > 0.5;
    const double slow = 2.0 / static_cast<double>(std::max<std::size_t>(shape_.season, 12) + 1);

    value_.push_back(static_cast<float>(scaled));
    known_.push_back(is_known);
    unlike_.push_back(unlike);
    off_.push_back(static_cast<float>(off));
    slot_.push_back(static_cast<float>(unlike ? slot : slot + kSlotRate * slot_off));
    if (longer) {
        const double seen = long_seasoned ? towards(long_slot, expected + bounded, kLongSlotRate) : scaled;
        long_slot_.push_back(static_cast<float>(unlike ? long_slot : seen));
    }
    // A holiday's load says much of the hours after it, and little of the days.
    off_fast_.push_back(static_cast<float>(towards(last(off_fast_), off, kFastRate)));
    off_medium_.push_back(
        static_cast<float>(towards(last(off_medium_), unlike ? off : bounded, kMediumRate)));
    off_slow_.push_back(static_cast<float>(towards(last(off_slow_), unlike ? 0.0 : bounded, slow)));
    sum_.push_back((i == 0 ? 0.0 : sum_.back()) + likened(i));
    off_sum_.push_back((i == 0 ? 0.0 : off_sum_.back()) + off);
    if (seasoned && !unlike) {
        move_spread(spread_, bounded);
        move_spread(slot_spread_, slot_off);
        if (long_seasoned) move_spread(long_spread_, within(scaled - long_slot, long_spread_));
    }
    const double short_square = slot_spread_ * slot_spread_, long_square = long_spread_ * long_spread_;
    const bool both = long_seasoned && short_square + long_square > 0;
    trust_.push_back(static_cast<float>(both ? short_square / (short_square + long_square) : 0.0));
}

// The last bucket at or before the origin in the target's slot.
std::size_t Features::same_slot(std::size_t origin, std::size_t target, std::size_t season) const {
    const std::size_t ahead = target - origin, back = season * ((ahead + season - 1) / season);
    return target >= back ? target - back : origin;
}

double Features::mean(std::size_t end, std::size_t count) const {
    count = std::min(count, end);
    if (count == 0) return kNan;
    return (sum_[end - 1] - (end > count ? sum_[end - 1 - count] : 0.0)) / static_cast<double>(count);
}

double Features::slot_base(std::size_t origin, std::size_t target) const {
    const auto slot = static_cast<double>(slot_[same_slot(origin, target, shape_.season)]);
    if (shape_.long_season <= 1 || origin < shape_.long_season) return slot;
    const auto long_slot = static_cast<double>(long_slot_[same_slot(origin, target, shape_.long_season)]);
    return slot + static_cast<double>(trust_[origin]) * (long_slot - slot);
}

double Features::base(std::size_t origin, std::size_t target) const {
    double base = slot_base(origin, target);
    for (const DayEffects* days : {&holidays_, &events_}) {
        const double own = effect(*days, origin, target);
        if (!std::isnan(own)) base += own;
    }
    return base;
}

// What days of this name did, as far as that is believed: the more there were, the more.
double Features::effect(const DayEffects& days, std::size_t origin, std::size_t target) const {
    const auto known = days.of_name(origin, target, off_, shape_.season);
    return known.mean * (1 - std::pow(1 - kAlikeShare, static_cast<double>(known.spans)));
}

// The mean of how far the load came to lie over its level, as far ahead of earlier moments as the target is.
double Features::came_after(std::size_t origin, std::size_t target, std::size_t season) const {
    if (season <= 1) return kNan;
    const std::size_t window = std::max<std::size_t>(shape_.season, 12);
    double sum = 0;
    std::size_t counted = 0;
    for (std::size_t back = season; counted < kMomentsMax && origin >= back + window; back += season) {
        if (target - back > origin) continue;
        sum += likened(target - back) - mean(origin - back + 1, window);
        ++counted;
    }
    return counted == 0 ? kNan : sum / static_cast<double>(counted) + mean(origin + 1, window);
}

Features::Terms Features::terms(std::size_t origin, std::size_t target) const {
    const double base = slot_base(origin, target);
    const auto at = [](const std::vector<float>& of, std::size_t i) { return static_cast<double>(of[i]); };
    return {at(off_, origin),
            at(off_, origin - 1),
            at(off_fast_, origin),
            at(off_medium_, origin),
            at(off_slow_, origin),
            came_after(origin, target, shape_.season) - base,
            came_after(origin, target, shape_.long_season) - base};
}

void Features::write_recent(std::size_t origin, float*& row) const {
    const double season = mean(origin + 1, std::max<std::size_t>(shape_.season, 12));
    *row++ = static_cast<float>(mean(origin + 1, kShortWindow) - season);
    *row++ = static_cast<float>(mean(origin + 1, std::max<std::size_t>(shape_.season / 4, 4)) - season);
    const bool longer = shape_.long_season > 1;
    *row++ = static_cast<float>(longer ? season - mean(origin + 1, shape_.long_season) : kNan);
}

void Features::write_season(std::size_t origin, std::size_t target, float*& row) const {
    const std::size_t season = shape_.season, same = same_slot(origin, target, season);
    const bool seasonal = season > 1, longer = shape_.long_season > 1;
    const double slot = slot_base(origin, target);
    *row++ = static_cast<float>(seasonal ? likened(same) - slot : kNan);
    *row++ = static_cast<float>(seasonal && same >= season ? likened(same - season) - slot : kNan);
    const std::size_t long_same = same_slot(origin, target, shape_.long_season);
    const bool long_known = longer && target >= shape_.long_season && origin >= shape_.long_season;
    *row++ = static_cast<float>(long_known ? static_cast<double>(long_slot_[long_same]) - slot : kNan);
    *row++ = static_cast<float>(long_known ? likened(long_same) - slot : kNan);
    *row++ = static_cast<float>(slot - mean(origin + 1, std::max<std::size_t>(season, 12)));
    // Slots around the target's; the one after may lie one season back.
    const bool around = seasonal && same >= season;
    const std::size_t next = same + 1 <= origin ? same + 1 : same + 1 - season;
    *row++ = around ? slot_[next] - slot_[same - 1] : static_cast<float>(kNan);
}

void Features::write_clock(std::size_t target, float*& row) const {
    const std::int64_t time_s = time_of(target);
    const auto season_s = static_cast<std::int64_t>(shape_.season) * shape_.step_s;
    const std::int64_t cycle_s = shape_.season > 1 ? season_s : kDay_s;
    const bool finer = cycle_s > shape_.step_s;
    const std::int64_t within_s = time_s - floor_div(time_s, cycle_s) * cycle_s;
    *row++ = finer && cycle_s <= kDay_s ? static_cast<float>(within_s) / static_cast<float>(cycle_s)
                                        : static_cast<float>(kNan);
    const bool days = cycle_s == kDay_s || shape_.season == 1 || shape_.step_s >= kDay_s;
    const std::size_t seasons_within = shape_.long_season / std::max<std::size_t>(shape_.season, 1);
    if (days || seasons_within < 2)
        *row++ = static_cast<float>(weekday(time_s));
    else
        *row++ = static_cast<float>(static_cast<std::size_t>(floor_div(time_s, cycle_s)) % seasons_within);
    const std::int64_t day = weekday(time_s);
    *row++ = days ? static_cast<float>(day == 0 || day == 6) : static_cast<float>(kNan);
    const std::chrono::sys_days date{std::chrono::days(floor_div(time_s, kDay_s))};
    const std::chrono::year_month_day civil{date};
    *row++ = static_cast<float>(static_cast<unsigned>(civil.day()));
    const std::chrono::sys_days new_year{civil.year() / std::chrono::January / 1};
    const bool years = static_cast<std::int64_t>(size()) * shape_.step_s > 500 * kDay_s;
    *row++ = years ? static_cast<float>((date - new_year).count()) : static_cast<float>(kNan);
}

void Features::write_days(std::size_t origin, std::size_t target, float*& row) const {
    const std::size_t from = shape_.season;
    *row++ = static_cast<float>(holidays_.share(target));
    *row++ = static_cast<float>(effect(holidays_, origin, target));
    *row++ = static_cast<float>(holidays_.empty() ? kNan : holidays_.of_any(origin, off_sum_, from));
    *row++ = static_cast<float>(holidays_.days_until(target));
    *row++ = static_cast<float>(holidays_.days_since(target));
    *row++ = static_cast<float>(events_.share(target));
    *row++ = static_cast<float>(effect(events_, origin, target));
    *row++ = static_cast<float>(events_.days_until(target));
}

void Features::write(std::size_t origin, std::size_t target, float* row) const {
    for (const double term : terms(origin, target)) *row++ = static_cast<float>(term);
    write_recent(origin, row);
    write_season(origin, target, row);
    write_clock(target, row);
    write_days(origin, target, row);
    *row++ = static_cast<float>(std::log1p(static_cast<double>(target - origin)));
    *row = static_cast<float>(std::log1p(shape_.typical));
}

}  // namespace warmfront::forecast
