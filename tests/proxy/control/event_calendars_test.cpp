#include "proxy/control/event_calendars.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include <doctest/doctest.h>

#include "forecast/automatic_forecaster.h"
#include "forecast/training.h"

using namespace warmfront;
using namespace warmfront::control;
using forecast::Calendar;
using forecast::Measure;
using forecast::SeriesName;

namespace {

constexpr std::int64_t kHour_s = 3600, kDay_s = 24 * kHour_s;
constexpr std::int64_t kMonday_s = 1'699'833'600;  // 2023-11-13

SeriesName table(std::string name) {
    return {SeriesName::Kind::Table, "shop", std::move(name), Measure::Reads};
}
const SeriesName kStatement{SeriesName::Kind::Template, "shop", "0123456789abcdef", Measure::Requests};
const SeriesName kDatabase{SeriesName::Kind::Database, "shop", "", Measure::Requests};

ForecastSettings settings() {
    ForecastSettings made;
    made.holidays = {{"x", 200, 300}};
    made.events = {{"sale", 100, 150, {}}, {"import", 120, 130, {"orders", "app.items"}}};
    return made;
}

std::vector<std::string> names_in(const Calendar& calendar) {
    std::vector<std::string> names;
    for (const auto& span : calendar.holidays) names.push_back(span.name);
    return names;
}
const std::vector<std::string> kOfAll{"sale", "x"}, kWithImport{"sale", "import", "x"};

}  // namespace

TEST_CASE("event calendars: a table sees the events that name it, and every series those of all") {
    const StatementTables tables;
    EventCalendars calendars(settings(), tables);
    CHECK(names_in(calendars.of(table("public.orders"))) == kWithImport);
    CHECK(names_in(calendars.of(table("app.items"))) == kWithImport);
    CHECK(names_in(calendars.of(table("public.items"))) == kOfAll);
    CHECK(names_in(calendars.of(kDatabase)) == kOfAll);
    CHECK(calendars.of(table("public.orders")).events.size() == 2);
    CHECK(calendars.of(table("public.items")).events.size() == 1);
    // Models keep it.
    CHECK(&calendars.of(table("public.orders")) == &calendars.of(table("app.items")));
    CHECK(&calendars.of(kDatabase) == &calendars.of_all());
}

TEST_CASE("event calendars: a statement sees the events of the tables that it was last seen to read") {
    StatementTables tables;
    EventCalendars calendars(settings(), tables);
    CHECK(names_in(calendars.of(kStatement)) == kOfAll);
    tables.on_reads(kStatement, {"public.users", "public.orders"});
    CHECK(names_in(calendars.of(kStatement)) == kWithImport);
    tables.on_reads(kStatement, {"public.users"});
    CHECK(names_in(calendars.of(kStatement)) == kOfAll);
}

TEST_CASE("event calendars: where no event names a table there is one calendar") {
    ForecastSettings plain = settings();
    plain.events.pop_back();
    StatementTables tables;
    EventCalendars calendars(plain, tables);
    tables.on_reads(kStatement, {"public.orders"});
    CHECK(&calendars.of(kStatement) == &calendars.of_all());
    CHECK(&calendars.of(table("public.orders")) == &calendars.of_all());
}

TEST_CASE("event calendars: beyond so many statements further ones see the events of all") {
    StatementTables tables;
    EventCalendars calendars(settings(), tables);
    SeriesName name = kStatement;
    for (std::size_t i = 0; i <= StatementTables::kStatementsMax; ++i) {
        name.name = std::to_string(i);
        tables.on_reads(name, {"public.orders"});
    }
    CHECK(names_in(calendars.of(name)) == kOfAll);
    const SeriesName first{SeriesName::Kind::Template, "shop", "0", Measure::Requests};
    CHECK(names_in(calendars.of(first)) == kWithImport);
}

namespace {

// Two tables of one load, 100 an hour by day and 20 by night; on some days, no rule which, five times as
// much.
constexpr int kEventDays[] = {4, 10, 15, 21, 26, 31};
constexpr int kNextEvent = 35;

bool on_event(std::int64_t time_s) {
    const auto day = (time_s - kMonday_s) / kDay_s;
    return day == kNextEvent || std::ranges::find(kEventDays, day) != std::end(kEventDays);
}

struct Shop final : forecast::LoadSource {
    Result<std::vector<SeriesName>> names(std::size_t) override {
        return std::vector{table("public.orders"), table("public.users")};
    }
    Result<forecast::Series> load(const SeriesName&, std::int64_t from_s, std::int64_t to_s,
                                  std::int64_t step_s) override {
        forecast::Series series{std::max(from_s, kMonday_s), step_s, {}, {}};
        for (auto time_s = series.start_s; time_s < to_s; time_s += step_s) {
            const auto hour = time_s / kHour_s % 24;
            const double usual = hour >= 8 && hour < 20 ? 100 : 20;
            series.values.push_back((on_event(time_s) ? 5 * usual : usual) + static_cast<double>(hour % 3));
        }
        return series;
    }
};

double sum(const std::vector<double>& values) {
    double all = 0;
    for (const double value : values) all += value;
    return all;
}

}  // namespace

TEST_CASE("event calendars: the load of the tables that an event names is forecast by what came before it") {
    ForecastSettings known;
    for (const int day : kEventDays)
        known.events.push_back(
            {"import", kMonday_s + day * kDay_s, kMonday_s + (day + 1) * kDay_s, {"orders"}});
    known.events.push_back(
        {"import", kMonday_s + kNextEvent * kDay_s, kMonday_s + (kNextEvent + 1) * kDay_s, {"orders"}});
    const StatementTables tables;
    EventCalendars calendars(known, tables);
    forecast::TrainingOptions options;
    options.step_s = kHour_s;
    options.horizon = 24;
    options.calendar = calendars.of_all();
    options.calendar_of = [&](const SeriesName& name) -> const Calendar& { return calendars.of(name); };
    Shop shop;
    SimulatedClock clock;
    forecast::Training training(
        options, shop, [] { return std::make_unique<forecast::AutomaticForecaster>(); }, clock);
    const auto result = training.on_tick(kMonday_s + kNextEvent * kDay_s, {});
    const auto& series = result.outlook->forecasts->series;
    const double orders = sum(series.at(table("public.orders")).point);
    const double users = sum(series.at(table("public.users")).point);
    CAPTURE(orders);
    CAPTURE(users);
    CHECK(orders > 2.5 * users);
    CHECK(users < 2 * (12 * 100 + 12 * 20));
}
