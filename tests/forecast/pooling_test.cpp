#include "forecast/pooling.h"

#include <limits>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

TEST_CASE("pooling: a new series has its share of its parent") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> child{5, nan, 10}, parent{50, 1'000, 100};
    CHECK(pooled_share(child, parent, {0.3, 50}) == doctest::Approx((15 + 15) / (150 + 50.0)));
    CHECK(pooled_share({}, parent, {0.3, 50}) == doctest::Approx(0.3));
    CHECK(pooled_share({}, {}, {0, 0}) == 0);
    CHECK(pooled_share(std::vector{9.0}, std::vector{3.0}, {0, 0}) == 1);
    CHECK(pooled_forecast(std::vector{100.0, 200.0}, 0.25) == std::vector{25.0, 50.0});
}
