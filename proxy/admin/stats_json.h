// proxy/admin/stats_json.h: an observation as JSON, for the status page and for scripts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "proxy/admin/observation.h"

namespace warmfront::admin {

// {"version", "uptime_seconds", "ready", "not_ready", "cache": {...}, "all": {...}, "databases": [{"name",
// ...}]}. Durations in seconds, sizes in bytes; percentiles are the upper bounds of their buckets.
[[nodiscard]] std::string stats_json(const Observation& observation);

// [{"digest", "database", "template", "state", "reason", "requests", "hits", "would_be_hits", "misses",
// "hit_ratio", "origin_seconds", "saved_seconds", "bytes", "tables"}, ...]: of the rows, those that may be
// kept; the text of others could hold what is nobody's business. tables_of: that the statement reads.
using TablesOf = std::function<std::vector<std::string>(const session::TemplateRow& row)>;
[[nodiscard]] std::string templates_json(const std::vector<session::TemplateRow>& rows,
                                         const TablesOf& tables_of);

}  // namespace warmfront::admin
