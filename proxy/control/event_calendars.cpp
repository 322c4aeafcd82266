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

EventCalendars::EventCalendars(const ForecastSettings& settings)
    : all_(forecast::make_calendar(settings)),
      by_table_(std::ranges::any_of(all_.events, [](const Event& event) { return !event.tables.empty(); })),
      of_all_(with(all_, {})) {}

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

void EventCalendars::on_reads(const SeriesName& statement, const std::vector<std::string>& tables) {
    if (!by_table_) return;
    Chosen chosen = concerning(tables);
    const std::lock_guard lock(mutex_);
    const auto known = statements_.find(statement);
    if (known != statements_.end())
        known->second = std::move(chosen);
    else if (!chosen.empty() && statements_.size() < kStatementsMax)
        statements_.emplace(statement, std::move(chosen));
}

const Calendar& EventCalendars::of(const SeriesName& name) {
    if (!by_table_) return of_all_;
    const Chosen of_table = name.kind == SeriesName::Kind::Table ? concerning({name.name}) : Chosen{};
    const std::lock_guard lock(mutex_);
    if (name.kind == SeriesName::Kind::Template)
        if (const auto known = statements_.find(name); known != statements_.end()) return made(known->second);
    return made(of_table);
}

const Calendar& EventCalendars::made(const Chosen& chosen) {
    if (chosen.empty()) return of_all_;
    const auto known = made_.find(chosen);
    if (known != made_.end()) return *known->second;
    if (made_.size() >= kCalendarsMax) return of_all_;
    return *made_.emplace(chosen, std::make_unique<const Calendar>(with(all_, chosen))).first->second;
}

}  // namespace warmfront::control
