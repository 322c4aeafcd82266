#include "forecast/hot_keys.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

SeriesForecast from(std::int64_t from_s, std::int64_t step_s, std::vector<double> point) {
    SeriesForecast forecast;
    forecast.recent.step_s = step_s;
    forecast.from_s = from_s;
    forecast.point = std::move(point);
    return forecast;
}

}  // namespace

TEST_CASE(
    "hot keys: requests forecast for a time are those of its buckets, parts of buckets by their length") {
    struct Row {
        std::string_view name;
        double from_s, to_s, requests;
    };
    const auto forecast = from(980, 10, {60, 120, 240, 300});
    for (const auto& row : std::vector<Row>{{"within one bucket", 980, 985, 30},
                                            {"a bucket to its end, and no further", 980, 990, 60},
                                            {"over three", 985, 1005, 30 + 120 + 120},
                                            {"parts of a second", 989.5, 990.25, 3 + 3},
                                            {"beyond the forecast: its last bucket goes on", 1015, 1040, 750},
                                            {"before the forecast: its first bucket", 975, 985, 60},
                                            {"all before", 900, 910, 60},
                                            {"nothing", 980, 980, 0}}) {
        CAPTURE(row.name);
        CHECK(requests_between(forecast, row.from_s, row.to_s) == doctest::Approx(row.requests));
    }
    CHECK(requests_between(from(980, 10, {}), 980, 990) == 0);
}

TEST_CASE("hot keys: what is no number counts as no request") {
    CHECK(requests_between(from(0, 10, {NAN, -5, INFINITY, 20}), 0, 40) == doctest::Approx(20));
}

TEST_CASE("hot keys: rates are of what is soon, and at most that or the mean of all") {
    const SeriesName name{SeriesName::Kind::Template, "app", "a", Measure::Requests};
    const auto hot = hot_key(name, {7, 60, 2, 0.9, 0.5}, {.within_s = 20, .soon_s = 4});
    CHECK(hot.key == 7);
    CHECK(hot.name == name);
    CHECK(hot.rate_now == doctest::Approx(0.5));
    CHECK(hot.rate_most == doctest::Approx(3));
    CHECK(hot_key(name, {7, 60, 40, 0.9, 0.5}, {.within_s = 20, .soon_s = 4}).rate_most ==
          doctest::Approx(10));
}

TEST_CASE("hot keys: the hottest are kept") {
    std::vector<HotKey> keys(5);
    for (std::uint64_t i = 0; i < 5; ++i)
        keys[i].key = i, keys[i].requests = i == 4 ? 1 : static_cast<double>(i);
    keep_hottest(keys, 3);
    REQUIRE(keys.size() == 3);
    CHECK(keys[0].key == 3);
    CHECK(keys[1].key == 2);
    CHECK(keys[2].key == 1);  // before 4, which has as many
}
