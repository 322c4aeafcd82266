#include "proxy/control/key_book.h"

#include <doctest/doctest.h>

using namespace warmfront;
using namespace warmfront::control;

namespace {

constexpr std::int64_t kDay = 86'400, kNow = 100 * kDay;

forecast::SeriesName statement(const std::string& digest) {
    return {forecast::SeriesName::Kind::Template, "app", digest, forecast::Measure::Requests};
}

// Key 1 is asked for in the morning (8 h), key 2 in the evening (20 h), 100 times on each of four days; key 3
// cannot be asked for again.
std::vector<KeyRecord> records() {
    std::vector<KeyRecord> records{{1, "morning", {}}, {2, "evening", {}}, {3, "", {}}};
    for (std::int64_t day = 1; day <= 4; ++day) {
        records[0].steps.push_back({kNow - day * kDay + 8 * 3600, 60, 100});
        records[1].steps.push_back({kNow - day * kDay + 20 * 3600, 60, 100});
        records[2].steps.push_back({kNow - day * kDay + 8 * 3600, 60, 100});
    }
    return records;
}

forecast::Forecasts forecasts(std::int64_t from_s, double requests) {
    forecast::Forecasts all;
    forecast::SeriesForecast& of = all.series[statement("a")];
    of.recent.step_s = 60;
    of.from_s = from_s;
    of.point.assign(60, requests);
    return all;
}

}  // namespace

TEST_CASE("key book: who is asked for when, of all that is asked for") {
    std::size_t reads = 0;
    std::uint64_t all_requests = 1'200;
    KeyBook book(
        {.keys =
             [&](const forecast::SeriesName& name, std::int64_t from_s, std::int64_t to_s, std::size_t) {
                 ++reads;
                 CHECK(name == statement("a"));
                 CHECK(to_s - from_s == KeyBook::kCycles * kDay);
                 return records();
             },
         .requests = [&](const auto&, auto, auto) { return all_requests; }});
    const auto rate = [&](std::int64_t at_s, std::string_view replay) {
        for (const auto& hot : book.hot(forecasts(at_s, 600), {.now_s = at_s, .within_s = 60})) {
            const auto known = book.known(hot.key);
            REQUIRE(known);
            CHECK(known->replay != "");
            if (known->replay == replay) return hot.requests;
        }
        return 0.0;
    };
    const double morning = rate(kNow + 8 * 3600, "morning");
    CHECK(morning > 200);  // a half of 600: key 3 has the other
    CHECK(morning < 300);
    CHECK(rate(kNow + 8 * 3600, "evening") < 40);
    CHECK(rate(kNow + 20 * 3600, "evening") > 400);
    CHECK(rate(kNow + 20 * 3600, "morning") < 40);
    CHECK(reads == 2);      // twice at each time: once a minute is enough
    all_requests = 12'000;  // nine of ten are not known one by one
    const double among_others = rate(kNow + kDay + 8 * 3600, "morning");
    CHECK(among_others > 0);
    CHECK(among_others < 0.2 * morning);
}

TEST_CASE("key book: what repeats is the season of the series, and old steps may be longer than its slots") {
    // A season of 120 s; key 1 in its first half, in steps of 30 s; key 2 in its second half.
    KeyBook book({.keys =
                      [](const auto&, std::int64_t from_s, std::int64_t to_s, auto) {
                          CHECK(to_s - from_s == KeyBook::kCycles * 120);
                          std::vector<KeyRecord> both{{1, "first", {}}, {2, "second", {}}};
                          for (std::int64_t at_s = from_s - from_s % 120; at_s + 120 <= to_s; at_s += 120) {
                              both[0].steps.push_back({at_s, 30, 300});
                              both[0].steps.push_back({at_s + 30, 30, 300});
                              both[1].steps.push_back({at_s + 60, 30, 300});
                              both[1].steps.push_back({at_s + 90, 30, 300});
                          }
                          return both;
                      },
                  .requests = [](const auto&, auto, auto) { return std::uint64_t{0}; }});
    const std::int64_t now_s = kNow - kNow % 120;
    auto all = forecasts(now_s, 100);
    all.series[statement("a")].recent.step_s = 1;
    all.series[statement("a")].recent.seasons = {120, 840};
    all.series[statement("a")].point.assign(240, 100);
    for (const std::int64_t at_s : {2, 13, 31, 47, 59, 62, 77, 93, 118}) {
        CAPTURE(at_s);
        const auto hot = book.hot(all, {.now_s = now_s + at_s, .within_s = 1});
        REQUIRE(hot.size() == 2);
        CHECK(book.known(hot[0].key)->replay == (at_s < 60 ? "first" : "second"));
        CHECK(hot[0].requests > 80);
        CHECK(hot[1].requests < 20);
    }
}

