// proxy/admin/metrics.h: the one table of metrics, and their text for Prometheus.
//
// Names: warmfront_..., process_... as every Prometheus client names them; _total for what only grows;
// seconds and bytes. Labels are bounded: database (admin/counters.h), class, reason, cause, outcome, version;
// kind, name and measure of the series that are forecast, without statements (at most forecast.series).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "proxy/admin/observation.h"

namespace warmfront::admin {

struct Metric {
    std::string_view name;
    prometheus::MetricType type;
    std::string_view help;
    std::vector<prometheus::ClientMetric> (*read)(const Observation&);
};

[[nodiscard]] std::span<const Metric> metrics_table();

// Exposition format 0.0.4, text/plain.
[[nodiscard]] std::string metrics_text(const Observation& observation);

}  // namespace warmfront::admin
