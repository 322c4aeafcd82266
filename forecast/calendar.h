// forecast/calendar.h: what is known beforehand of days to come: holidays and events.
//
// Plain values, no thread rules. Times are Unix seconds; `to` is the first second after. A name makes days of
// several years alike ("singles' day"); an empty name is a holiday like any other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warmfront::forecast {

struct Span {
    std::string name;
    std::int64_t from_s = 0, to_s = 0;
    [[nodiscard]] bool contains(std::int64_t time_s) const { return time_s >= from_s && time_s < to_s; }
};

struct Event {
    Span span;
    std::vector<std::string> tables;  // that it concerns; empty: all
};

struct Calendar {
    std::vector<Span> holidays;  // ascending by from_s
    std::vector<Event> events;   // ascending by span.from_s
};

}  // namespace warmfront::forecast
