// tests/proxy/admin/sample.h: an observation with something in every place.
#pragma once

#include "proxy/admin/observation.h"

namespace warmfront::admin {

inline Observation sample_observation() {
    Counters counters(1);
    DatabaseCounters& shop = counters.of(0, "shop");
    shop.queries[0].add(23);
    shop.queries[1].add(4);
    shop.hits.add(21);
    shop.misses.add(2);
    shop.refusals.add("volatile_function");
    shop.connections_opened.add(2);
    shop.hit_latency.add(3);
    shop.hit_latency.add(100'000'000);
    shop.invalidations[0].add(5);
    counters.of(0, "a \"strange\\\nname").hits.add(1);
    Observation observation;
    observation.databases = counters.totals();
    observation.store = {.entries = 7, .bytes = 4'096, .fills = 9, .evictions = 1};
    observation.store_bytes_max = 1 << 20;
    observation.next_query = {.predicted = 9,
                              .there = 2,
                              .prefetched = 7,
                              .used = 4,
                              .late = 2,
                              .wasted = 1,
                              .saved_us = 8'000,
                              .wasted_us = 2'000};
    observation.prewarm = {.outcomes = {{"stored", 4}, {"refused", 1}},
                           .stored = {{"rise", 3}, {"write", 1}},
                           .dropped = 0,
                           .waiting = 2,
                           .rate = 12.5,
                           .hot_keys = 6,
                           .templates_off = 0};
    observation.ledger.fetched_used = 3;
    observation.ledger.fetch_spent_us = 1'500'000;
    observation.process = {.resident_bytes = 1'000'000, .cpu_seconds = 1.5, .threads = 3};
    observation.uptime = std::chrono::milliseconds(61'000);
    return observation;
}

}  // namespace warmfront::admin
