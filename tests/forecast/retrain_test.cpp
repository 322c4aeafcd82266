#include "forecast/retrain.h"

#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "tests/forecast/trees_support.h"

using namespace warmfront;
using namespace warmfront::forecast;
using namespace warmfront::forecast::trees_support;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kDay = 144;  // buckets of ten minutes

class Held : public SeriesSource {
public:
    explicit Held(std::vector<Series> series) : series_(std::move(series)) {}
    std::size_t size() const override { return series_.size(); }
    Result<void> read(std::size_t i, Series& into) override {
        into = series_[i];
        return {};
    }
    std::vector<Series> series_;
};

// Busy from eight to six, twice as much in the first ten minutes of an hour, quiet weekends.
double office_rate(std::size_t bucket, double size) {
    const std::size_t hour = bucket % kDay / 6, day = bucket / kDay % 7;
    const double busy = hour >= 8 && hour < 18 ? (day < 5 ? 20 : 3) : 1;
    return size * busy * (bucket % 6 == 0 ? 2 : 1);
}

Series ten_minutes(std::size_t days, double size, std::uint64_t seed, double noisy) {
    Series series;
    series.start_s = kMonday_s;
    series.step_s = 600;
    series.seasons = {kDay, 7 * kDay};
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < days * kDay; ++i)
        series.values.push_back(office_rate(i, size) * (1 + noisy * noise(random)));
    return series;
}

std::vector<Series> offices(std::size_t count, std::size_t days) {
    std::vector<Series> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back(ten_minutes(days, std::pow(10.0, static_cast<double>(i % 4)), i + 1, 0.2));
    return all;
}

double relative_error(const std::vector<double>& forecast, std::size_t from, double size) {
    double error = 0, load = 0;
    for (std::size_t h = 0; h < forecast.size(); ++h) {
        error += std::abs(forecast[h] - office_rate(from + h, size));
        load += office_rate(from + h, size);
    }
    return error / load;
}

}  // namespace

TEST_CASE("rollup: coarse means, the open bucket and the shape of the season, by hand") {
    Series series;
    series.step_s = 10;
    series.start_s = 20;  // within the first coarse bucket of 30 s
    series.seasons = {72};
    const Grain grain = grain_of(series);
    REQUIRE(grain.per == 3);
    REQUIRE(grain.season == 24);
    series.values = {9, 1, 2, 6, kNan, 4, 8, kNan, kNan, kNan, 5};
    const Rollup rollup = roll_up(series, grain, 100);
    CHECK(rollup.first == 0);
    REQUIRE(rollup.coarse.size() == 4);
    CHECK(std::isnan(rollup.coarse[0]));  // one of three is known
    CHECK(rollup.coarse[1] == doctest::Approx(3));
    CHECK(rollup.coarse[2] == doctest::Approx(6));
    CHECK(std::isnan(rollup.coarse[3]));
    CHECK(rollup.open_seen == 1);
    CHECK(rollup.open_sum == 5);
    CHECK(rollup.place_sum[3] == 1);
    CHECK(rollup.place_known[6] == 0);
    // 1, 2 and 6 around their mean of 3, with a belief of three requests in 1, 1 and 1.
    const auto shape = fine_shape(std::span(rollup.place_sum).subspan(3, 3),
                                  std::span(rollup.place_known).subspan(3, 3), 3, {}, 3);
    CHECK(shape[0] == doctest::Approx(4.0 / 6));
    CHECK(shape[1] == doctest::Approx(5.0 / 6));
    CHECK(shape[2] == doctest::Approx(9.0 / 6));
}

