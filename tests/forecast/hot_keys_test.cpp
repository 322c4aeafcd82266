#include "forecast/hot_keys.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

SeriesName statement(std::string digest, Measure measure = Measure::Requests) {
    return {SeriesName::Kind::Template, "app", std::move(digest), measure};
}

SeriesForecast from(std::int64_t from_s, std::int64_t step_s, std::vector<double> point) {
    SeriesForecast forecast;
    forecast.recent.step_s = step_s;
    forecast.from_s = from_s;
    forecast.point = std::move(point);
    return forecast;
}

// Key 1 has most of the requests before the 1000th second, key 2 afterwards.
class ByTime final : public ShareSource {
public:
    [[nodiscard]] std::vector<Share> of(const SeriesName& name, std::int64_t time_s) const override {
        if (name.name != "a") return {{7, 1.0}};
        return time_s < 1000 ? std::vector<Share>{{1, 0.5}, {2, 0.1}} : std::vector<Share>{{2, 0.5}};
    }
};

}  // namespace

TEST_CASE(
    "hot keys: a template's forecast is shared out bucket by bucket, parts of buckets by their length") {
    struct Row {
        std::string_view name;
        std::int64_t now_s;
        double within_s;
        double key1, key2;   // requests
        double now1, most2;  // a second
    };
    Forecasts forecasts;
    forecasts.series[statement("a")] = from(980, 10, {60, 120, 240, 240});
    for (const auto& row :
         std::vector<Row>{{"within one bucket", 980, 5, 15, 3, 3, 0.6},
                          {"a bucket to its end, and no further", 980, 10, 30, 6, 3, 0.6},
                          {"over the change of shares", 985, 20, 15 + 60, 3 + 12 + 60, 3, 12},
                          {"beyond the forecast: its last bucket goes on", 1015, 25, 0, 25 * 12, 0, 12},
                          {"before the forecast: its first bucket", 975, 5, 15, 3, 3, 0.6}}) {
        CAPTURE(row.name);
        double key1 = 0, key2 = 0, now1 = 0, most2 = 0;
        for (const HotKey& hot :
             hot_keys(forecasts, ByTime{}, {.now_s = row.now_s, .within_s = row.within_s})) {
            if (hot.key == 1) key1 = hot.requests, now1 = hot.rate_now;
            if (hot.key == 2) key2 = hot.requests, most2 = hot.rate_most;
        }
        CHECK(key1 == doctest::Approx(row.key1));
        CHECK(key2 == doctest::Approx(row.key2));
        CHECK(now1 == doctest::Approx(row.now1));
        CHECK(most2 == doctest::Approx(row.most2));
    }
}

TEST_CASE("hot keys: the hottest come first, of requests of templates only, and no more than asked for") {
    Forecasts forecasts;
    forecasts.series[statement("a")] = from(0, 10, {10});
    forecasts.series[statement("b")] = from(0, 10, {100});
    forecasts.series[statement("c", Measure::Writes)] = from(0, 10, {1e9});
    forecasts.series[{SeriesName::Kind::Table, "app", "t", Measure::Requests}] = from(0, 10, {1e9});
    forecasts.series[statement("d")] = from(0, 10, {});
    const auto hot = hot_keys(forecasts, ByTime{}, {.now_s = 0, .within_s = 10});
    REQUIRE(hot.size() == 3);
    CHECK(hot[0].key == 7);
    CHECK(hot[0].requests == doctest::Approx(100));
    CHECK(hot[1].key == 1);
    CHECK(hot[2].key == 2);
    CHECK(hot_keys(forecasts, ByTime{}, {.now_s = 0, .within_s = 10, .keys_max = 2}).size() == 2);
    CHECK(hot_keys(forecasts, ByTime{}, {.now_s = 0, .within_s = 1e-6}).empty());
}

TEST_CASE("hot keys: what is no number counts as no request") {
    Forecasts forecasts;
    forecasts.series[statement("b")] = from(0, 10, {NAN, -5, INFINITY, 20});
    const auto hot = hot_keys(forecasts, ByTime{}, {.now_s = 0, .within_s = 40});
    REQUIRE(hot.size() == 1);
    CHECK(hot[0].requests == doctest::Approx(20));
}
