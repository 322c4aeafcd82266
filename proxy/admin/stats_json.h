// proxy/admin/stats_json.h: an observation as JSON, for the status page and for scripts.
#pragma once

#include <string>

#include "proxy/admin/observation.h"

namespace warmfront::admin {

// {"version", "uptime_seconds", "ready", "not_ready", "cache": {...}, "all": {...}, "databases": [{"name",
// ...}]}. Durations in seconds, sizes in bytes; percentiles are the upper bounds of their buckets.
[[nodiscard]] std::string stats_json(const Observation& observation);

}  // namespace warmfront::admin