TEST_CASE("rollup: only the latest coarse buckets are kept, aligned to the clock") {
    Series series = ten_minutes(10, 1, 1, 0);
    const Rollup rollup = roll_up(series, grain_of(series), 48);
    CHECK(rollup.coarse.size() == 49);
    CHECK((rollup.first + 49) * 3'600 == series.time_of(series.size()));
    const float last = std::accumulate(series.values.end() - 6, series.values.end(), 0.0F) / 6;
    CHECK(rollup.coarse.back() == doctest::Approx(last));
}

TEST_CASE("rollup: what is taken in bucket by bucket is what the whole would have given") {
    const Series whole = ten_minutes(20, 3, 5, 0.3);
    Series first = whole;
    first.values.resize(15 * kDay + 50);
    const Grain grain = grain_of(whole);
    Rollup grown = roll_up(first, grain, 1'000);
    const Rollup made = roll_up(whole, grain, 1'000);
    for (std::size_t i = first.size(); i < whole.size(); ++i) {
        grown.take(grain, whole.time_of(i), static_cast<float>(whole.values[i]));
        if (grown.open_seen == grain.per) grown.close(grain, 1'000);
    }
    CHECK(grown.first == made.first);
    CHECK(grown.coarse == made.coarse);
    CHECK(grown.place_sum == made.place_sum);
    CHECK(grown.place_known == made.place_known);
    REQUIRE(grown.lately.size() >= kLately);
    CHECK(std::vector<float>(grown.lately.end() - kLately, grown.lately.end()) == made.lately);
}

TEST_CASE("rollup: the shape forgets after four weeks, and lately keeps to its bound") {
    const Grain grain = grain_of(ten_minutes(1, 1, 1, 0));
    Rollup rollup = roll_up(ten_minutes(40, 1, 1, 0), grain, 1'000);
    CHECK(rollup.place_known[0] == doctest::Approx(kShapeSeasons));
    const std::int64_t start_s = kMonday_s + 40 * 86'400;
    for (std::size_t i = 0; i < 60 * kDay; ++i) {
        rollup.take(grain, start_s + static_cast<std::int64_t>(i) * 600, 7);
        if (rollup.open_seen == grain.per) rollup.close(grain, 1'000);
        REQUIRE(rollup.lately.size() <= kLately + kLatelySlack);
        REQUIRE(rollup.coarse.size() <= 1'000 + 168);
    }
    const float noon = rollup.place_sum[kDay / 2] / rollup.place_known[kDay / 2];
    CHECK(noon == doctest::Approx(7 + (20 - 7) * std::pow(27.0 / 28, 60)).epsilon(0.3));
}

TEST_CASE("rollup: long seasons of short buckets are rolled up, with neighbours in one place") {
    struct Row {
        std::vector<std::size_t> seasons;
        std::size_t per, season, long_season, place;
    };
    for (const auto& [seasons, per, season, long_season, place] :
         std::vector<Row>{{{1'440, 10'080}, 60, 24, 168, 1},
                          {{86'400, 604'800}, 3'600, 24, 168, 60},
                          {{8'640}, 360, 24, 0, 6},
                          {{120, 840}, 5, 24, 168, 1},
                          {{7'919}, 60, 0, 0, 1},  // a prime
                          {{}, 60, 0, 0, 1}}) {
        CAPTURE(per);
        Series series;
        series.step_s = 1;
        series.seasons = seasons;
        const Grain grain = grain_of(series);
        CHECK(grain.per == per);
        CHECK(grain.season == season);
        CHECK(grain.long_season == long_season);
        CHECK(grain.place == place);
        CHECK(grain.places() <= kPlacesMax);
    }
}

TEST_CASE("retraining: every series is forecast with its season, its size and the shape within the hour") {
    Held source(offices(60, 28));
    const auto model = MassModel::train(source, {});
    REQUIRE(model);
    CHECK(model->report().clusters == 1);
    // Both days are of a weekend: a forecast without noise errs by the root of a half of what the naive one
    // does.
    CHECK(model->report().combined < 0.8);
    CHECK(model->report().combined < 1.05 * std::min(model->report().own, model->report().shared));
    for (std::size_t i = 0; i < 60; ++i) {
        CAPTURE(i);
        const auto forecast = model->forecast(i, kDay);  // a Monday after a Sunday
        REQUIRE(forecast.size() == kDay);
        CHECK(relative_error(forecast, 28 * kDay, std::pow(10.0, static_cast<double>(i % 4))) < 0.15);
    }
    CHECK(model->forecast(0, 10 * kDay).size() == model->horizon_max());
}

TEST_CASE("retraining: a step takes what came in, and a new hour makes new forecasts") {
    std::vector<Series> series = offices(30, 28);
    Held source(series);
    auto model = MassModel::train(source, {});
    REQUIRE(model);
    // Half a day in which the first series has three times its load, and the second is unknown.
    for (std::size_t t = 28 * kDay; t < 28 * kDay + kDay / 2; ++t) {
        std::vector<double> values;
        for (std::size_t i = 0; i < series.size(); ++i)
            values.push_back(office_rate(t, std::pow(10.0, static_cast<double>(i % 4))) * (i == 0 ? 3 : 1));
        values[1] = kNan;
        REQUIRE(model->step(values));
    }
    const std::size_t now = 28 * kDay + kDay / 2;
    CHECK(relative_error(model->forecast(0, 6), now, 3) < 0.5);
    CHECK(relative_error(model->forecast(1, 6), now, 10) < 0.3);
    CHECK(relative_error(model->forecast(2, 6), now, 100) < 0.1);
    CHECK(model->step(std::vector<double>(29)).error().sqlstate == "22023");
}

TEST_CASE("retraining: what does not fit together, is no load or is too much is refused; a stop is obeyed") {
    std::vector<Series> series = offices(3, 14);
    Held early(series), negative(series), other(series);
    early.series_[1].values.pop_back();
    CHECK(MassModel::train(early, {}).error().sqlstate == "22023");
    negative.series_[2].values[5] = -1;
    CHECK(MassModel::train(negative, {}).error().text.find("series 2 holds -1") != std::string::npos);
    other.series_[2].seasons = {kDay};
    CHECK(MassModel::train(other, {}).error().sqlstate == "22023");
    MassModel::Options stopped;
    int asked = 0;
    stopped.stop = [&asked] { return ++asked > 5; };
    Held source(series);
    CHECK(MassModel::train(source, stopped).error().sqlstate == "57014");
    Held many(std::vector<Series>(MassModel::kSeriesMax + 1));
    CHECK(MassModel::train(many, {}).error().sqlstate == "54000");
}

TEST_CASE("retraining: young, silent and unknown series are forecast as far as they go") {
    std::vector<Series> series = offices(20, 28);
    Series young = ten_minutes(28, 50, 77, 0);
    young.start_s += 27 * 86'400 + 20 * 3'600;  // four hours ago
    young.values.erase(young.values.begin(), young.values.begin() + 27 * kDay + 120);
    series.push_back(young);
    series.push_back(ten_minutes(28, 0, 1, 0));
    series.push_back(series[0]);
    series.back().values.assign(series.back().size(), kNan);
    Held source(series);
    const auto model = MassModel::train(source, {});
    REQUIRE(model);
    const auto first = model->forecast(20, 6);
    for (const double value : first) {
        CHECK(value > 10);
        CHECK(value < 250);
    }
    for (const std::size_t silent : {21U, 22U})
        for (const double value : model->forecast(silent, kDay)) CHECK(value == 0);
    Held few({ten_minutes(1, 5, 1, 0)});  // too short for any tree
    const auto small = MassModel::train(few, {});
    REQUIRE(small);
    CHECK(small->report().trees == 0);
    CHECK(small->forecast(0, 6).size() == 6);
}

TEST_CASE("retraining: learning from what it holds is like learning from the whole history") {
    const std::vector<Series> whole = offices(30, 30);
    std::vector<Series> first = whole;
    for (Series& series : first) series.values.resize(28 * kDay);
    Held source(first), all(whole);
    auto grown = MassModel::train(source, {});
    const auto made = MassModel::train(all, {});
    REQUIRE(grown);
    REQUIRE(made);
    for (std::size_t t = 28 * kDay; t < 30 * kDay; ++t) {
        std::vector<double> values;
        for (const Series& series : whole) values.push_back(series.values[t]);
        REQUIRE(grown->step(values));
    }
    REQUIRE(grown->learn());
    CHECK(grown->end_s() == made->end_s());
    for (std::size_t i = 0; i < 30; ++i) {
        CAPTURE(i);
        const double size = std::pow(10.0, static_cast<double>(i % 4));
        CHECK(relative_error(grown->forecast(i, kDay), 30 * kDay, size) < 0.15);
        // Before the first step in a new present, what was lately off is not known to the one that was made.
        CHECK(grown->forecast(i, kDay).back() ==
              doctest::Approx(made->forecast(i, kDay).back()).epsilon(0.02));
    }
}

TEST_CASE("retraining: series that join are forecast at once, and those that leave take nobody along") {
    std::vector<Series> series = offices(30, 28);
    Held source(series);
    auto model = MassModel::train(source, {});
    REQUIRE(model);
    REQUIRE(model->add(ten_minutes(28, 500, 99, 0.2)));
    REQUIRE(model->settle());
    CHECK(model->size() == 31);
    CHECK(model->cluster(30) == model->cluster(0));
    CHECK_FALSE(model->alarms(30));
    CHECK(model->alarms(3));
    CHECK(relative_error(model->forecast(30, kDay), 28 * kDay, 500) < 0.2);
    std::vector<bool> kept(31, true);
    kept[0] = kept[7] = false;
    model->keep(kept);
    REQUIRE(model->size() == 29);
    CHECK(relative_error(model->forecast(0, kDay), 28 * kDay, 10) < 0.15);  // the former second
    CHECK(relative_error(model->forecast(28, kDay), 28 * kDay, 500) < 0.2);
    Series late = ten_minutes(28, 5, 1, 0);
    late.start_s += 600;
    CHECK(model->add(late).error().sqlstate == "22023");
    CHECK(model->step(std::vector<double>(29, 5.0)));
    CHECK(model->recent(0, 3).values.back() == 5);
}
