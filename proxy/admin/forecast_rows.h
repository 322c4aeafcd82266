// proxy/admin/forecast_rows.h: the rows of SHOW FORECAST, SHOW ALARMS and SHOW CAPACITY.
//
// Values are requests a bucket; times are UTC, "2026-03-01 12:00:00"; empty: not known. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/outlook.h"

namespace warmfront::admin {

inline constexpr std::array<std::string_view, 18> kForecastColumns{
    "kind", "database",  "name",      "measure",   "model", "mase",
    "last", "next",      "next_lo95", "next_hi95", "total", "total_seconds",
    "peak", "peak_lo95", "peak_hi95", "peak_at",   "alarm", "note"};
[[nodiscard]] std::vector<std::vector<std::string>> forecast_rows(const forecast::Outlook& outlook);

// Of the alarms in force: what the last bucket brought, and the interval that it is outside of.
inline constexpr std::array<std::string_view, 9> kAlarmColumns{"kind",  "database", "name", "measure", "side",
                                                               "since", "actual",   "lo99", "hi99"};
[[nodiscard]] std::vector<std::vector<std::string>> alarm_rows(const forecast::Outlook& outlook);

// Name and value.
[[nodiscard]] std::vector<std::vector<std::string>> capacity_rows(const forecast::Capacity& capacity);

}  // namespace warmfront::admin
