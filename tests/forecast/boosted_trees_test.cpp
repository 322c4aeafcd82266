#include "forecast/boosted_trees.h"

#include <limits>

#include <doctest/doctest.h>

#include "tests/forecast/trees_support.h"

using namespace warmfront::forecast;
using namespace warmfront::forecast::trees_support;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> forecast_of(const Series& series, std::size_t horizon, const Calendar* calendar = nullptr,
                                Booster::Kind kind = Booster::Kind::Boosted) {
    BoostedTrees model(kind);
    const auto fitted = model.fit(series, {calendar, horizon, 1});
    REQUIRE_MESSAGE(fitted, (fitted ? std::string() : fitted.error().text));
    return model.forecast(horizon);
}

}  // namespace

TEST_CASE("booster: boosting stops early on noise, and does not on what can be learnt") {
    std::mt19937_64 random(5);
    Rows train{2, {}, {}, {}}, later = train, noise_train = train, noise_later = train;
    for (int i = 0; i < 3'000; ++i) {
        const auto a = static_cast<float>(noise(random)), b = static_cast<float>(noise(random));
        float* row = (i < 2'400 ? train : later).add(a * b + a);
        row[0] = a;
        row[1] = b;
        float* noisy = (i < 2'400 ? noise_train : noise_later).add(static_cast<float>(noise(random)));
        noisy[0] = a;
        noisy[1] = b;
    }
    Booster::Options options;
    options.rounds_max = 150;
    options.column_share = 1;
    const auto learnt = Booster::train(train, later, options);
    const auto stopped = Booster::train(noise_train, noise_later, options);
    REQUIRE(learnt);
    REQUIRE(stopped);
    CHECK(learnt->rounds() > 50);
    CHECK(stopped->rounds_made() <= stopped->rounds() + options.patience);
    CHECK(stopped->rounds_made() < 40);
    const auto predicted = learnt->predict(later);
    REQUIRE(predicted);
    double error = 0;
    for (std::size_t i = 0; i < later.size(); ++i)
        error += static_cast<double>(std::abs((*predicted)[i] - later.targets[i])) / 600;
    CHECK(error < 0.05);  // the targets' own mean deviation is above 0.5
}

TEST_CASE("booster: a stop is obeyed, and nothing throws") {
    Rows rows{1, {}, {}, {}};
    for (int i = 0; i < 100; ++i) *rows.add(static_cast<float>(i)) = static_cast<float>(i);
    int asked = 0;
    const auto stopped = Booster::train(rows, {}, {}, [&asked] { return ++asked > 3; });
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().sqlstate == "57014");
    CHECK(asked == 4);
    CHECK(Booster::train(Rows{1, {}, {}, {}}, {}, {}).error().sqlstate == "22023");
}

TEST_CASE("boosted trees: every kind forecasts a day of a working week better than the day before") {
    const Series series = office(43, 1'000, 3);
    for (const auto kind : {Booster::Kind::Boosted, Booster::Kind::Forest, Booster::Kind::Tree}) {
        // The 43rd day is a Monday after a weekend: the day before is no help.
        const auto forecast = forecast_of(until(series, 24 * 42), 24, nullptr, kind);
        std::vector<double> naive(series.values.end() - 48, series.values.end() - 24);
        CAPTURE(static_cast<int>(kind));
        CHECK(mean_error(series, 24 * 42, forecast) < 0.25 * mean_error(series, 24 * 42, naive));
    }
}

TEST_CASE("boosted trees: a load of another unit is forecast alike, a same seed gives the same") {
    const Series small = until(office(28, 50, 9), 24 * 28);
    Series large = small;
    for (double& value : large.values) value *= 1'000;
    const auto a = forecast_of(small, 24), b = forecast_of(large, 24), again = forecast_of(small, 24);
    for (std::size_t h = 0; h < 24; ++h) {
        CHECK(b[h] == doctest::Approx(1'000 * a[h]).epsilon(0.01));
        CHECK(a[h] == again[h]);
    }
}

TEST_CASE("boosted trees: zeros stay zeros, a constant stays one, gaps and negative loads are told apart") {
    Series series = hourly(14);
    CHECK(forecast_of(series, 5) == std::vector<double>(5, 0.0));
    for (double& value : series.values) value = 42;
    for (const double value : forecast_of(series, 30)) CHECK(value == doctest::Approx(42).epsilon(0.001));
    for (std::size_t i = 100; i < 130; ++i) series.values[i] = kNan;
    for (const double value : forecast_of(series, 30)) CHECK(value == doctest::Approx(42).epsilon(0.001));
    for (const double bad : {-1.0, std::numeric_limits<double>::infinity()}) {
        series.values[50] = bad;
        CHECK(BoostedTrees().fit(series, {}).error().sqlstate == "22023");
    }
    CHECK(BoostedTrees().fit(until(hourly(14), 20), {}).error().sqlstate == "22023");
    Series nothing_known = hourly(14);
    nothing_known.values.assign(nothing_known.size(), kNan);
    CHECK(BoostedTrees().fit(nothing_known, {}).error().sqlstate == "22023");
}

TEST_CASE("boosted trees: going on with new buckets moves the forecast with them") {
    const Series series = office(35, 1'000, 4);
    BoostedTrees model;
    REQUIRE(model.fit(until(series, 24 * 30), {nullptr, 24, 1}));
    REQUIRE(model.extend({series.values.begin() + 24 * 30, series.values.begin() + 24 * 33}));
    CHECK(mean_error(series, 24 * 33, model.forecast(24)) < 0.15 * 1'000);
}

TEST_CASE("boosted trees: a named holiday in last year's data moves this year's forecast") {
    // A year and a month of days; on singles' day the load is tenfold, from one year to the next.
    Series series;
    series.start_s = kMonday_s;
    series.step_s = 86'400;
    series.seasons = {7};
    std::mt19937_64 random(2);
    for (int day = 0; day < 400; ++day)
        series.values.push_back(1'000 * (day % 7 >= 5 ? 0.5 : 1.0) * (1 + 0.05 * noise(random)));
    const int last_year = 38, this_year = 38 + 365;
    series.values[last_year] *= 10;
    const auto day = [](int from) {
        return Span{"singles' day", kMonday_s + from * std::int64_t{86'400},
                    kMonday_s + (from + 1) * std::int64_t{86'400}};
    };
    const Calendar both{{day(last_year), day(this_year)}, {}}, last_only{{day(last_year)}, {}};
    const auto with = forecast_of(series, 7, &both), without = forecast_of(series, 7, &last_only);
    CHECK(with[3] > 3 * without[3]);
    for (const std::size_t h : {0U, 1U, 2U, 4U, 5U, 6U})
        CHECK(with[h] == doctest::Approx(without[h]).epsilon(0.1));
    CHECK(without[3] == doctest::Approx(1'000).epsilon(0.15));
}

TEST_CASE("importance: the feature that drives a constructed load is found") {
    struct Row {
        std::string_view driver;
        Series series;
    };
    Series by_hour = hourly(42), by_day = hourly(42), by_now = hourly(42);
    std::mt19937_64 random(8);
    double now = 0;
    for (std::size_t i = 0; i < by_hour.size(); ++i) {
        by_hour.values[i] = (i % 24 == 9 || i % 24 == 10 ? 500 : 100) * (1 + 0.05 * noise(random));
        by_day.values[i] = (i / 24 % 7 == 2 ? 500 : 100) * (1 + 0.05 * noise(random));
        now = 0.98 * now + 0.2 * noise(random);
        by_now.values[i] = 200 * std::exp(now);
    }
    for (const auto& [driver, series] :
         {Row{"season", by_hour}, Row{"season", by_day}, Row{"recent load", by_now}}) {
        BoostedTrees model;
        REQUIRE(model.fit(series, {nullptr, driver == "recent load" ? 1U : 24U, 1}));
        const auto importance = model.importance();
        REQUIRE(importance);
        CAPTURE(driver);
        CHECK(importance->front().group == driver);
        CHECK(importance->front().share > 0.5);
    }
}

TEST_CASE("importance: by hand, a column that counts and one that does not") {
    Rows rows{2, {}, {}, {}};
    for (int i = 0; i < 400; ++i) {
        float* row = rows.add(static_cast<float>(i % 2));
        row[0] = static_cast<float>(i % 2);
        row[1] = static_cast<float>(i);
    }
    const std::vector<ColumnGroup> groups{{"idle", {1}}, {"driver", {0}}};
    const auto first_column = [](const Rows& given) -> warmfront::Result<std::vector<float>> {
        std::vector<float> predicted;
        for (std::size_t i = 0; i < given.size(); ++i) predicted.push_back(given.inputs[2 * i]);
        return predicted;
    };
    const auto importance = permutation_importance(rows, groups, first_column, 1, 10);
    REQUIRE(importance);
    CHECK(importance->front().group == "driver");
    // A shuffled coin is wrong half of the time.
    CHECK(importance->front().added_error == doctest::Approx(0.5).epsilon(0.05));
    CHECK(importance->front().share == 1);
    CHECK(importance->back().added_error == 0);
    CHECK_FALSE(permutation_importance(Rows{2, {}, {}, {}}, groups, first_column, 1));
}
