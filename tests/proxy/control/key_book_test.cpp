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
    for (std::int64_t day = 4; day >= 1; --day) {
        records[0].steps.push_back({kNow - day * kDay + 8 * 3600, 60, 100});
        records[1].steps.push_back({kNow - day * kDay + 20 * 3600, 60, 100});
        records[2].steps.push_back({kNow - day * kDay + 8 * 3600, 60, 100});
    }
    return records;
}

using Keys = std::function<std::vector<KeyRecord>(const forecast::SeriesName& name, std::int64_t from_s,
                                                  std::int64_t to_s)>;

KeyBook book_of(
    const Keys& keys, const std::function<std::uint64_t()>& requests = [] { return 0; },
    forecast::Calendar calendar = {}) {
    return KeyBook({.keys =
                        [keys](const auto& name, auto from_s, auto to_s, auto, const auto& visit) {
                            for (auto& record : keys(name, from_s, to_s)) visit(record);
                        },
                    .requests = [requests](const auto&, auto, auto) { return requests(); },
                    .calendar = std::move(calendar)});
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
    std::uint64_t all_requests = 1'200;
    const auto rate = [&](std::int64_t at_s, std::string_view replay) {
        KeyBook book = book_of(
            [&](const forecast::SeriesName& name, auto, auto) {
                CHECK(name == statement("a"));
                return records();
            },
            [&] { return all_requests; });
        for (const auto& hot :
             book.hot(forecasts(at_s, 600), {.now_s = at_s, .within_s = 60, .soon_s = 60})) {
            const auto known = book.known(hot.key);
            REQUIRE(known);
            CHECK(known->replay != "");
            if (known->replay == replay) return hot.requests;
        }
        return 0.0;
    };
    const double morning = rate(kNow + 8 * 3600, "morning");
    CHECK(morning > 200);  // a half of 600: key 3 has the other
    CHECK(morning < 301);
    CHECK(rate(kNow + 8 * 3600, "evening") < 40);
    CHECK(rate(kNow + 20 * 3600, "evening") > 400);
    CHECK(rate(kNow + 20 * 3600, "morning") < 40);
    all_requests = 12'000;  // nine of ten are not known one by one
    CHECK(rate(kNow + 8 * 3600, "morning") == doctest::Approx(morning / 10));
}

TEST_CASE(
    "key book: what repeats is the season of the series, and old steps may be longer than what is asked") {
    // A season of 120 s; key 1 in its first half, in steps of 30 s; key 2 in its second half.
    KeyBook book = book_of([](const auto&, std::int64_t from_s, std::int64_t to_s) {
        std::vector<KeyRecord> both{{1, "first", {}}, {2, "second", {}}};
        for (std::int64_t at_s = from_s - from_s % 120; at_s < to_s; at_s += 30)
            if (at_s >= from_s) both[at_s % 120 < 60 ? 0 : 1].steps.push_back({at_s, 30, 300});
        return both;
    });
    const std::int64_t now_s = kNow - kNow % 120;
    for (const std::int64_t at_s : {2, 13, 31, 47, 58, 62, 77, 93, 118}) {
        CAPTURE(at_s);
        auto all = forecasts(now_s, 100);
        all.series[statement("a")].recent.step_s = 1;
        all.series[statement("a")].recent.seasons = {120, 840};
        all.series[statement("a")].point.assign(240, 100);
        const auto hot = book.hot(all, {.now_s = now_s + at_s, .within_s = 1, .soon_s = 1});
        REQUIRE(!hot.empty());
        CHECK(book.known(hot[0].key)->replay == (at_s < 60 ? "first" : "second"));
        CHECK(hot[0].requests > 80);
        for (std::size_t i = 1; i < hot.size(); ++i) CHECK(hot[i].requests < 20);
    }
}

