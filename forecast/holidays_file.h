// forecast/holidays_file.h: holidays from a file, one a line.
//
//   2026-11-11 singles' day            a day, with a name or without
//   2026-12-24..2026-12-26 christmas   a range, both days included
//
// Days are UTC. Blank lines and what follows a # do not count.
#pragma once

#include <string>
#include <vector>

#include "config/result.h"
#include "forecast/calendar.h"

namespace warmfront::forecast {

// Ascending by from_s. Fails with 58030 if the file cannot be read, with 22007 for a line that is no holiday.
[[nodiscard]] Result<std::vector<Span>> read_holidays_file(const std::string& path);

}  // namespace warmfront::forecast
