// proxy/control/event_calendars.h: which events (forecast.events) concern a series, as the calendar it is
// forecast by.
//
// A series of a table sees the events that name it, one of a statement those that name a table it reads, and
// every series those that name none. A database sees only the latter: an event that names tables may be of
// another database. The models know of holidays: an event is one, by its name, besides being an event.
//
// What statements read is told while they are counted; one that was not counted since the start sees only
// the events of all. Thread-safe; a call takes one short lock.
// Bounds: kStatementsMax statements, kCalendarsMax different choices of events; further ones see those of
// all.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/settings.h"
#include "forecast/board.h"
#include "forecast/calendar.h"

namespace warmfront::control {

class EventCalendars {
public:
    static constexpr std::size_t kStatementsMax = 10'000, kCalendarsMax = 1'000;

    explicit EventCalendars(const ForecastSettings& settings);

    // Whether any event names tables: else nobody needs to call on_reads().
    [[nodiscard]] bool by_table() const { return by_table_; }
    // tables: "schema.name", that the statement reads.
    void on_reads(const forecast::SeriesName& statement, const std::vector<std::string>& tables);

    // The same object for the same events; valid as long as this.
    [[nodiscard]] const forecast::Calendar& of(const forecast::SeriesName& name);
    [[nodiscard]] const forecast::Calendar& of_all() const { return of_all_; }

private:
    using Chosen = std::vector<std::size_t>;  // places in all_.events, ascending, of those that name tables
    [[nodiscard]] Chosen concerning(const std::vector<std::string>& tables) const;
    [[nodiscard]] const forecast::Calendar& made(const Chosen& chosen);

    const forecast::Calendar all_;
    const bool by_table_;
    const forecast::Calendar of_all_;
    std::mutex mutex_;  // of what follows
    std::map<forecast::SeriesName, Chosen> statements_;
    std::map<Chosen, std::unique_ptr<const forecast::Calendar>> made_;
};

}  // namespace warmfront::control
