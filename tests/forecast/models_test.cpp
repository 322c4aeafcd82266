// AirPassengers: Box, Jenkins, Reinsel, "Time Series Analysis" (1976), series G, as in R's datasets package.
// USAccDeaths: Brockwell, Davis, "Time Series: Theory and Methods" (1991), likewise. The published numbers
// are those of R 4.2.2 with forecast 8.20: accuracy(snaive(train, h = 24), test), accuracy(hw(train, h = 24,
// seasonal = "multiplicative", damped = TRUE), test) with train to December 1958, and what the table below
// names.
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include "forecast/automatic.h"
#include "forecast/backtest.h"
#include "forecast/holt_winters.h"
#include "forecast/prepare.h"
#include "forecast/roster.h"
#include "forecast/score.h"
#include "forecast/seasonal_naive.h"

using namespace warmfront::forecast;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kTrain = 120, kTest = 24;

const std::vector<double> kAirPassengers{
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170, 158,
    133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218,
    230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201, 204, 188, 235,
    227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278,
    284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306, 315, 301, 356, 348, 355, 422, 465, 467, 404,
    347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337, 360, 342, 406, 396, 420, 472,
    548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432};

const std::vector<double> kAccidentalDeaths{
    9007,  8106, 8928, 9137,  10017, 10826, 11317, 10744, 9713, 9938,  9161, 8927, 7750,  6981, 8038,
    8422,  8714, 9512, 10120, 9823,  8743,  9129,  8710,  8680, 8162,  7306, 8124, 7870,  9387, 9556,
    10093, 9620, 8285, 8466,  8160,  8034,  7717,  7461,  7767, 7925,  8623, 8945, 10078, 9179, 8037,
    8488,  7874, 8647, 7792,  6957,  7726,  8106,  8890,  9299, 10625, 9302, 8314, 8850,  8265, 8796,
    7836,  6892, 7791, 8192,  9115,  9434,  10484, 9827,  9110, 9070,  8633, 9240};

Series monthly(std::vector<double> values) {
    return {0, 2'629'800, std::move(values), {12}};
}

Series air_train() {
    return first(monthly(kAirPassengers), kTrain);
}
std::vector<double> air_test() {
    return {kAirPassengers.begin() + kTrain, kAirPassengers.end()};
}

// Hours of four weeks: a day's wave, quieter weekends, a little noise that is always the same.
Series hours(double scale = 1, double shift = 0) {
    Series series{0, 3'600, {}, {24, 168}};
    unsigned noise = 1;
    for (std::size_t i = 0; i < 672; ++i) {
        noise = noise * 1'664'525u + 1'013'904'223u;
        const double wave = 1 + 0.8 * std::sin(2 * std::numbers::pi * static_cast<double>(i % 24) / 24);
        const double week = i % 168 < 120 ? 1 : 0.5;
        series.values.push_back(shift + scale * (200 * wave * week + static_cast<double>(noise >> 28)));
    }
    return series;
}

std::vector<double> forecast_of(Model& model, const Series& series, std::size_t horizon) {
    FitOptions options;
    options.horizon_max = horizon;
    REQUIRE(model.fit(series, options));
    return model.forecast(horizon);
}

Forecast automatic(const Series& series, std::size_t horizon) {
    AutomaticOptions options;
    options.fit.horizon_max = horizon;
    const auto chosen = Automatic::choose(series, options);
    REQUIRE(chosen);
    return chosen->forecast(horizon);
}

}  // namespace

TEST_CASE("seasonal naive: AirPassengers as published") {
    SeasonalNaive model;
    const auto forecast = forecast_of(model, air_train(), kTest);
    CHECK(mae(air_test(), forecast) == doctest::Approx(71.25));
    CHECK(rmse(air_test(), forecast) == doctest::Approx(76.99458855));
    const double scale = naive_scale(air_train().values, 12);
    CHECK(scale == doctest::Approx(28.57407407));
    CHECK(mae(air_test(), forecast) / scale == doctest::Approx(2.493519119));
}

