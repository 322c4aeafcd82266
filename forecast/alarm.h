// forecast/alarm.h: tells when a load leaves what was to be expected, and when it is back.
//
// Pure. An alarm begins with the k-th bucket in a row on the same side of the 99 % interval and ends with the
// k-th in a row within it. A surge is judged by the forecast made before it began, as far as that reaches: a
// later one has learnt the surge and would call it expected. Buckets that are not known (NaN) count for
// nothing. One AlarmWatch a series; it holds one forecast, no longer than the horizon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace warmfront::forecast {

enum class Side : std::uint8_t { Within, Above, Below };
[[nodiscard]] std::string_view name_of(Side side);  // "within", "above", "below"

// The 99 % interval of buckets to come.
struct Expectation {
    std::int64_t from_s = 0, step_s = 60;
    std::vector<double> point, lo, hi;  // of one length
    // The place of the bucket that begins at time_s.
    [[nodiscard]] std::optional<std::size_t> at(std::int64_t time_s) const;
};

struct Alarm {
    Side side = Side::Within;  // Within: no alarm
    std::int64_t since_s = 0;  // begin of the first bucket outside; of an alarm that ended, 0
    // Of the last bucket that was judged.
    double actual = 0, point = 0, lo = 0, hi = 0;
    bool operator==(const Alarm&) const = default;
};

enum class AlarmEvent : std::uint8_t { None, Began, Ended };

class AlarmWatch {
public:
    explicit AlarmWatch(std::size_t buckets) : buckets_(buckets) {}
    // The bucket that began at time_s brought `actual`; `newest` is the last forecast made before it, and may
    // not cover it: then it is not judged.
    AlarmEvent on_bucket(std::int64_t time_s, double actual, const Expectation& newest);
    [[nodiscard]] const Alarm& alarm() const { return alarm_; }

private:
    AlarmEvent on_within();
    AlarmEvent on_outside(Side side);

    std::size_t buckets_;
    Alarm alarm_;
    Side streak_ = Side::Within;
    std::size_t length_ = 0;  // of the streak, counted up to buckets_
    std::int64_t streak_since_s_ = 0;
    std::optional<Expectation> before_;  // made before the streak or the alarm began
};

}  // namespace warmfront::forecast
