// bench/scenarios/report.h: what a scenario's runs show, as text and as a chart.
#pragma once

#include <string>
#include <vector>

#include "bench/scenarios/load.h"
#include "bench/scenarios/scenario.h"

namespace warmfront::bench {

// Which days count: from `first` on, and where asked for, those alone that are like one before.
struct Days {
    int first = 0;
    bool seen_before = false;
};

// The first second after a rise, and what is normal: five seconds after it and later in its phase.
struct AtRises {
    std::size_t rises = 0;
    double requests = 0, misses = 0;
    double p99_us = 0, steady_p99_us = 0;
    [[nodiscard]] double hit_ratio() const { return requests == 0 ? 0 : 1 - misses / requests; }
};
[[nodiscard]] AtRises at_rises(const Scenario& scenario, const Outcome& outcome, const Days& days);

// Rows of a Markdown table, its head among them.
[[nodiscard]] std::string table_of(const Scenario& scenario, const std::vector<Outcome>& outcomes,
                                   const Days& days);
// Requests a second and each run's misses over the last `days` days, as SVG.
[[nodiscard]] std::string chart_of(const Scenario& scenario, const std::vector<Outcome>& outcomes, int days);

}  // namespace warmfront::bench
