#include "forecast/global_trees.h"

#include <limits>

#include <doctest/doctest.h>

#include "tests/forecast/trees_support.h"

using namespace warmfront::forecast;
using namespace warmfront::forecast::trees_support;

TEST_CASE("global trees: learn over many series, and forecast one that was not among them") {
    std::vector<Series> all, known;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        all.push_back(office(43, std::pow(3.0, static_cast<double>(seed % 9)), seed));
        known.push_back(until(all.back(), 24 * 42));
    }
    GlobalTrees trees({24, 20'000, nullptr, 1, {}});
    REQUIRE(trees.fit(std::span(known).first(39)));
    const auto forecasts = trees.forecast(known, 24);
    REQUIRE(forecasts);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::vector<double> naive(known[i].values.end() - 24, known[i].values.end());
        CAPTURE(i);
        CHECK(mean_error(all[i], 24 * 42, (*forecasts)[i]) < 0.3 * mean_error(all[i], 24 * 42, naive));
    }
}

TEST_CASE("global trees: what one series' holiday teaches holds for another's") {
    // On unnamed holidays every load falls to a fifth. The last series has had none yet.
    const std::int64_t day_s = 86'400;
    Calendar calendar;
    for (const int day : {9, 16, 23, 30, 37, 42})
        calendar.holidays.push_back({"", kMonday_s + day * day_s, kMonday_s + (day + 1) * day_s});
    std::vector<Series> all;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        all.push_back(office(43, 100, seed));
        for (std::size_t i = 0; i < all.back().size(); ++i)
            for (const Span& span : calendar.holidays)
                if (span.contains(all.back().time_of(i))) all.back().values[i] *= 0.2;
    }
    std::vector<Series> known;
    for (const Series& series : all) known.push_back(until(series, 24 * 42));
    Series fresh = office(43, 100, 99);
    fresh.start_s += 38 * day_s;  // began after the last holiday
    fresh.values.resize(24 * 4);
    GlobalTrees trees({24, 20'000, &calendar, 1, {}});
    REQUIRE(trees.fit(known));
    known.push_back(fresh);
    const auto forecasts = trees.forecast(known, 24);
    REQUIRE(forecasts);
    const auto sum = [](const std::vector<double>& values) {
        double total = 0;
        for (const double value : values) total += value;
        return total;
    };
    // A Monday: 24 hours of 100 * 1.2 on a common one.
    CHECK(sum((*forecasts)[0]) < 0.35 * 24 * 120);
    CHECK(sum((*forecasts)[0]) > 0.1 * 24 * 120);
    CHECK(sum(forecasts->back()) < 0.7 * 24 * 120);
}

TEST_CASE("global trees: short and unknown series are left out, a stop is obeyed") {
    std::vector<Series> series{office(28, 10, 1), until(hourly(1), 1), hourly(2)};
    series[2].values.assign(48, std::numeric_limits<double>::quiet_NaN());
    GlobalTrees trees({12, 1'000, nullptr, 1, {}});
    REQUIRE(trees.fit(series));
    const auto forecasts = trees.forecast(series, 12);
    REQUIRE(forecasts);
    CHECK((*forecasts)[0].size() == 12);
    CHECK((*forecasts)[1].empty());
    CHECK((*forecasts)[2].empty());
    CHECK(GlobalTrees({12, 1'000, nullptr, 1, {}}).fit({}).error().sqlstate == "22023");
    GlobalTrees stopped({12, 1'000, nullptr, 1, [] { return true; }});
    CHECK(stopped.fit(series).error().sqlstate == "57014");
}
