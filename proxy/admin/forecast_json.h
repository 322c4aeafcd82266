// proxy/admin/forecast_json.h: what /api/forecast and /api/capacity answer.
//
//   /api/forecast             every series in a few numbers
//   /api/forecast?series=ID   that series (again for further ones), whole: recent buckets, forecast,
//   intervals,
//                             and what had been forecast of the recent buckets; ID as the first form tells it
//   /api/capacity             the recommended number of sidecars, and why
//
// Times are Unix seconds, values requests a bucket; null: not known. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "forecast/outlook.h"

namespace warmfront::admin {

// Series of one request; further ones are left out.
inline constexpr std::size_t kSeriesAskedMax = 32;

[[nodiscard]] std::string forecasts_json(const forecast::Outlook& outlook);
// Those of `ids` that there are, in that order.
[[nodiscard]] std::string forecasts_json(const forecast::Outlook& outlook,
                                         const std::vector<std::string>& ids);
[[nodiscard]] std::string capacity_json(const forecast::Capacity& capacity);

}  // namespace warmfront::admin
