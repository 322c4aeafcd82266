#include "forecast/long_season.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <doctest/doctest.h>

#include "forecast/automatic_forecaster.h"
#include "tests/forecast/trees_support.h"

using namespace warmfront;
using namespace warmfront::forecast;
using namespace warmfront::forecast::trees_support;

namespace {

constexpr std::size_t kDay = 1'440;  // minutes

// Busy from eight to eighteen, a third of it on Saturdays, hardly anything on Sundays.
double shop_rate(std::size_t minute) {
    const std::size_t hour = minute % kDay / 60, day = minute / kDay % 7;
    const double busy = hour >= 8 && hour < 18 ? 100 : 20;
    return busy * (day < 5 ? 1.0 : day == 5 ? 0.3 : 0.1);
}

Series minutes_of(std::size_t from_day, std::size_t days, double week = 1) {
    Series series;
    series.start_s = kMonday_s + static_cast<std::int64_t>(from_day * kDay) * 60;
    series.step_s = 60;
    series.seasons = {kDay, 7 * kDay};
    std::mt19937_64 random(7);
    for (std::size_t i = from_day * kDay; i < (from_day + days) * kDay; ++i) {
        const double rate = week * shop_rate(i) + (1 - week) * shop_rate(i % kDay);
        series.values.push_back(std::max(0.0, std::round(rate + std::sqrt(3 * rate) * noise(random))));
    }
    return series;
}

// Sum of errors over the load itself, of the buckets after that day.
double error_after(const Forecaster& model, std::size_t day, std::size_t horizon) {
    const Prediction made = model.forecast(horizon);
    double off = 0, load = 0;
    for (std::size_t h = 0; h < horizon; ++h) {
        off += std::abs(made.point[h] - shop_rate(day * kDay + h));
        load += shop_rate(day * kDay + h);
    }
    return off / load;
}

std::unique_ptr<Forecaster> fitted(std::unique_ptr<Forecaster> model, const Series& series,
                                   std::size_t horizon) {
    FitOptions options;
    options.horizon_max = horizon;
    REQUIRE(model->fit(series, options));
    return model;
}

std::unique_ptr<Forecaster> with_long_season() {
    return std::make_unique<LongSeasonForecaster>(std::make_unique<AutomaticForecaster>());
}

}  // namespace

TEST_CASE("long season: minutes of four weeks are forecast right on Saturday, Sunday and Monday") {
    for (const std::size_t day : {33U, 34U, 35U}) {  // the four weeks end with a Friday, Saturday, Sunday
        CAPTURE(day);
        const Series series = minutes_of(day - 28, 28);
        const auto model = fitted(with_long_season(), series, kDay);
        CHECK(model->model().ends_with(", long season apart"));
        const double error = error_after(*model, day, kDay);
        CHECK(error < 0.15);
        // What a model makes of the days that it can see.
        const auto plain = fitted(std::make_unique<AutomaticForecaster>(), series, kDay);
        CHECK(error_after(*plain, day, kDay) > 3 * error);
        const Prediction made = model->forecast(kDay);
        double within = 0;
        for (std::size_t h = 0; h < kDay; ++h) {
            const double rate = shop_rate(day * kDay + h);
            within += made.lo99[h] <= rate && rate <= made.hi99[h] ? 1.0 : 0.0;
        }
        CHECK(within / kDay > 0.95);
    }
}

TEST_CASE("long season: what comes is taken in as well, from Friday through Saturday's rise") {
    const Series all = minutes_of(5, 30);
    Series known = all;
    known.values.resize(28 * kDay);
    const auto model = fitted(with_long_season(), known, 60);
    std::size_t at = 28 * kDay;
    for (; at < 28 * kDay + 7 * 60 + 30; ++at) REQUIRE(model->extend({all.values[at]}));
    const Prediction made = model->forecast(60);  // half past seven
    CHECK(made.point[0] == doctest::Approx(6).epsilon(0.25));
    CHECK(made.point[59] == doctest::Approx(30).epsilon(0.25));
}

TEST_CASE("long season: left alone where there is none, where it is seen anyway, and where little is known") {
    CHECK_FALSE(LongSeason::learn(minutes_of(0, 28, 0), nullptr));
    CHECK_FALSE(LongSeason::learn(minutes_of(0, 13), nullptr));
    const Series hours = office(28, 100, 1);
    CHECK_FALSE(LongSeason::learn(hours, nullptr));
    CHECK(LongSeason::learn(minutes_of(0, 28), nullptr));
}

TEST_CASE("long season: factors say what each slot has over its like, and holidays do not spoil them") {
    Series series = minutes_of(0, 28);
    const auto plain = LongSeason::learn(series, nullptr);
    REQUIRE(plain);
    const std::int64_t noon_s = kMonday_s + 12 * 3'600;
    const double mean = (5 + 0.3 + 0.1) / 7;
    CHECK(plain->factor(noon_s) == doctest::Approx(1 / mean).epsilon(0.03));
    CHECK(plain->factor(noon_s + 5 * 86'400) == doctest::Approx(0.3 / mean).epsilon(0.03));
    CHECK(plain->factor(noon_s + 34 * 86'400) == doctest::Approx(0.1 / mean).epsilon(0.06));
    // Two of four Wednesdays are holidays without any load.
    Calendar calendar;
    for (const std::size_t day : {9U, 16U}) {
        const std::int64_t from_s = kMonday_s + static_cast<std::int64_t>(day) * 86'400;
        calendar.holidays.push_back({"", from_s, from_s + 86'400});
        std::fill_n(series.values.begin() + static_cast<std::ptrdiff_t>(day * kDay), kDay, 0.0);
    }
    const auto told = LongSeason::learn(series, &calendar);
    REQUIRE(told);
    CHECK(told->factor(noon_s + 2 * 86'400) == doctest::Approx(1 / mean).epsilon(0.03));
}

TEST_CASE("long season: a scaled load is forecast scaled, zeros stay zeros, what is no load is refused") {
    Series series = minutes_of(5, 28), larger = series, none = series;
    for (double& value : larger.values) value *= 1'000;
    std::ranges::fill(none.values, 0.0);
    const auto model = fitted(with_long_season(), series, 60), large = fitted(with_long_season(), larger, 60);
    for (std::size_t h = 0; h < 60; ++h)
        CHECK(large->forecast(60).point[h] ==
              doctest::Approx(1'000 * model->forecast(60).point[h]).epsilon(0.1));
    for (const double value : fitted(with_long_season(), none, 60)->forecast(60).point) CHECK(value == 0);
    series.values[100] = -1;
    LongSeasonForecaster refused(std::make_unique<AutomaticForecaster>());
    CHECK(refused.fit(series, {}).error().sqlstate == "22023");
}
