#include "forecast/score.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}

TEST_CASE("score: each measure by hand, buckets without a value left out") {
    const std::vector<double> actual{10, kNan, 20, 0}, forecast{12, 7, 16, 0};
    CHECK(mse(actual, forecast) == doctest::Approx((4 + 16 + 0) / 3.0));
    CHECK(rmse(actual, forecast) == doctest::Approx(std::sqrt(20 / 3.0)));
    CHECK(mae(actual, forecast) == doctest::Approx(2));
    CHECK(smape(actual, forecast) == doctest::Approx(200 * (2 / 22.0 + 4 / 36.0) / 3));
    CHECK(pinball(actual, forecast, 0.9) == doctest::Approx((0.1 * 2 + 0.9 * 4) / 3));
    const std::vector<double> lo{9, 0, 17, 0}, hi{10, 9, 19, 0};
    CHECK(coverage(actual, lo, hi) == doctest::Approx(2 / 3.0));
}

TEST_CASE("score: the scale of MASE is the error of the seasonal naive forecast") {
    const std::vector<double> history{1, 2, 4, kNan, 5, 8};
    CHECK(naive_scale(history, 1) == doctest::Approx((1 + 2 + 3) / 3.0));
    CHECK(naive_scale(history, 2) == doctest::Approx((3 + 1) / 2.0));
    CHECK(std::isnan(naive_scale(history, 6)));
    CHECK(naive_scale(std::vector<double>{3, 3, 3}, 1) == 0);
}

TEST_CASE("score: nothing to compare is not a number") {
    const std::vector<double> nothing{kNan}, any{1};
    CHECK(std::isnan(mse(nothing, any)));
    CHECK(std::isnan(smape({}, {})));
}