// R minimises squared errors, this model absolute ones, robustly: near, not equal.
TEST_CASE("Holt-Winters: forecasts and their errors are near R's of the same form") {
    struct Row {
        std::string_view form;
        HoltWinters::Scale scale;
        const std::vector<double>& values;
        std::size_t train;
        double mae;
        std::vector<double> forecast;
    };
    for (const auto& [form, scale, values, train, published_mae, published] : std::vector<Row>{
             {"forecast(ets(train, model = 'AAA', damped = TRUE, lambda = 0), h = 24)",
              HoltWinters::Scale::Log,
              kAirPassengers,
              120,
              55.73048041,
              {349.3718038, 345.4939674, 397.3697540, 381.1597471, 379.6589545, 432.1045539,
               477.0577089, 473.4147463, 416.7504522, 363.3676499, 317.1031088, 355.1535980,
               361.6475874, 357.3864989, 410.7697344, 393.7517515, 391.9464362, 445.8052405,
               491.8764549, 487.8216983, 429.1755233, 373.9812854, 326.1774707, 365.1106786}},
             {"hw(train, h = 12, damped = TRUE)",
              HoltWinters::Scale::Plain,
              kAccidentalDeaths,
              60,
              222.1102034,
              {7763.892294, 7204.531421, 7966.789867, 8155.171264, 8993.963948, 9432.795446, 10273.575240,
               9699.754632, 8572.812083, 8902.932772, 8393.603758, 8575.497411}}}) {
        CAPTURE(form);
        HoltWinters model(HoltWinters::Seasons::Smoothed, scale);
        const auto forecast = forecast_of(model, first(monthly(values), train), published.size());
        const std::vector<double> actual(values.begin() + static_cast<std::ptrdiff_t>(train), values.end());
        CAPTURE(mae(actual, forecast));
        CHECK(mae(actual, forecast) < 1.15 * published_mae);
        double apart = 0;
        for (std::size_t h = 0; h < published.size(); ++h)
            apart = std::max(apart, std::abs(forecast[h] / published[h] - 1));
        CAPTURE(apart);
        CHECK(apart < 0.1);
    }
}

TEST_CASE(
    "models: the automatic choice for AirPassengers beats R's damped Holt-Winters, and its interval holds") {
    const Forecast forecast = automatic(air_train(), kTest);
    CHECK(mae(air_test(), forecast.point) < 64.897703036);
    CHECK(coverage(air_test(), forecast.lo95, forecast.hi95) >= 0.75);
}

