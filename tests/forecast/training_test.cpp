#include "forecast/training.h"

#include <cmath>
#include <limits>
#include <optional>

#include <doctest/doctest.h>

using namespace warmfront;
using namespace warmfront::forecast;

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kStart = 1'000'000;  // a multiple of the steps used here

SeriesName database(std::string name) {
    return {SeriesName::Kind::Database, std::move(name), "", Measure::Requests};
}
SeriesName table(std::string name) {
    return {SeriesName::Kind::Table, "shop", std::move(name), Measure::Reads};
}

// Loads that are known from `begins_s` on, as a function of time.
struct FakeSource final : LoadSource {
    std::vector<SeriesName> named;
    std::function<double(const SeriesName&, std::int64_t)> load_at = [](const SeriesName&, std::int64_t) {
        return 10.0;
    };
    std::int64_t begins_s = kStart;
    bool broken = false;
    std::size_t loads = 0;

    Result<std::vector<SeriesName>> names(std::size_t) override {
        if (broken) return fail("58030", "the disk is gone");
        return named;
    }
    Result<Series> load(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                        std::int64_t step_s) override {
        ++loads;
        if (broken) return fail("58030", "the disk is gone");
        Series series{std::max(from_s, begins_s), step_s, {}, {}};
        for (std::int64_t time_s = series.start_s; time_s < to_s; time_s += step_s)
            series.values.push_back(load_at(name, time_s));
        return series;
    }
};

struct Calls {
    std::size_t fits = 0, extended = 0;
    std::vector<std::size_t> lengths;  // of the series of each fit
    std::vector<std::size_t> seasons;  // of the last one
    std::vector<const Calendar*> calendars;
};

// Repeats the last value; takes as long as it is told.
class LastValue final : public Forecaster {
public:
    LastValue(Calls& calls, bool extends, std::size_t needs, SimulatedClock* clock)
        : calls_(calls), extends_(extends), needs_(needs), clock_(clock) {}
    Result<void> fit(const Series& series, const FitOptions& options) override {
        ++calls_.fits;
        calls_.calendars.push_back(options.calendar);
        calls_.lengths.push_back(series.size());
        calls_.seasons = series.seasons;
        if (clock_) clock_->advance(std::chrono::seconds(1));
        if (series.size() < needs_) return fail("22023", "too short");
        last_ = series.values.back();
        return {};
    }
    bool extend(const std::vector<double>& values) override {
        if (!extends_) return false;
        ++calls_.extended;
        last_ = values.back();
        return true;
    }
    Prediction forecast(std::size_t horizon) const override {
        return {std::vector(horizon, last_), std::vector(horizon, last_ - 1), std::vector(horizon, last_ + 1),
                std::vector(horizon, last_ - 2), std::vector(horizon, last_ + 2)};
    }
    std::string model() const override { return "last value"; }
    double mase() const override { return 0.5; }

private:
    Calls& calls_;
    const bool extends_;
    const std::size_t needs_;
    SimulatedClock* clock_;
    double last_ = 0;
};

struct Desk {
    FakeSource source;
    Calls calls;
    SimulatedClock clock;
    bool extends = true, slow = false;
    std::size_t needs = 1;
    TrainingOptions options = [] {
        TrainingOptions made;
        made.step_s = 10;
        made.horizon = 6;
        made.retrain_s = 1000;
        made.seasons_s = {120, 840, 15};
        made.fit_budget = std::chrono::milliseconds(2500);
        made.capacity = {1, 0.5, 1, 10, std::chrono::seconds(100)};
        return made;
    }();
    std::optional<Training> training;
    std::int64_t now_s = kStart;
    std::vector<AlarmChange> changes;
    ProcessTotals totals;

    // The state after `buckets` more buckets.
    std::shared_ptr<const Outlook> after(std::size_t buckets) {
        if (!training)
            training.emplace(
                options, source,
                [this] {
                    return std::make_unique<LastValue>(calls, extends, needs, slow ? &clock : nullptr);
                },
                clock);
        std::shared_ptr<const Outlook> outlook;
        for (std::size_t i = 0; i < buckets; ++i) {
            now_s += options.step_s;
            auto result = training->on_tick(now_s + 3, totals);  // ticks come a little after the bucket's end
            training->study();
            outlook = std::move(result.outlook);
            changes.insert(changes.end(), result.alarms.begin(), result.alarms.end());
        }
        return outlook;
    }
};

}  // namespace

