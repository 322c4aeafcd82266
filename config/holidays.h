// config/holidays.h: days and hours known beforehand, as a person writes them.
//
//   moment    2026-11-11 (its begin) or 2026-11-11T16:00, with a Z after it or without: UTC either way
//   holiday   DAY, FROM..TO, each followed by a name or not: "2026-12-24..2026-12-26 christmas"
//
// As an end a day means its last second, a moment with a time itself. Years 1970 to 2999. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace warmfront {

struct Moment {
    std::int64_t at_s = 0;  // Unix seconds
    bool is_day = false;    // written without a time
};

[[nodiscard]] std::optional<Moment> parse_moment(std::string_view text);
// The first second after, as an end.
[[nodiscard]] std::int64_t end_of(const Moment& moment);
// nullopt too where the end is not after the begin.
[[nodiscard]] std::optional<Holiday> parse_holiday(std::string_view text);

// The shortest text that parse_holiday reads as the same.
[[nodiscard]] std::string print_holiday(const Holiday& holiday);
[[nodiscard]] std::string print_begin(std::int64_t from_s);
[[nodiscard]] std::string print_end(std::int64_t to_s);

}  // namespace warmfront