TEST_CASE("models: a load times a thousand is forecast a thousand times as high") {
    for (const RosterEntry& entry : roster()) {
        CAPTURE(entry.name);
        const auto small = entry.make(), large = entry.make();
        const auto low = forecast_of(*small, hours(), 24), high = forecast_of(*large, hours(1'000), 24);
        for (std::size_t h = 0; h < 24; ++h) CHECK(high[h] == doctest::Approx(1'000 * low[h]).epsilon(0.02));
    }
}

TEST_CASE("models: a load begun some days later is forecast the same") {
    for (const RosterEntry& entry : roster()) {
        CAPTURE(entry.name);
        Series later = hours();
        later.start_s += 4 * 7 * 86'400;  // the same days of the week
        const auto one = entry.make(), other = entry.make();
        CHECK(forecast_of(*one, hours(), 24) == forecast_of(*other, later, 24));
    }
}

TEST_CASE("models: a shift of a load shifts its naive forecast, and the automatic one nearly") {
    SeasonalNaive one, other;
    const auto low = forecast_of(one, hours(), 24), high = forecast_of(other, hours(1, 500), 24);
    for (std::size_t h = 0; h < 24; ++h) CHECK(high[h] == doctest::Approx(low[h] + 500));
    const Forecast chosen_low = automatic(hours(), 24), chosen_high = automatic(hours(1, 500), 24);
    for (std::size_t h = 0; h < 24; ++h)
        CHECK(chosen_high.point[h] == doctest::Approx(chosen_low.point[h] + 500).epsilon(0.03));
}

TEST_CASE("models: what never changes is forecast to stay") {
    for (const double load : {0.0, 7.0})
        for (const RosterEntry& entry : roster()) {
            CAPTURE(entry.name);
            CAPTURE(load);
            const auto model = entry.make();
            const Series constant{0, 3'600, std::vector(672, load), {24, 168}};
            for (const double point : forecast_of(*model, constant, 24))
                CHECK(point == doctest::Approx(load).epsilon(1e-6));
        }
}

TEST_CASE("models: infinite and negative values are refused, and so is a season of one step") {
    for (const RosterEntry& entry : roster()) {
        CAPTURE(entry.name);
        for (const double wrong : {-1.0, std::numeric_limits<double>::infinity()}) {
            Series series = hours();
            series.values[5] = wrong;
            const auto fitted = entry.make()->fit(series, {});
            REQUIRE_FALSE(fitted);
            CHECK(fitted.error().sqlstate == "22023");
        }
        Series series = hours();
        series.seasons = {1};
        CHECK_FALSE(entry.make()->fit(series, {}));
    }
}

TEST_CASE(
    "models: gaps and one spike change a forecast little, and nothing forecast is negative or no number") {
    Series torn = hours();
    for (const std::size_t bucket : {10u, 11u, 300u, 301u, 302u, 303u, 671u}) torn.values[bucket] = kNan;
    torn.values[400] *= 60;
    const Forecast whole = automatic(hours(), 24), mended = automatic(torn, 24);
    for (std::size_t h = 0; h < 24; ++h) {
        CHECK(mended.point[h] == doctest::Approx(whole.point[h]).epsilon(0.25));
        CHECK(mended.lo99[h] >= 0);
        CHECK(mended.lo99[h] <= mended.lo95[h]);
        CHECK(mended.lo95[h] <= mended.point[h]);
        CHECK(mended.point[h] <= mended.hi95[h]);
        CHECK(mended.hi95[h] <= mended.hi99[h]);
    }
}

TEST_CASE("models: extended bucket by bucket, a model says what it would say of the whole") {
    for (const RosterEntry& entry : roster()) {
        CAPTURE(entry.name);
        const auto model = entry.make();
        FitOptions options;
        options.horizon_max = 24;
        REQUIRE(model->fit(first(hours(), 600), options));
        const auto values = hours().values;
        REQUIRE(model->extend({values.begin() + 600, values.begin() + 648}));
        const std::vector<double> actual(values.begin() + 648, values.end());
        CHECK(mae(actual, model->forecast(24)) < 60);  // a day's mean is 171
    }
}

TEST_CASE("automatic: as short as a load may be it is forecast, and nothing at all is refused") {
    for (const std::size_t known : {1u, 2u, 3u, 5u, 29u, 30u, 50u}) {
        CAPTURE(known);
        const Forecast forecast = automatic(first(hours(), known), 30);
        REQUIRE(forecast.point.size() == 30);
        for (const double point : forecast.point) CHECK(std::isfinite(point));
    }
    AutomaticOptions options;
    CHECK_FALSE(Automatic::choose({0, 60, {}, {}}, options));
    CHECK_FALSE(Automatic::choose({0, 60, {kNan, kNan}, {}}, options));
    options.model = "oracle";
    const auto unknown = Automatic::choose(hours(), options);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().text.find("seasonal-naive") != std::string::npos);
}

TEST_CASE("automatic: of a load with a day and a week the choice beats the naive forecast by far") {
    const auto values = hours().values;
    const std::vector<double> actual(values.begin() + 624, values.begin() + 648);  // the first quiet day
    const Forecast forecast = automatic(first(hours(), 624), 24);
    SeasonalNaive naive;
    CHECK(mae(actual, forecast.point) < 0.5 * mae(actual, forecast_of(naive, first(hours(), 624), 24)));
    CHECK_FALSE(forecast.scores.empty());
    CHECK(forecast.scores.front().model == forecast.model);
}

TEST_CASE("backtest: every origin knows what came before it and nothing else") {
    Series series{0, 60, {}, {}};
    for (int i = 0; i < 20; ++i) series.values.push_back(i);
    SeasonalNaive model;
    const auto rolled = roll(model, series, {{5, 2}, {9, 1}, {20, 3}}, {});
    REQUIRE(rolled);
    CHECK(rolled->forecasts == std::vector<std::vector<double>>{{4, 4}, {8}, {19, 19, 19}});
    CHECK(std::isnan(actual_of(series, {20, 3}, 0)));
    CHECK(actual_of(series, {5, 2}, 1) == 6);
}

TEST_CASE("conformal: the interval holds its share of errors like those it was made from") {
    Series series{0, 60, {}, {}};
    unsigned noise = 7;
    for (int i = 0; i < 2'000; ++i) {
        noise = noise * 1'664'525u + 1'013'904'223u;
        series.values.push_back(100 + static_cast<double>(noise >> 24));
    }
    Rolled rolled;
    for (std::size_t at = 100; at < 1'100; ++at) {
        rolled.origins.push_back({at, 1});
        rolled.forecasts.push_back({228});
    }
    const Conformal conformal(series, rolled, 1);
    const Interval usual = conformal.at(0, 228, 0.95), wide = conformal.at(0, 228, 0.99);
    double held = 0, held_wide = 0;
    for (std::size_t i = 1'100; i < 2'000; ++i) {
        held += series.values[i] >= usual.lo && series.values[i] <= usual.hi;
        held_wide += series.values[i] >= wide.lo && series.values[i] <= wide.hi;
    }
    CHECK(held / 900 == doctest::Approx(0.95).epsilon(0.03));
    CHECK(held_wide / 900 >= held / 900);
}