TEST_CASE("training: each series is fitted to the calendar that is its own") {
    Desk desk;
    const Calendar of_orders;
    Calendar of_others;
    desk.source.named = {table("orders"), table("users")};
    desk.options.calendar_of = [&](const SeriesName& name) -> const Calendar& {
        return name.name == "orders" ? of_orders : of_others;
    };
    (void)desk.after(1);
    CHECK(desk.calls.calendars == std::vector<const Calendar*>{&of_orders, &of_others});
}

TEST_CASE("training: a series is forecast from its first bucket on, and says what of it was forecast") {
    Desk desk;
    desk.source.named = {database("shop")};
    desk.source.load_at = [](const SeriesName&, std::int64_t time_s) {
        return static_cast<double>((time_s - kStart) / 10);
    };
    auto outlook = desk.after(1);
    REQUIRE(outlook->forecasts->series.size() == 1);
    const SeriesForecast& first = outlook->forecasts->series.at(database("shop"));
    CHECK(first.from_s == kStart + 10);
    CHECK(first.recent.values == std::vector<double>{0});
    CHECK(first.point == std::vector<double>(6, 0));
    CHECK(first.model == "last value");
    CHECK(outlook->series.at(database("shop")).outcomes.empty());

    outlook = desk.after(4);
    const SeriesForecast& fifth = outlook->forecasts->series.at(database("shop"));
    CHECK(outlook->forecasts->made_s == kStart + 53);
    CHECK(fifth.from_s == kStart + 50);
    CHECK(fifth.recent.start_s == kStart);
    CHECK(fifth.recent.values == std::vector<double>{0, 1, 2, 3, 4});
    CHECK(fifth.point == std::vector<double>(6, 4));
    CHECK(fifth.hi99 == std::vector<double>(6, 6));
    CHECK(fifth.mase == 0.5);
    const auto& outcomes = outlook->series.at(database("shop")).outcomes;
    REQUIRE(outcomes.size() == 4);
    CHECK(outcomes.back().time_s == kStart + 40);
    CHECK(outcomes.back().actual == 4);
    CHECK(outcomes.back().point == 3);
    CHECK(outcomes.back().hi95 == 4);
}

TEST_CASE("training: what is younger than a season is forecast by its share of its database") {
    Desk desk;
    desk.source.named = {database("shop"), table("orders")};
    const std::int64_t born_s = kStart + 400;  // the season has 12 buckets
    desk.source.load_at = [&](const SeriesName& name, std::int64_t time_s) {
        if (name.kind == SeriesName::Kind::Database) return 1000.0;
        return time_s < born_s ? 0.0 : 250.0;
    };
    const auto orders = [&](std::size_t buckets) {
        return desk.after(buckets)->forecasts->series.at(table("orders"));
    };
    CHECK(orders(40).point.front() == 0);
    const auto young = orders(3);
    CHECK(young.model == Training::kPooled);
    CHECK(young.point.front() == doctest::Approx(250).epsilon(0.02));
    CHECK(young.lo95.front() == doctest::Approx(0.25 * 999).epsilon(0.02));
    CHECK(young.hi99.front() == doctest::Approx(0.25 * 1002).epsilon(0.02));
    CHECK(orders(10).model == "last value");
}

TEST_CASE("training: models are fitted when the history doubles and when it is time, else they go on") {
    Desk desk;
    desk.source.named = {database("shop")};
    const auto outlook = desk.after(64);
    CHECK(desk.calls.lengths == std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 64});
    CHECK(outlook->effort.fits == 7);
    CHECK(outlook->effort.extended == 63);
    desk.after(101);  // at 128 it doubles; 100 buckets are the time of a new fit
    CHECK(desk.calls.lengths.size() == 8);
    desk.after(63);
    CHECK(desk.calls.lengths.back() == 228);
    CHECK(desk.calls.seasons == std::vector<std::size_t>{12, 84});  // a season of one bucket is none
}

TEST_CASE("training: a model that cannot extend is fitted anew with each bucket") {
    Desk desk;
    desk.extends = false;
    desk.source.named = {database("shop")};
    desk.after(5);
    CHECK(desk.calls.lengths == std::vector<std::size_t>{1, 2, 3, 4, 5});
}

