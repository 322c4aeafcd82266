#include "proxy/control/trainer.h"

#include <atomic>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "forecast/recent_level.h"
#include "tests/proxy/control/counted_loads.h"

using namespace warmfront;
using namespace warmfront::control;
using forecast::Measure;
using forecast::SeriesName;
using std::chrono::milliseconds;

namespace {

const SeriesName kShop{SeriesName::Kind::Database, "shop", "", Measure::Requests};
constexpr std::int64_t kStart = 1'000'000;

// A trainer over a counter that the test turns, at a time that the test tells.
struct Desk {
    std::int64_t now_ms = kStart * 1000;
    double counted = 0, cpu_s = 0;
    std::vector<std::string> lines;
    Logger log{LogLevel::Info, [this](std::string_view line) {
                   lines.emplace_back(line.substr(line.find(' ') + 1));  // without the time
               }};
    SimulatedClock clock;
    forecast::Board board;
    Trainer trainer{{[] {
                         Settings settings;
                         settings.forecast.bucket = std::chrono::seconds(1);
                         settings.forecast.horizon = std::chrono::seconds(20);
                         settings.forecast.seasons = {};
                         return training_options(settings, 2);
                     }(),
                     [this] {
                         return forecast::ProcessTotals{cpu_s, counted};
                     },
                     [this] { return now_ms; }},
                    std::make_unique<CountedLoads>(
                        [this] {
                            return CountedLoads::Totals{{kShop, counted}};
                        },
                        1),
                    [] { return std::make_unique<forecast::RecentLevel>(); },
                    board,
                    clock,
                    log};

    void second(double load) {
        now_ms += 1000;
        counted += load;
        cpu_s += load * 1e-3;
        trainer.tick();
    }
};

}  // namespace

TEST_CASE("trainer: what was counted comes out as a forecast on the board, and as capacity") {
    Desk desk;
    CHECK(desk.board.current()->made_s == 0);
    for (int i = 0; i < 12; ++i) desk.second(500);
    const auto forecasts = desk.board.current();
    REQUIRE(forecasts->series.contains(kShop));
    const auto& shop = forecasts->series.at(kShop);
    CHECK(shop.point.size() == 20);
    CHECK(shop.point[0] == doctest::Approx(500));
    CHECK(shop.from_s == kStart + 12);
    CHECK(desk.trainer.outlook()->forecasts == forecasts);
    CHECK(desk.trainer.outlook()->capacity.carries_per_s ==
          doctest::Approx(1200).epsilon(0.1));  // 2 cores, 60 %
    CHECK(desk.trainer.outlook()->capacity.needed_now < 1);
    CHECK(desk.trainer.outlook()->capacity.recommended == 3);  // what the wide interval of the begin needed
    CHECK(desk.lines.empty());
}

TEST_CASE("trainer: an alarm is one line at its begin and one at its end, with the numbers") {
    Desk desk;
    for (int i = 0; i < 80; ++i) desk.second(100 + i % 5);
    for (int i = 0; i < 6; ++i) desk.second(1000);
    REQUIRE(desk.lines.size() == 1);
    const std::string began = desk.lines[0];  // a copy: more lines come
    CAPTURE(began);
    CHECK(began.starts_with(
        "warning the load is outside what was to be expected series=database:requests:shop: "
        "side=above actual=1000 expected=10"));
    CHECK(began.find(" high=1") != std::string::npos);
    CHECK(began.ends_with(" seconds=3"));
    for (int i = 0; i < 6; ++i) desk.second(102);
    REQUIRE(desk.lines.size() == 2);
    CHECK(desk.lines[1].starts_with("info the load is back within"));
    CHECK(desk.lines[1].find("side=above actual=102") != std::string::npos);
}

TEST_CASE("trainer: ticks come a little after the end of each bucket") {
    struct Row {
        std::int64_t now_ms, step_s, wait_ms;
    };
    for (const auto& [now_ms, step_s, wait_ms] : std::vector<Row>{{60'000, 60, 2'000},
                                                                  {61'999, 60, 1},
                                                                  {62'000, 60, 60'000},
                                                                  {90'000, 60, 32'000},
                                                                  {60'000, 1, 250},
                                                                  {60'249, 1, 1},
                                                                  {60'500, 1, 750}}) {
        CAPTURE(now_ms);
        CHECK(until_next_tick(now_ms, step_s) == milliseconds(wait_ms));
    }
}

TEST_CASE("trainer: settings become options in seconds and buckets") {
    Settings settings;
    settings.forecast.bucket = std::chrono::seconds(2);
    settings.forecast.horizon = std::chrono::minutes(1);
    settings.forecast.seasons = {std::chrono::minutes(2), std::chrono::minutes(14)};
    settings.capacity.utilisation = 0;
    const auto options = training_options(settings, 4);
    CHECK(options.step_s == 2);
    CHECK(options.horizon == 30);
    settings.forecast.horizon = std::chrono::hours(24);
    CHECK(training_options(settings, 4).horizon == 1440);
    CHECK(options.seasons_s == std::vector<std::int64_t>{120, 840});
    CHECK(options.fit_budget == milliseconds(1000));
    CHECK(options.capacity.cores == 4);
    CHECK(options.capacity.utilisation > 0);
}

TEST_CASE("trainer: its thread runs and ends at once when it is told to") {
    Settings settings;  // a bucket is a minute: the end does not wait for it
    forecast::Board board;
    SteadyClock clock;
    Logger log(LogLevel::Error, [](std::string_view) {});
    Trainer trainer(
        {training_options(settings, 1), [] { return forecast::ProcessTotals{}; }, unix_ms},
        std::make_unique<CountedLoads>([] { return CountedLoads::Totals{}; }, 60),
        [] { return std::make_unique<forecast::RecentLevel>(); }, board, clock, log);
    trainer.start();
    trainer.stop();
    CHECK(trainer.outlook() != nullptr);
}
