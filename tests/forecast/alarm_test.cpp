#include "forecast/alarm.h"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
static constexpr std::int64_t kStart = 6000, kStep = 60;

// The interval of `horizon` buckets from `bucket` on.
static Expectation expected(std::size_t bucket, std::size_t horizon, double lo, double hi) {
    return {kStart + static_cast<std::int64_t>(bucket) * kStep, kStep, std::vector(horizon, (lo + hi) / 2),
            std::vector(horizon, lo), std::vector(horizon, hi)};
}

// Loads: '.' within, '^' above, 'v' below, '?' not known. Comes back as: '.' no alarm, 'A' above, 'B' below.
static std::string states(std::size_t buckets, std::string_view loads) {
    AlarmWatch watch(buckets);
    std::string seen;
    for (std::size_t bucket = 0; bucket < loads.size(); ++bucket) {
        const char load = loads[bucket];
        const double actual = load == '^' ? 30 : load == 'v' ? 1 : load == '?' ? kUnknown : 15;
        (void)watch.on_bucket(kStart + static_cast<std::int64_t>(bucket) * kStep, actual,
                              expected(bucket, 100, 10, 20));
        const Side side = watch.alarm().side;
        seen += side == Side::Above ? 'A' : side == Side::Below ? 'B' : '.';
    }
    return seen;
}

TEST_CASE("alarm: k buckets in a row outside begin it, k within end it") {
    struct Row {
        std::size_t buckets;
        std::string_view loads, states;
    };
    for (const auto& [buckets, loads, expected_states] :
         std::vector<Row>{{3, "......", "......"},
                          {3, "^^.^^.", "......"},        // never three in a row
                          {3, ".^^^..", "...AAA"},        //
                          {3, "^^^...", "..AAA."},        //
                          {3, "^^^..^...", "..AAAAAA."},  // within again must hold
                          {3, "vvv...", "..BBB."},        //
                          {3, "^^vvv", "....B"},          // both sides do not add up
                          {3, "^^^vvv...", "..AAABBB."},  // from one to the other
                          {3, "^?^?^..?.", "....AAAA."},  // what is not known counts for nothing
                          {1, "^.v.", "A.B."},            //
                          {2, "", ""}}) {
        CAPTURE(loads);
        CHECK(states(buckets, loads) == expected_states);
    }
}

TEST_CASE("alarm: events come once each, with the bucket that it began with and the numbers") {
    AlarmWatch watch(2);
    const auto step = [&](std::size_t bucket, double actual) {
        return watch.on_bucket(kStart + static_cast<std::int64_t>(bucket) * kStep, actual,
                               expected(bucket, 10, 10, 20));
    };
    CHECK(step(0, 15) == AlarmEvent::None);
    CHECK(step(1, 25) == AlarmEvent::None);
    CHECK(step(2, 26) == AlarmEvent::Began);
    CHECK(watch.alarm() == Alarm{Side::Above, kStart + kStep, 26, 15, 10, 20});
    CHECK(step(3, 27) == AlarmEvent::None);
    CHECK(step(4, 20) == AlarmEvent::None);  // the bounds are within
    CHECK(step(5, 10) == AlarmEvent::Ended);
    CHECK(watch.alarm() == Alarm{Side::Within, 0, 10, 15, 10, 20});
}

TEST_CASE("alarm: a surge is judged by what was expected before it began, as far as that reaches") {
    AlarmWatch watch(3);
    const auto step = [&](std::size_t bucket, double actual, double lo, double hi) {
        (void)watch.on_bucket(kStart + static_cast<std::int64_t>(bucket) * kStep, actual,
                              expected(bucket, 5, lo, hi));
        return watch.alarm().side;
    };
    CHECK(step(0, 15, 10, 20) == Side::Within);
    CHECK(step(1, 100, 10, 20) == Side::Within);
    CHECK(step(2, 100, 80, 120) == Side::Within);  // forecasts have learnt it: not asked
    CHECK(step(3, 100, 90, 110) == Side::Above);
    CHECK(step(4, 100, 90, 110) == Side::Above);
    CHECK(step(5, 100, 90, 110) == Side::Above);  // the last bucket of the forecast from before
    CHECK(step(6, 100, 90, 110) == Side::Above);  // now it is the new normal
    CHECK(step(7, 100, 90, 110) == Side::Above);
    CHECK(step(8, 100, 90, 110) == Side::Within);
    CHECK(step(9, 15, 90, 110) == Side::Within);
    CHECK(step(10, 15, 10, 20) == Side::Within);
    CHECK(step(11, 15, 10, 20) == Side::Below);
}

TEST_CASE("alarm: buckets that nothing was forecast of are not judged") {
    AlarmWatch watch(1);
    CHECK(watch.on_bucket(kStart, 1e9, {}) == AlarmEvent::None);
    CHECK(watch.on_bucket(kStart, 1e9, expected(1, 5, 0, 1)) == AlarmEvent::None);
    CHECK(watch.on_bucket(kStart + 10 * kStep, 1e9, expected(1, 5, 0, 1)) == AlarmEvent::None);
    CHECK(watch.on_bucket(kStart + 5 * kStep, 1e9, expected(1, 5, 0, 1)) == AlarmEvent::Began);
}