TEST_CASE("training: what does not fit into the budget waits, with a forecast all the same") {
    Desk desk;
    desk.slow = true;  // 1 s a fit; three fit into 2.5 s
    desk.source.named = {database("shop")};
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) desk.source.named.push_back(table(name));
    const auto first = desk.after(1);
    CHECK(desk.calls.fits == 3);
    CHECK(first->effort.waiting == 4);
    CHECK(first->forecasts->series.size() == 7);
    CHECK(first->forecasts->series.at(database("shop")).model == "last value");
    CHECK(first->forecasts->series.at(table("a")).model == "last value");
    CHECK(first->forecasts->series.at(table("f")).model == "recent level");
    const auto third = desk.after(2);  // those that had none come before those whose history has doubled
    for (const auto& [name, forecast] : third->forecasts->series) CHECK(forecast.model == "last value");
    CHECK(third->effort.tick_seconds == doctest::Approx(3));
}

TEST_CASE("training: while a fit waits the former forecast goes on to hold, without what has passed") {
    Desk desk;
    desk.slow = true;
    desk.extends = false;
    desk.options.fit_budget = std::chrono::milliseconds(1);  // one fit a tick
    desk.source.named = {database("shop"), table("a"), table("b")};
    desk.after(3);
    const auto outlook = desk.after(2);
    std::size_t shorter = 0;
    for (const auto& [name, forecast] : outlook->forecasts->series) {
        CHECK(forecast.from_s == kStart + 50);
        CHECK(forecast.point.size() == forecast.hi99.size());
        shorter += forecast.point.size() < 6;
    }
    CHECK(shorter == 2);
}

TEST_CASE("training: a history too short for the model is forecast by its level, and says so") {
    Desk desk;
    desk.needs = 4;
    desk.source.named = {database("shop")};
    const auto early = desk.after(3);
    CHECK(early->forecasts->series.at(database("shop")).model == "recent level");
    CHECK(early->series.at(database("shop")).problem == "too short");
    CHECK(early->series.at(database("shop")).fitted_s == 0);
    const auto later = desk.after(1);
    CHECK(later->forecasts->series.at(database("shop")).model == "last value");
    CHECK(later->series.at(database("shop")).problem.empty());
    CHECK(later->effort.fits_failed == 2);
}

TEST_CASE("training: an alarm begins and ends, and is told once each") {
    Desk desk;
    desk.source.named = {database("shop")};
    desk.source.load_at = [](const SeriesName&, std::int64_t time_s) {
        const auto bucket = (time_s - kStart) / 10;
        return bucket >= 40 && bucket < 44 ? 500.0 : 10.0;
    };
    desk.after(42);
    CHECK(desk.changes.empty());
    const auto alarmed = desk.after(1);
    REQUIRE(desk.changes.size() == 1);
    CHECK(desk.changes[0].event == AlarmEvent::Began);
    CHECK(desk.changes[0].side == Side::Above);
    CHECK(desk.changes[0].since_s == kStart + 400);
    CHECK(desk.changes[0].alarm.actual == 500);
    CHECK(desk.changes[0].alarm.hi == 12);
    CHECK(alarmed->series.at(database("shop")).alarm.side == Side::Above);
    const auto calm = desk.after(6);
    REQUIRE(desk.changes.size() == 2);
    CHECK(desk.changes[1].event == AlarmEvent::Ended);
    CHECK(desk.changes[1].side == Side::Above);
    CHECK(desk.changes[1].since_s == kStart + 400);
    CHECK(calm->series.at(database("shop")).alarm.side == Side::Within);
}

TEST_CASE("training: before two seasons have been seen there is no alarm") {
    for (const std::int64_t surge : {10, 20, 40}) {
        CAPTURE(surge);
        Desk desk;  // a season is 12 buckets
        desk.source.named = {database("shop")};
        desk.source.load_at = [surge](const SeriesName&, std::int64_t time_s) {
            return (time_s - kStart) / 10 < surge ? 10.0 : 500.0;
        };
        desk.after(static_cast<std::size_t>(surge) + 4);
        CHECK(desk.changes.size() == (surge == 40 ? 1 : 0));
    }
}

