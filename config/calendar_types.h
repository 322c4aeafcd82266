// config/calendar_types.h: the types of the settings that say what is known of days to come.
//
// See config/setting_types.h for what a type has, config/holidays.h for how days are written. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/setting_types.h"

namespace warmfront {

inline constexpr std::size_t kHolidaysMax = 10'000;
inline constexpr std::size_t kEventsMax = 10'000;

// A list of holidays, ascending once read; a single one needs no list.
struct HolidaysType : SettingType {
    using Value = std::vector<Holiday>;
    static std::string describe();
    static Parsed<Value> parse(const RawValue& raw);
    static std::string print(const Value& holidays);
};

// A list of {name, from, to, tables}, ascending by their begin once read.
struct EventsType : SettingType {
    using Value = std::vector<KnownEvent>;
    static std::string describe();
    static Parsed<Value> parse(const RawValue& raw);
    static std::string print(const Value& events);  // as YAML
};

}  // namespace warmfront
