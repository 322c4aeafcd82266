#include "forecast/spike.h"

#include <limits>

#include <doctest/doctest.h>

#include "tests/forecast/trees_support.h"

using namespace warmfront::forecast;
using namespace warmfront::forecast::trees_support;

TEST_CASE("spike: a peak of once a year comes again, and is not smeared over the days around") {
    Series series;
    series.start_s = kMonday_s;
    series.step_s = 86'400;
    series.seasons = {7};
    std::mt19937_64 random(2);
    // Every year in the same calendar week, announced by a busier week: an admission deadline.
    for (int day = 0; day < 3 * 364 + 100; ++day) {
        const int of_year = day % 364;
        const double peak = of_year == 100 ? 20 : of_year >= 93 && of_year < 100 ? 2 : 1;
        series.values.push_back(1'000 * peak * (1 + 0.1 * noise(random)));
    }
    Spike model;
    REQUIRE(model.fit(series, {nullptr, 7, 1}));
    const auto forecast = model.forecast(7);
    CHECK(forecast[0] > 10'000);
    for (std::size_t h = 1; h < 7; ++h) CHECK(forecast[h] < 3'000);
}

TEST_CASE("spike: a named holiday is forecast from last year's, whatever the weekday") {
    Series series = office(60, 100, 7);
    const auto day = [](int from, std::string name) {
        return Span{std::move(name), kMonday_s + from * std::int64_t{86'400},
                    kMonday_s + (from + 1) * std::int64_t{86'400}};
    };
    for (std::size_t hour = 0; hour < 24; ++hour) series.values[24 * 22 + hour] = hour == 12 ? 5'000 : 10;
    const Calendar named{{day(22, "sale"), day(60, "sale")}, {}},
        other{{day(22, "sale"), day(60, "fair")}, {}};
    Spike model, stranger;
    REQUIRE(model.fit(series, {&named, 48, 1}));
    REQUIRE(stranger.fit(series, {&other, 48, 1}));
    const auto forecast = model.forecast(48), unknown = stranger.forecast(48);
    CHECK(forecast[12] > 2'500);
    CHECK(forecast[3] < 30);
    CHECK(unknown[12] < 500);
    CHECK(forecast[24 + 12] < 500);  // the day after is a common one
}

TEST_CASE("spike: scale, zeros, constants, gaps and what is no load") {
    const Series small = office(28, 10, 3);
    Series large = small;
    for (double& value : large.values) value *= 1'000;
    Spike a, b;
    REQUIRE(a.fit(small, {nullptr, 24, 1}));
    REQUIRE(b.fit(large, {nullptr, 24, 1}));
    for (std::size_t h = 0; h < 24; ++h)
        CHECK(b.forecast(24)[h] == doctest::Approx(1'000 * a.forecast(24)[h]).epsilon(0.01));
    Series series = hourly(14);
    REQUIRE(a.fit(series, {nullptr, 24, 1}));
    for (const double value : a.forecast(24)) CHECK(value == 0);
    series.values.assign(series.size(), 7);
    series.values[200] = std::numeric_limits<double>::quiet_NaN();
    REQUIRE(a.fit(series, {nullptr, 24, 1}));
    for (const double value : a.forecast(24)) CHECK(value == doctest::Approx(7).epsilon(0.001));
    CHECK(a.extend({7, 7, 7}));
    series.values[3] = -1;
    CHECK(a.fit(series, {}).error().sqlstate == "22023");
    CHECK(a.fit(until(hourly(14), 70), {}).error().text.find("four seasons") != std::string::npos);
}
