#include "forecast/recent_level.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

static Series series_of(std::vector<double> values) {
    return {0, 60, std::move(values), {}};
}

TEST_CASE("recent level: one known value is enough, none is an error") {
    RecentLevel level;
    CHECK(level.fit(series_of({}), {}).error().sqlstate == "22023");
    CHECK(level.fit(series_of({kUnknown}), {}).error().sqlstate == "22023");
    REQUIRE(level.fit(series_of({kUnknown, 7}), {}));
    const Prediction told = level.forecast(3);
    CHECK(told.point == std::vector<double>(3, 7));
    CHECK(told.lo99 == std::vector<double>(3, 0));  // one value tells nothing of the next
    CHECK(told.hi95[0] > 3 * told.point[0]);
}

TEST_CASE("recent level: bounds are in order, not negative, and scale with the load") {
    std::vector<double> values, tenfold;
    for (int i = 0; i < 200; ++i) {
        values.push_back(5 + (i * 7919) % 13);
        tenfold.push_back(values.back() * 10);
    }
    RecentLevel one, ten;
    REQUIRE(one.fit(series_of(values), {}));
    REQUIRE(ten.fit(series_of(tenfold), {}));
    const Prediction a = one.forecast(2), b = ten.forecast(2);
    CHECK(0 <= a.lo99[1]);
    CHECK(a.lo99[1] <= a.lo95[1]);
    CHECK(a.lo95[1] < a.point[1]);
    CHECK(a.point[1] < a.hi95[1]);
    CHECK(a.hi95[1] <= a.hi99[1]);
    CHECK(b.point[1] == doctest::Approx(10 * a.point[1]));
    CHECK(b.hi95[1] == doctest::Approx(10 * a.hi95[1]));
}

TEST_CASE("recent level: it follows a load that changed") {
    RecentLevel level;
    REQUIRE(level.fit(series_of(std::vector<double>(50, 10)), {}));
    CHECK(level.forecast(1).point[0] == doctest::Approx(10));
    CHECK(level.extend(std::vector<double>(60, 100)));
    CHECK(level.forecast(1).point[0] == doctest::Approx(100).epsilon(0.01));
    CHECK(level.extend({kUnknown, kUnknown}));
    CHECK(level.forecast(1).point[0] == doctest::Approx(100).epsilon(0.01));
}