TEST_CASE("key book: what is forecast no more is forgotten, and a call reads no more than a few templates") {
    std::size_t reads = 0;
    KeyBook book = book_of([&](const auto& name, auto, auto) {
        ++reads;
        return std::vector<KeyRecord>{
            {1, "of " + name.name, {{kNow - kDay - 60, 60, 50}, {kNow - kDay, 60, 50}, {kNow - 60, 60, 50}}}};
    });
    auto all = forecasts(kNow, 10);
    for (int i = 0; i < 9; ++i) all.series[statement(std::to_string(i))] = all.series[statement("a")];
    std::vector<forecast::HotKey> hot;
    for (const std::size_t expected :
         {KeyBook::kReadsAtOnce, 2 * KeyBook::kReadsAtOnce, std::size_t{10}, std::size_t{10}}) {
        hot = book.hot(all, {.now_s = kNow, .within_s = 60, .soon_s = 60});
        CHECK(reads == expected);
        CHECK(hot.size() == expected);
    }
    (void)book.hot(forecast::Forecasts{}, {.now_s = kNow, .within_s = 60, .soon_s = 60});
    for (const auto& each : hot) CHECK_FALSE(book.known(each.key));
}

TEST_CASE("key book: all is read at first and eight times a cycle, in between what is new") {
    std::vector<std::pair<std::int64_t, std::int64_t>> asked;
    std::int64_t known_until_s = kNow;
    KeyBook book = book_of([&](const auto&, std::int64_t from_s, std::int64_t to_s) {
        asked.emplace_back(from_s, to_s);
        std::vector<KeyRecord> records{{1, "replay", {}}};
        for (std::int64_t at_s = from_s - from_s % 60; at_s + 60 <= known_until_s; at_s += 60)
            if (at_s >= from_s) records[0].steps.push_back({at_s, 60, 10});
        return records;
    });
    const auto look = [&](std::int64_t now_s) {
        asked.clear();
        known_until_s = now_s;
        return book.hot(forecasts(now_s, 10), {.now_s = now_s, .within_s = 60, .soon_s = 60}).size();
    };
    CHECK(look(kNow) == 1);
    REQUIRE(asked.size() == 1);
    CHECK(asked[0] == std::pair(kNow - (forecast::Analogs::kDays + 1) * kDay, kNow));
    CHECK(look(kNow + 30) == 1);
    CHECK(asked.empty());
    CHECK(look(kNow + 120) == 1);
    REQUIRE(asked.size() == 1);
    CHECK(asked[0] == std::pair(kNow, kNow + 120));
    CHECK(look(kNow + kDay / KeyBook::kReadsAnew) == 1);
    CHECK(asked[0].first == kNow + kDay / KeyBook::kReadsAnew - (forecast::Analogs::kDays + 1) * kDay);
}

TEST_CASE("key book: nothing is predicted before a whole cycle was seen") {
    for (const std::int64_t since_s : {kDay - 60, kDay}) {
        CAPTURE(since_s);
        KeyBook book = book_of([&](const auto&, auto, auto) {
            return std::vector<KeyRecord>{{1, "replay", {{kNow - since_s, 60, 10}, {kNow - 60, 60, 10}}}};
        });
        CHECK(book.hot(forecasts(kNow, 10), {.now_s = kNow, .within_s = 60, .soon_s = 60}).empty() ==
              (since_s < kDay));
    }
}

TEST_CASE("key book: holidays of long ago are read when one is near") {
    constexpr std::int64_t feast = kNow - 40 * kDay;
    std::vector<std::pair<std::int64_t, std::int64_t>> asked;
    KeyBook book = book_of(
        [&](const auto&, std::int64_t from_s, std::int64_t to_s) {
            asked.emplace_back(from_s, to_s);
            std::vector<KeyRecord> records{{1, "usual", {}}, {2, "feast", {}}};
            for (std::int64_t at_s = from_s - from_s % 3600; at_s < to_s; at_s += 3600)
                if (at_s >= from_s && at_s < kNow)
                    records[at_s >= feast && at_s < feast + kDay ? 1 : 0].steps.push_back(
                        {at_s, 3600, 1'000});
            return records;
        },
        [] { return 0; }, forecast::Calendar{{{"", feast, feast + kDay}, {"", kNow, kNow + kDay}}, {}});
    const auto hot = book.hot(forecasts(kNow, 600), {.now_s = kNow, .within_s = 60, .soon_s = 60});
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].first <= feast);
    CHECK(asked[0].second >= feast + 3600);
    REQUIRE(!hot.empty());
    CHECK(book.known(hot[0].key)->replay == "feast");
    CHECK(hot[0].chance > 0.75);
}
