#include "forecast/analogs.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

constexpr std::int64_t kDay = 240, kWeek = 7 * kDay, kHour = 10;
constexpr std::uint64_t kNight = 1, kMorning = 2, kSaturday = 3, kFeast = 4, kRush = 5;

// What is asked for in an hour of a day, 100 times an hour.
using Life = std::uint64_t (*)(std::int64_t day, std::int64_t hour);

class World {
public:
    explicit World(const Analogs::Options& options) : analogs_(options) {}
    // From the hour that was lived last until this one.
    void live(Life life, std::int64_t until_hour) {
        for (; hour_ < until_hour; ++hour_) {
            const Analogs::Step step{hour_ * kHour, kHour, 100};
            if (const auto key = life(hour_ / 24, hour_ % 24); key != 0) analogs_.add(key, {&step, 1});
        }
    }
    // Of the hour that comes now, of which `requests` are forecast.
    [[nodiscard]] double chance(std::uint64_t key, double requests = 100) const {
        const std::int64_t now_s = hour_ * kHour;
        for (const auto& each : analogs_.ahead({.known_s = now_s,
                                .from_s = now_s,
                                .within_s = kHour,
                                .soon_s = kHour,
                                .requests = requests,
                                .requests_soon = requests}))
            if (each.key == key) return each.chance;
        return 0;
    }

private:
    Analogs analogs_;
    std::int64_t hour_ = 0;
};

Analogs::Options daily() {
    Analogs::Options options;
    options.cycle_s = kDay;
    return options;
}

Analogs::Options weekly() {
    auto options = daily();
    options.longer_s = kWeek;
    return options;
}

std::uint64_t ordinary(std::int64_t, std::int64_t hour) {
    return hour < 8 ? kNight : kMorning;
}

std::uint64_t with_saturdays(std::int64_t day, std::int64_t hour) {
    return day % 7 == 5 && hour >= 8 ? kSaturday : ordinary(day, hour);
}

}  // namespace

TEST_CASE("analogs: nothing is foreseen in the first cycle, and a change of the hour from then on") {
    World world(daily());
    world.live(ordinary, 23);
    CHECK(world.chance(kMorning) == 0);
    world.live(ordinary, 3 * 24 + 8);  // the night is over
    CHECK(world.chance(kMorning) > 0.9);
    CHECK(world.chance(kNight) < 0.2);
    CHECK(world.chance(12345) == 0);
}

TEST_CASE("analogs: the same day of the week counts most where the days differ") {
    World world(weekly());
    world.live(with_saturdays, 12 * 24 + 8);  // the second Saturday
    CHECK(world.chance(kSaturday) > 0.75);
    CHECK(world.chance(kMorning) < 0.5);
    world.live(with_saturdays, 13 * 24 + 8);  // the day after
    CHECK(world.chance(kMorning) > 0.75);
    CHECK(world.chance(kSaturday) < 0.25);
}

TEST_CASE("analogs: a day that goes like one before goes on like that one") {
    World world(daily());
    const Life life = [](std::int64_t day, std::int64_t hour) {
        if (hour < 8) return kNight;
        if (day != 2 && day != 5) return kMorning;
        return hour < 12 ? kSaturday : kFeast;
    };
    world.live(life, 5 * 24 + 12);
    CHECK(world.chance(kFeast) > 0.75);
    CHECK(world.chance(kMorning) < 0.1);
}

TEST_CASE("analogs: on a day unlike all before what was asked for just now goes on, and nothing else") {
    World world(daily());
    const Life life = [](std::int64_t day, std::int64_t hour) {
        return day == 5 && hour >= 8 ? kRush : hour < 16 ? ordinary(day, hour) : kFeast;
    };
    world.live(life, 5 * 24 + 16);  // usually the time of kFeast
    CHECK(world.chance(kRush) > 0.75);
    CHECK(world.chance(kFeast) < 0.25);
}

TEST_CASE("analogs: a holiday is like holidays before, also like those of long ago, and other days are not") {
    constexpr std::int64_t first = 3, second = 30;
    auto options = daily();
    for (const std::int64_t day : {first, second})
        options.calendar.holidays.push_back({"", day * kDay, (day + 1) * kDay});
    const Life life = [](std::int64_t day, std::int64_t hour) {
        return (day == first || day == second) && hour >= 8 ? kFeast : ordinary(day, hour);
    };
    World world(options);
    world.live(life, first * 24 + 8);
    CHECK(world.chance(kMorning) < 0.75);  // the first of all: who knows
    world.live(life, (first + 1) * 24 + 8);
    CHECK(world.chance(kMorning) > 0.75);
    CHECK(world.chance(kFeast) < 0.1);
    world.live(life, second * 24 + 8);
    CHECK(world.chance(kFeast) > 0.75);
    CHECK(world.chance(kMorning) < 0.5);
}

TEST_CASE("analogs: chances are those of Poisson arrivals, surer the more days were seen") {
    const auto chance_after = [](std::int64_t days, double requests) {
        Analogs analogs(daily());
        for (std::int64_t day = 0; day <= days; ++day) {
            const Analogs::Step background{day * kDay, kDay, 24'000};
            analogs.add(kNight, {&background, 1});
            const Analogs::Step once{day * kDay + 100, kHour, requests};
            if (day < days) analogs.add(kMorning, {&once, 1});
        }
        const std::int64_t now_s = days * kDay + 100;
        for (const auto& each : analogs.ahead({.known_s = now_s,
                                .from_s = now_s,
                                .within_s = kHour,
                                .soon_s = kHour,
                                .requests = 1000 + requests,
                                .requests_soon = 1000 + requests}))
            if (each.key == kMorning) return each.chance;
        return 0.0;
    };
    const double once = chance_after(1, 2), often = chance_after(14, 2);
    CHECK(once < often);
    CHECK(often > 0.8 * (1 - std::exp(-2.0)));
    CHECK(often < 1 - std::exp(-2.0));
    CHECK(chance_after(14, 20) > 0.95);
}

TEST_CASE(
    "analogs: the more is forecast, the surer a key is asked for; but days alike are believed as well") {
    World world(daily());
    world.live(ordinary, 4 * 24 + 8);
    CHECK(world.chance(kMorning, 0) == 0);
    CHECK(world.chance(kMorning, 0.0001) < 0.2);
    CHECK(world.chance(kMorning, 10) > 0.75);  // a rise that the forecast does not see
    CHECK(world.chance(kMorning, 1000) > 0.9);
}

TEST_CASE("analogs: keys beyond the bound are not taken, and days without a count are left out") {
    auto options = daily();
    options.keys_max = 2;
    World world(options);
    const Life life = [](std::int64_t day, std::int64_t hour) {
        return day == 2 || day == 3 ? 0 : day == 4 ? kRush : ordinary(day, hour);
    };
    world.live(life, 2 * 24);
    world.live(life, 4 * 24);
    world.live(ordinary, 4 * 24 + 8);
    CHECK(world.chance(kMorning) > 0.75);  // by the first two days alone
    world.live(life, 5 * 24);              // a third key
    CHECK(world.chance(kRush) == 0);
}
