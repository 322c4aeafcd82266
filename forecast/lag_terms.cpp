#include "forecast/lag_terms.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace warmfront::forecast {
namespace {

constexpr double kSlotRate = 0.12, kSlotFastRate = 0.4, kLongSlotRate = 0.3;
constexpr double kFastRate = 0.5, kMediumRate = 0.12;
constexpr std::int64_t kDay_s = 86'400;

double towards(double from, double to, double rate) { return from + rate * (to - from); }

}  // namespace

LagTerms::LagTerms(const Shape& shape, double first_value, double deviation_max)
    : shape_(shape), deviation_max_(deviation_max) {
    value_ = slot_ = slot_fast_ = long_slot_ = level_ = {first_value};
    off_ = long_off_ = off_fast_ = off_medium_ = off_slow_ = long_off_medium_ = {0.0};
    double ignored[kTermsMax];
    count_ = 0;
    // One write tells how many there are.
    struct Counter {
        static std::size_t count(const LagTerms& terms, double* into) {
            const bool seasonal = terms.shape_.season > 1, longer = terms.shape_.long_season > 1;
            std::size_t count = 1 + 3 + 3 + 1;       // constant; off now; its means; level
            count += seasonal ? 2 + 1 + 2 + 4 : 0;   // same slot; fast mean; neighbours; Fourier
            count += longer ? 2 + 2 + 2 : 0;         // long slot; long off; Fourier
            static_cast<void>(into);
            return count + (terms.shape_.weekends ? 1 : 0) + (terms.shape_.calendar != nullptr ? 3 : 0);
        }
    };
    count_ = Counter::count(*this, ignored);
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
    const double slow = 2.0 / static_cast<double>(std::max<std::size_t>(shape_.season, 12) + 1);
    value_.push_back(value);
    slot_.push_back(i >= shape_.season ? towards(slot, value, kSlotRate) : value);
    slot_fast_.push_back(towards(before(slot_fast_, shape_.season), value, kSlotFastRate));
    long_slot_.push_back(i >= shape_.long_season ? towards(long_slot, value, kLongSlotRate) : value);
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
    return slot_[same_slot(origin, target, shape_.season)];
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
    const double angle = 2 * std::numbers::pi * static_cast<double>(target);
    if (season > 1) {
        *terms++ = value_[same] - base;
        *terms++ = value_[same - season] - base;
        *terms++ = slot_fast_[same] - base;
        *terms++ = value_[same - 1] - slot_[same - 1];
        const std::size_t after = same < origin ? same + 1 : same + 1 - season;
        *terms++ = value_[after] - slot_[after];
        for (const int k : {1, 2}) {
            *terms++ = std::cos(k * angle / static_cast<double>(season));
            *terms++ = std::sin(k * angle / static_cast<double>(season));
        }
    }
    std::size_t long_same = same;
    if (shape_.long_season > 1) {
        long_same = same_slot(origin, target, shape_.long_season);
        *terms++ = long_slot_[long_same] - base;
        *terms++ = value_[long_same] - base;
        *terms++ = long_off_[origin];
        *terms++ = long_off_medium_[origin];
        *terms++ = std::cos(angle / static_cast<double>(shape_.long_season));
        *terms++ = std::sin(angle / static_cast<double>(shape_.long_season));
    }
    write_calendar(target, same, long_same, terms);
}

double* LagTerms::write_calendar(std::size_t target, std::size_t same, std::size_t long_same,
                                 double* terms) const {
    if (shape_.weekends) *terms++ = is_weekend(target) - is_weekend(same);
    if (shape_.calendar != nullptr) {
        const double there = holiday_share(target);
        *terms++ = there;
        *terms++ = holiday_share(same);
        *terms++ = holiday_share(long_same);
    }
    return terms;
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
