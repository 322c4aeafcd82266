#include "forecast/lag_terms.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace warmfront::forecast {
namespace {

constexpr double kSlotRate = 0.12, kSlotFastRate = 0.4, kLongSlotRate = 0.3;
constexpr double kFastRate = 0.5, kMediumRate = 0.12;
constexpr double kDriftShare = 0.004;  // of the slots' usual error that the base takes up, a step ahead
constexpr std::int64_t kDay_s = 86'400;

constexpr std::size_t kPairs = 2;  // sine and cosine of the season and of its half

// For each slot the cosine and sine of the season, then of its half, and so on.
std::vector<double> waves(std::size_t season, std::size_t pairs) {
    std::vector<double> waves;
    for (std::size_t slot = 0; slot < season; ++slot)
        for (std::size_t pair = 1; pair <= pairs; ++pair) {
            const double turn = static_cast<double>(pair * slot) / static_cast<double>(season);
            waves.push_back(std::cos(2 * std::numbers::pi * turn));
            waves.push_back(std::sin(2 * std::numbers::pi * turn));
        }
    return waves;
}

double towards(double from, double to, double rate) {
    return from + rate * (to - from);
}

}  // namespace

LagTerms::LagTerms(const Shape& shape, double first_value, double deviation_max)
    : shape_(shape), deviation_max_(deviation_max) {
    value_ = slot_ = slot_fast_ = long_slot_ = level_ = {first_value};
    off_ = long_off_ = off_fast_ = off_medium_ = off_slow_ = long_off_medium_ = {0.0};
    const bool seasonal = shape_.season > 1, longer = shape_.long_season > 1;
    count_ = 8 + (seasonal ? 5 + kPairs * 2 : 0) + (longer ? 6 : 0) + (shape_.weekends ? 1 : 0) +
             (shape_.calendar != nullptr ? 3 : 0);
    waves_ = waves(shape_.season, kPairs);
    long_waves_ = waves(shape_.long_season, 1);
}

void LagTerms::append(double value) {
    const std::size_t i = value_.size();
    const auto before = [i](const std::vector<double>& of, std::size_t season) {
        return i >= season ? of[i - season] : of.back();
    };
    const double slot = before(slot_, shape_.season), long_slot = before(long_slot_, shape_.long_season);
    const double likely = slot + off_medium_.back();
    if (std::isnan(value)) value = likely;
    value = std::clamp(value, likely - deviation_max_, likely + deviation_max_);
    const double off = value - slot, long_off = value - long_slot;
    const std::size_t cycles = i / shape_.season, long_cycles = i / shape_.long_season;
    const auto cycle = static_cast<double>(cycles), long_cycle = static_cast<double>(long_cycles);
    const double slow = 2.0 / static_cast<double>(std::max<std::size_t>(shape_.season, 12) + 1);
    value_.push_back(value);
    slot_.push_back(towards(slot, value, std::max(kSlotRate, 1 / (cycle + 1))));
    slot_fast_.push_back(
        towards(before(slot_fast_, shape_.season), value, std::max(kSlotFastRate, 1 / (cycle + 1))));
    long_slot_.push_back(towards(long_slot, value, std::max(kLongSlotRate, 1 / (long_cycle + 1))));
    off_.push_back(off);
    long_off_.push_back(long_off);
    off_fast_.push_back(towards(off_fast_.back(), off, kFastRate));
    off_medium_.push_back(towards(off_medium_.back(), off, kMediumRate));
    off_slow_.push_back(towards(off_slow_.back(), off, slow));
    long_off_medium_.push_back(towards(long_off_medium_.back(), long_off, kMediumRate));
    level_.push_back(towards(level_.back(), value, slow));
}

std::size_t LagTerms::warm_up() const {
    return std::max(shape_.long_season > 1 ? shape_.long_season : 0, 2 * shape_.season) + 2;
}

// The last bucket at or before the origin in the target's slot.
std::size_t LagTerms::same_slot(std::size_t origin, std::size_t target, std::size_t season) const {
    const std::size_t ahead = target - origin;
    return target - season * ((ahead + season - 1) / season);
}

double LagTerms::base(std::size_t origin, std::size_t target) const {
    const double drift =
        std::min(1.0, kDriftShare * static_cast<double>(target - origin)) * off_slow_[origin];
    return slot_[same_slot(origin, target, shape_.season)] + drift;
}

void LagTerms::write(std::size_t origin, std::size_t target, double* terms) const {
    const std::size_t season = shape_.season;
    const std::size_t same = same_slot(origin, target, season);
    const double base = slot_[same];
    *terms++ = 1;
    *terms++ = off_[origin];
    *terms++ = off_[origin - 1];
    *terms++ = off_[origin - 2];
    *terms++ = off_fast_[origin];
    *terms++ = off_medium_[origin];
    *terms++ = off_slow_[origin];
    *terms++ = level_[origin] - base;
    if (season > 1) {
        *terms++ = value_[same] - base;
        *terms++ = value_[same - season] - base;
        *terms++ = slot_fast_[same] - base;
        *terms++ = value_[same - 1] - slot_[same - 1];
        const std::size_t after = same < origin ? same + 1 : same + 1 - season;
        *terms++ = value_[after] - slot_[after];
        terms = std::copy_n(&waves_[target % season * kPairs * 2], kPairs * 2, terms);
    }
    std::size_t long_same = same;
    if (shape_.long_season > 1) {
        long_same = same_slot(origin, target, shape_.long_season);
        *terms++ = long_slot_[long_same] - base;
        *terms++ = value_[long_same] - base;
        *terms++ = long_off_[origin];
        *terms++ = long_off_medium_[origin];
        terms = std::copy_n(&long_waves_[target % shape_.long_season * 2], 2, terms);
    }
    write_calendar(target, same, long_same, terms);
}

void LagTerms::write_calendar(std::size_t target, std::size_t same, std::size_t long_same,
                              double* terms) const {
    if (shape_.weekends) *terms++ = is_weekend(target) - is_weekend(same);
    if (shape_.calendar != nullptr) {
        const double there = holiday_share(target);
        *terms++ = there;
        *terms++ = holiday_share(same);
        *terms++ = holiday_share(long_same);
    }
}

bool LagTerms::is_weekend(std::size_t bucket) const {
    const std::int64_t day = (shape_.start_s + static_cast<std::int64_t>(bucket) * shape_.step_s) / kDay_s;
    return (day + 4) % 7 % 6 == 0;  // day 0 was a Thursday; 0 is Sunday, 6 Saturday
}

double LagTerms::holiday_share(std::size_t bucket) const {
    const std::int64_t from = shape_.start_s + static_cast<std::int64_t>(bucket) * shape_.step_s;
    for (const Span& span : shape_.calendar->holidays)
        if (span.contains(from)) return 1;
    return 0;
}

}  // namespace warmfront::forecast
