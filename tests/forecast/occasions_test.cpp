#include "forecast/occasions.h"

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

constexpr std::int64_t kDay = 240, kWeek = 7 * kDay;  // 10 s an hour
constexpr KeyId kMorning = 1, kEvening = 2, kSaturday = 3, kFeast = 4;

Occasions::Options options() {
    Occasions::Options of;
    of.day_s = kDay;
    of.week_s = kWeek;
    of.slots = 24;
    of.half_life_s = 100 * kWeek;
    of.calendar.holidays = {{"", 2 * kDay, 3 * kDay}, {"", kWeek + 3 * kDay, kWeek + 4 * kDay}};
    return of;
}

// A week of it: two keys by the time of day, another one on the sixth day, another on holidays.
void live(Occasions& occasions, std::int64_t week) {
    for (std::int64_t day = 0; day < 7; ++day) {
        const std::int64_t from_s = week * kWeek + day * kDay;
        const bool feast = week == 0 && day == 2;
        const KeyId early = feast ? kFeast : day == 5 ? kSaturday : kMorning;
        const KeyId late = feast ? kFeast : day == 5 ? kSaturday : kEvening;
        occasions.observe(early, from_s + 80, 1000);
        occasions.observe(late, from_s + 200, 1000);
    }
}

}  // namespace

TEST_CASE("occasions: a key's share is that of the time of day, of the day of the week, of a holiday") {
    Occasions occasions(options());
    live(occasions, 0);
    const std::int64_t monday = kWeek, thursday = kWeek + 3 * kDay, saturday = kWeek + 5 * kDay;
    CHECK(occasions.share(kMorning, monday + 80) > 0.9);
    CHECK(occasions.share(kEvening, monday + 80) < 0.05);
    CHECK(occasions.share(kEvening, monday + 200) > 0.9);
    CHECK(occasions.share(kSaturday, saturday + 80) > 0.9);
    CHECK(occasions.share(kSaturday, monday + 80) < 0.1);
    CHECK(occasions.share(kFeast, thursday + 80) > 0.9);            // a holiday this time
    CHECK(occasions.share(kFeast, monday + 2 * kDay + 80) < 0.05);  // the day of last week's holiday
}

TEST_CASE("occasions: what was never seen on such a day is as on any day") {
    Occasions occasions(options());
    for (int i = 0; i < 100; ++i) {
        occasions.observe(kMorning, 80, 10);  // the first day of the week alone
        occasions.observe_others(80, 10);     // as often a key that nobody counts
    }
    CHECK(occasions.share(kMorning, kDay + 80) == doctest::Approx(0.5).epsilon(0.05));
    CHECK(occasions.share(kMorning, 2 * kDay + 80) == doctest::Approx(0.5).epsilon(0.05));  // a holiday
    CHECK(occasions.share(kEvening, kDay + 80) < 0.01);
}
