// forecast/calendar_text.h: calendars as a person writes them.
//
// A holiday is one text, read by config/holidays.h for the settings and for files alike:
//
//   2026-11-11 singles' day           a day, with a name or without
//   2026-12-24..2026-12-26 christmas  a range, both days included
//   2026-11-10T16:00..2026-11-11T16:00 singles' day    with times: up to the second one
//
// Times are UTC; who lives elsewhere writes times. Pure, except for reading the file.
#pragma once

#include <string>
#include <string_view>

#include "config/result.h"
#include "config/settings.h"
#include "forecast/calendar.h"

namespace warmfront::forecast {

// A file of holidays, one a line; blank lines and what follows a # (at a line's begin or after a blank) are
// left out. A YAML list of such texts, each on a line of its own and with a first line "holidays:" or
// without, reads as the same. Fails with 58030 if the file cannot be read, with 22007 for a line that is no
// holiday (text: "file:line: ..."), with 54000 above 1 MiB or kHolidaysMax holidays.
[[nodiscard]] Result<Calendar> read_holidays(const std::string& path);
// The same of a text at hand; file_name is only named in errors.
[[nodiscard]] Result<Calendar> parse_holidays(std::string_view text, std::string_view file_name);

// What the settings forecast.holidays and forecast.events say.
[[nodiscard]] Calendar make_calendar(const ForecastSettings& settings);
// Whether what an event names is the table ("schema.name"): an event may name it without its schema.
[[nodiscard]] bool names_table(std::string_view named, std::string_view table);

}  // namespace warmfront::forecast