TEST_CASE("key book: what is forecast no more is forgotten, and a call reads no more than a few templates") {
    std::size_t reads = 0;
    KeyBook book({.keys =
                      [&](const auto& name, auto, auto, auto) {
                          ++reads;
                          return std::vector<KeyRecord>{
                              {1, "of " + name.name, {{kNow - kDay, 60, 10}, {kNow - 60, 60, 10}}}};
                      },
                  .requests = [](const auto&, auto, auto) { return std::uint64_t{10}; }});
    auto all = forecasts(kNow, 10);
    for (int i = 0; i < 9; ++i) all.series[statement(std::to_string(i))] = all.series[statement("a")];
    std::size_t keys = 0;
    for (const std::size_t expected : {KeyBook::kReadsAtOnce, 2 * KeyBook::kReadsAtOnce, std::size_t{10}}) {
        const auto hot = book.hot(all, {.now_s = kNow, .within_s = 60});
        CHECK(reads == expected);
        CHECK(hot.size() == expected);
        keys = hot.size();
    }
    CHECK(keys == 10);
    const auto hot = book.hot(all, {.now_s = kNow, .within_s = 60});
    CHECK(reads == 10);
    (void)book.hot(forecast::Forecasts{}, {.now_s = kNow, .within_s = 60});
    for (const auto& each : hot) CHECK_FALSE(book.known(each.key));
}

TEST_CASE("key book: nothing is predicted before a whole cycle was seen") {
    for (const std::int64_t since_s : {kDay - 60, kDay}) {
        CAPTURE(since_s);
        KeyBook book({.keys =
                          [&](const auto&, auto, auto, auto) {
                              return std::vector<KeyRecord>{
                                  {1, "replay", {{kNow - since_s, 60, 10}, {kNow - 60, 60, 10}}}};
                          },
                      .requests = [](const auto&, auto, auto) { return std::uint64_t{20}; }});
        CHECK(book.hot(forecasts(kNow, 10), {.now_s = kNow, .within_s = 60}).empty() == (since_s < kDay));
    }
}

TEST_CASE("key book: on a day unlike those before nothing is predicted, until it is like them again") {
    constexpr std::int64_t hour = 3600;
    std::int64_t now_s = 10 * kDay;
    bool strange = false;
    std::vector<KeyRecord> records(2);
    for (std::size_t i = 0; i < records.size(); ++i) records[i] = {i + 1, "replay " + std::to_string(i), {}};
    for (std::int64_t at_s = 5 * kDay; at_s < now_s; at_s += 60) records[0].steps.push_back({at_s, 60, 100});
    KeyBook book({.keys = [&](const auto&, auto, auto, auto) { return records; },
                  .requests = [](const auto&, auto, auto) { return std::uint64_t{1}; }});
    const auto live = [&](std::int64_t until_s) {  // and whether anything is predicted at its end
        bool predicted = false;
        for (; now_s < until_s; now_s += 60) {
            predicted = !book.hot(forecasts(now_s, 10), {.now_s = now_s, .within_s = 60}).empty();
            records[strange ? 1 : 0].steps.push_back({now_s, 60, 100});
        }
        return predicted;
    };
    CHECK(live(10 * kDay + 2 * hour));
    strange = true;
    CHECK_FALSE(live(10 * kDay + 5 * hour));
    strange = false;
    CHECK(live(10 * kDay + 9 * hour));
}