TEST_CASE("training: a load that no model was fitted to raises no alarm") {
    Desk desk;
    desk.needs = 1000;
    desk.source.named = {database("shop")};
    desk.source.load_at = [](const SeriesName&, std::int64_t time_s) {
        return (time_s - kStart) / 10 < 40 ? 10.0 : 500.0;
    };
    const auto outlook = desk.after(50);
    CHECK(outlook->series.at(database("shop")).outcomes.back().actual == 500);
    CHECK(desk.changes.empty());
}

TEST_CASE("training: capacity follows the upper bound of the databases' load") {
    Desk desk;
    desk.source.named = {database("shop"), database("crm"), table("a")};
    desk.source.load_at = [](const SeriesName& name, std::int64_t) {
        return name.kind == SeriesName::Kind::Table ? 1e9 : 9999.0;
    };
    desk.after(1);
    desk.totals = {1, 1000};  // 1 ms each
    const auto outlook = desk.after(1);
    CHECK(outlook->capacity.peak_per_s == doctest::Approx(2 * (9999 + 1) / 10.0));
    CHECK(outlook->capacity.cpu_s_per_query == doctest::Approx(1e-3));
    CHECK(outlook->capacity.recommended == 4);  // 2000 a second, 500 each
}

TEST_CASE("training: gaps are not taken for no load, and buckets are never counted twice") {
    Desk desk;
    desk.source.named = {database("shop")};
    desk.source.load_at = [](const SeriesName&, std::int64_t time_s) {
        return time_s == kStart + 30 ? kUnknown : 10.0;
    };
    desk.after(3);
    desk.now_s += 40;  // ticks were missed
    const auto outlook = desk.after(1);
    const auto& recent = outlook->forecasts->series.at(database("shop")).recent;
    REQUIRE(recent.size() == 8);
    CHECK(std::isnan(recent.values[3]));
    CHECK(recent.values[7] == 10);
    (void)desk.training->on_tick(desk.now_s + 4, {});  // twice within a bucket
    CHECK(desk.training->on_tick(desk.now_s + 5, {})
              .outlook->forecasts->series.at(database("shop"))
              .recent.size() == 8);
}

TEST_CASE("training: a history that cannot be read is said, and forecasts stay") {
    Desk desk;
    desk.source.named = {database("shop")};
    desk.after(3);
    desk.source.broken = true;
    const auto broken = desk.after(1);
    CHECK(broken->problem == "the disk is gone");
    CHECK(broken->effort.sources_failed >= 1);
    CHECK(broken->forecasts->series.size() == 1);
    desk.source.broken = false;
    const auto whole = desk.after(1);
    CHECK(whole->problem.empty());
    CHECK(whole->forecasts->series.at(database("shop")).recent.size() == 5);
}

TEST_CASE("training: no more series than asked for, and those that are named no longer are forgotten") {
    Desk desk;
    desk.options.series_max = 3;
    desk.source.named = {database("shop"), table("a"), table("b"), table("c")};
    CHECK(desk.after(1)->forecasts->series.size() == 3);
    desk.source.named = {database("shop"), table("c")};
    const auto outlook = desk.after(1);
    CHECK(outlook->forecasts->series.size() == 2);
    CHECK(outlook->forecasts->series.contains(table("c")));
}

TEST_CASE("training: after a start the whole history is learnt from, and a part of it is shown") {
    Desk desk;
    desk.source.named = {database("shop")};
    desk.source.begins_s = kStart - 10'000 * 10;
    const auto outlook = desk.after(1);
    CHECK(desk.calls.lengths == std::vector<std::size_t>{10'001});
    CHECK(outlook->forecasts->series.at(database("shop")).recent.size() == Training::kRecent);
    desk.after(99);
    CHECK(desk.calls.fits == 1);
    desk.source.begins_s = 0;
    desk.after(1);
    CHECK(desk.calls.lengths.back() == Training::kHistory);
}

TEST_CASE("training: memory of a series is bounded however long it runs") {
    Desk desk;
    desk.source.named = {database("shop")};
    const auto outlook = desk.after(2 * Training::kRecent + 50);
    const auto& forecast = outlook->forecasts->series.at(database("shop"));
    CHECK(forecast.recent.size() == Training::kRecent);
    CHECK(forecast.recent.time_of(Training::kRecent) == forecast.from_s);
    CHECK(outlook->series.at(database("shop")).outcomes.size() == Training::kOutcomes);
}
