#include "proxy/control/event_calendars.h"

#include <algorithm>

#include "forecast/calendar_text.h"

namespace warmfront::control {

using forecast::Calendar;
using forecast::Event;
using forecast::SeriesName;

// With the events of all tables and those chosen, each as a holiday too.
static Calendar with(const Calendar& all, const std::vector<std::size_t>& chosen) {
    Calendar made{all.holidays, {}};
    for (std::size_t i = 0; i < all.events.size(); ++i) {
        const Event& event = all.events[i];
        if (!event.tables.empty() && !std::ranges::binary_search(chosen, i)) continue;
        made.events.push_back(event);
        made.holidays.push_back(event.span);
    }
    std::ranges::stable_sort(made.holidays, {}, &forecast::Span::from_s);
    return made;
}

EventCalendars::EventCalendars(const ForecastSettings& settings, const StatementTables& statements)
    : all_(forecast::make_calendar(settings)),
      by_table_(std::ranges::any_of(all_.events, [](const Event& event) { return !event.tables.empty(); })),
      of_all_(with(all_, {})),
      statements_(statements) {}

EventCalendars::Chosen EventCalendars::concerning(const std::vector<std::string>& tables) const {
    Chosen chosen;
    for (std::size_t i = 0; i < all_.events.size(); ++i) {
        const auto& named = all_.events[i].tables;
        const auto is_named = [&named](const std::string& table) {
            return std::ranges::any_of(
                named, [&table](const std::string& name) { return forecast::names_table(name, table); });
        };
        if (std::ranges::any_of(tables, is_named)) chosen.push_back(i);
    }
    return chosen;
}

const Calendar& EventCalendars::of(const SeriesName& name) {
    if (!by_table_) return of_all_;
    using enum SeriesName::Kind;
    const Chosen chosen = name.kind == Table      ? concerning({name.name})
                          : name.kind == Template ? concerning(statements_.of(name.database, name.name))
                                                  : Chosen{};
    const std::lock_guard lock(mutex_);
    return made(chosen);
}

const Calendar& EventCalendars::made(const Chosen& chosen) {
    if (chosen.empty()) return of_all_;
    const auto known = made_.find(chosen);
    if (known != made_.end()) return *known->second;
    if (made_.size() >= kCalendarsMax) return of_all_;
    return *made_.emplace(chosen, std::make_unique<const Calendar>(with(all_, chosen))).first->second;
}

}  // namespace warmfront::control
