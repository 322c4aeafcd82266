// bench/scenarios/load.h: sends a scenario's requests and counts, second by second, what came of them.
//
// Open loop: arrivals are Poisson at the scenario's rate and wait for nobody; latency is from the moment a
// request was due. Blocking; run_load() uses threads of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/scenarios/scenario.h"
#include "tests/live/support/warmfront_process.h"

namespace warmfront::bench {

// One second.
struct Bucket {
    double time_s = 0;  // begin, from the scenario's
    std::uint64_t requests = 0;
    double misses = 0;  // of the load alone: what prefetching asks of PostgreSQL is not among them
    std::vector<double> latencies_us;
};

struct Outcome {
    std::string name;
    std::vector<Bucket> buckets;
    std::string metrics;  // the last scrape, whole
};

struct LoadOptions {
    std::string name;
    double end_s = 0;     // how much of the scenario
    bool oracle = false;  // reads the rows of each phase a second before it begins
    double origin_s = 0;  // the steady clock's time at which the scenario begins
};

[[nodiscard]] Outcome run_load(const Scenario& scenario, const test::WarmfrontProcess& warmfront,
                               const LoadOptions& options);
[[nodiscard]] double steady_s();

// The share'th part of the latencies of these buckets, 0 without any.
[[nodiscard]] double percentile_us(const std::vector<const Bucket*>& buckets, double share);

}  // namespace warmfront::bench
