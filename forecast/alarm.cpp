#include "forecast/alarm.h"

#include <algorithm>
#include <cmath>

namespace warmfront::forecast {

std::string_view name_of(Side side) {
    switch (side) {
        case Side::Within: return "within";
        case Side::Above: return "above";
        case Side::Below: return "below";
    }
    return "within";
}

std::optional<std::size_t> Expectation::at(std::int64_t time_s) const {
    if (time_s < from_s || step_s <= 0) return std::nullopt;
    const auto bucket = static_cast<std::size_t>((time_s - from_s) / step_s);
    if (bucket >= lo.size()) return std::nullopt;
    return bucket;
}

AlarmEvent AlarmWatch::on_bucket(std::int64_t time_s, double actual, const Expectation& newest) {
    if (std::isnan(actual)) return AlarmEvent::None;
    if (before_ && !before_->at(time_s)) before_.reset();
    const Expectation& judge = before_ ? *before_ : newest;
    const auto bucket = judge.at(time_s);
    if (!bucket) return AlarmEvent::None;
    alarm_.actual = actual;
    alarm_.point = judge.point[*bucket];
    alarm_.lo = judge.lo[*bucket];
    alarm_.hi = judge.hi[*bucket];
    const Side side = actual > alarm_.hi ? Side::Above : actual < alarm_.lo ? Side::Below : Side::Within;
    length_ = side == streak_ ? std::min(length_ + 1, buckets_) : 1;
    if (side != streak_) streak_since_s_ = time_s;
    streak_ = side;
    if (side == Side::Within) return on_within();
    if (!before_) before_ = newest;
    return on_outside(side);
}

AlarmEvent AlarmWatch::on_within() {
    const bool alarmed = alarm_.side != Side::Within;
    if (alarmed && length_ < buckets_) return AlarmEvent::None;
    before_.reset();
    if (!alarmed) return AlarmEvent::None;
    alarm_.side = Side::Within;
    alarm_.since_s = 0;
    return AlarmEvent::Ended;
}

AlarmEvent AlarmWatch::on_outside(Side side) {
    if (length_ < buckets_ || alarm_.side == side) return AlarmEvent::None;
    alarm_.side = side;
    alarm_.since_s = streak_since_s_;
    return AlarmEvent::Began;
}

}  // namespace warmfront::forecast
