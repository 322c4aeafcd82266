#include "forecast/series_csv.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "forecast/prepare.h"
#include "forecast/seasons.h"

using namespace warmfront::forecast;

TEST_CASE("series csv: times as people write them") {
    struct Row {
        std::string_view text;
        std::optional<std::int64_t> time_s;
    };
    for (const auto& [text, time_s] : std::vector<Row>{{"1970-01-02", 86'400},
                                                       {"2026-03-01T14:00:00Z", 1'772'373'600},
                                                       {"2026-03-01 14:00", 1'772'373'600},
                                                       {"2026-03-01T16:00:00+02:00", 1'772'373'600},
                                                       {"2026-03-01T14:00:00.5Z", 1'772'373'600},
                                                       {"1772373600", 1'772'373'600},
                                                       {"1772373600000", 1'772'373'600},
                                                       {"2026-02-30", std::nullopt},
                                                       {"2026-03-01T14", std::nullopt},
                                                       {"yesterday", std::nullopt},
                                                       {"", std::nullopt}}) {
        CAPTURE(text);
        CHECK(parse_time(text) == time_s);
    }
    CHECK(format_time(1'772'373'600) == "2026-03-01T14:00:00Z");
    CHECK(parse_step("5m") == 300);
    CHECK(parse_step("90") == 90);
    CHECK_FALSE(parse_step("0h"));
    CHECK_FALSE(parse_step("1 fortnight"));
}

TEST_CASE("series csv: what can be repaired is, and is said") {
    const auto csv = read_series_csv("ts,value\n0,1\n120,3\n60,2\n60,5\n240,\n300,6\r\n", "f", std::nullopt);
    REQUIRE(csv);
    CHECK(csv->series.step_s == 60);
    CHECK(csv->series.start_s == 0);
    REQUIRE(csv->series.size() == 6);
    CHECK(csv->series.values[1] == 5);
    CHECK(std::isnan(csv->series.values[3]));
    CHECK(std::isnan(csv->series.values[4]));
    REQUIRE(csv->repairs.size() == 3);
    CHECK(csv->repairs[0] == "f: line 4: earlier than the line before it: sorted by time");
    CHECK(csv->repairs[1] == "f: line 5: its time was given before: of 1 such lines the later count");
    CHECK(csv->repairs[2] == "f: 2 of 6 buckets have no value: taken as not known");
    const auto summed = read_series_csv("0,1\n30,2\n60,4\n", "f", 60);
    REQUIRE(summed);
    CHECK(summed->series.values == std::vector<double>{3, 4});
}

TEST_CASE("series csv: errors name the line and the remedy") {
    struct Row {
        std::string_view text, error;
    };
    for (const auto& [text, error] : std::vector<Row>{
             {"", "f: it holds no values: expected lines \"ts,value\""},
             {"ts,value\n", "f: it holds no values: expected lines \"ts,value\""},
             {"0,1\n60,x\n", "f: line 2: \"x\" is no number: leave it empty if not known"},
             {"0,1\n60,-2\n",
              "f: line 2: -2 is negative: a load counts something; leave it empty if not known"},
             {"0,1\n60,inf\n", "f: line 2: the value is not finite: leave it empty if not known"},
             {"0,1\nnoon,2\n",
              "f: line 2: \"noon\" is no time: expected ISO-8601 (2026-03-01T14:00:00Z) or Unix seconds"},
             {"0,1,2\n", "f: line 1: expected two columns, \"ts,value\""},
             {"0\n", "f: line 1: expected \"ts,value\""},
             {"0,1\n", "f: a single time: give --step"},
             {"0,1\n60,1\n120,1\n150,1\n",
              "f: line 4: 1970-01-01T00:02:30Z is no whole number of steps of 60 s after the first line: "
              "give "
              "--step, or correct the time"},
             {"0,1\n60,1\n120,1\n9000000000,1\n",
              "f: line 4: 150000000 steps of 60 s after the first: at most 5000000: give a longer --step, or "
              "correct the time"}}) {
        CAPTURE(text);
        const auto csv = read_series_csv(text, "f", std::nullopt);
        REQUIRE_FALSE(csv);
        CHECK(csv.error().text == error);
    }
}

TEST_CASE("seasons: a day and a week are found, and a season that no calendar knows") {
    Series hours{0, 3'600, {}, {}}, odd{0, 7, {}, {}}, flat{0, 60, std::vector(200, 3.0), {}};
    for (int i = 0; i < 500; ++i) {
        hours.values.push_back((i % 24 < 8 ? 10 : 100) * (i % 168 < 120 ? 2 : 1));
        odd.values.push_back(i % 17 < 6 ? 50 : 5);
    }
    CHECK(guess_seasons(hours) == std::vector<std::size_t>{24, 168});
    CHECK(guess_seasons(odd) == std::vector<std::size_t>{17});
    CHECK(guess_seasons(flat).empty());
}

TEST_CASE("seasons: a few spikes do not hide a day, and one busy bucket a day is no spike") {
    Series hours{0, 3'600, {}, {}}, nightly{0, 3'600, {}, {}};
    for (int i = 0; i < 500; ++i) {
        hours.values.push_back(i % 24 < 8 ? 80 : i % 24 < 16 ? 100 : 120);
        nightly.values.push_back(i % 24 == 3 ? 1'000 : 10);
    }
    REQUIRE(guess_seasons(hours).front() == 24);
    for (const std::size_t at : {20u, 61u, 95u, 150u, 217u, 260u, 333u, 345u, 410u, 477u})
        hours.values[at] *= 10'000;
    const auto found = guess_seasons(hours);
    REQUIRE_FALSE(found.empty());
    CHECK(found.front() == 24);
    REQUIRE_FALSE(guess_seasons(nightly).empty());
    CHECK(guess_seasons(nightly).front() == 24);
}

TEST_CASE("prepare: gaps are filled along a line if short, by the season if long") {
    constexpr double kGap = std::numeric_limits<double>::quiet_NaN();
    CHECK(fill_gaps(std::vector<double>{1, kGap, 3, kGap}, 0) == std::vector<double>{1, 2, 3, 3});
    CHECK(fill_gaps(std::vector<double>{1, 9, 2, kGap, kGap, 2}, 2) == std::vector<double>{1, 9, 2, 9, 2, 2});
    CHECK(fill_gaps(std::vector<double>{kGap, kGap}, 0) == std::vector<double>{0, 0});
}

TEST_CASE("prepare: the Hampel filter takes out what is far off, and no more") {
    std::vector<double> values{10, 11, 9, 500, 10, 12, 11};
    CHECK(remove_outliers(values, 3, 5) == 1);
    CHECK(values == std::vector<double>{10, 11, 9, 11, 10, 12, 11});
}

TEST_CASE("prepare: the log scale goes there and back, and knows no unit") {
    const std::vector<double> load{0, 1, 50, 900}, more{0, 1'000, 50'000, 900'000};
    const LogScale scale(load), other(more);
    for (std::size_t i = 0; i < load.size(); ++i) {
        CHECK(scale.back(scale.forward(load[i])) == doctest::Approx(load[i]));
        CHECK(other.forward(more[i]) == doctest::Approx(scale.forward(load[i])));
    }
    CHECK(scale.back(1e9) <= 900 * 1e4 * 1.001);
    CHECK(scale.back(-3) == 0);
}
