// proxy/control/event_calendars.h: which events (forecast.events) concern a series, as the calendar it is
// forecast by.
//
// A series of a table sees the events that name it, one of a statement those that name a table it reads, and
// every series those that name none. A database sees only the latter: an event that names tables may be of
// another database. The models know of holidays: an event is one, by its name, besides being an event.
//
// What statements read is known while they are counted (proxy/control/statement_tables.h); one that was not
// counted since the start sees only the events of all. Thread-safe; a call takes two short locks.
// Bound: kCalendarsMax different choices of events; further ones see those of all.
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
#include "proxy/control/statement_tables.h"

namespace warmfront::control {

class EventCalendars {
public:
    static constexpr std::size_t kCalendarsMax = 1'000;

    // statements: outlives this.
    EventCalendars(const ForecastSettings& settings, const StatementTables& statements);

    // The same object for the same events; valid as long as this.
    [[nodiscard]] const forecast::Calendar& of(const forecast::SeriesName& name);
    [[nodiscard]] const forecast::Calendar& of_all() const { return of_all_; }

private:
    using Chosen = std::vector<std::size_t>;  // places in all_.events, ascending, of those that name tables
    [[nodiscard]] Chosen concerning(const std::vector<std::string>& tables) const;
    [[nodiscard]] const forecast::Calendar& made(const Chosen& chosen);

    const forecast::Calendar all_;
    const bool by_table_;  // any event names tables
    const forecast::Calendar of_all_;
    const StatementTables& statements_;
    std::mutex mutex_;  // of what follows
    std::map<Chosen, std::unique_ptr<const forecast::Calendar>> made_;
};

}  // namespace warmfront::control
