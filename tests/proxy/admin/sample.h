// tests/proxy/admin/sample.h: an observation with something in every place.
#pragma once

#include <limits>

#include "proxy/admin/observation.h"

namespace warmfront::admin {

inline std::shared_ptr<const forecast::Outlook> sample_outlook() {
    using forecast::Measure, forecast::SeriesName;
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    const SeriesName shop{SeriesName::Kind::Database, "shop", "", Measure::Requests};
    const SeriesName orders{SeriesName::Kind::Table, "shop", "public.\"o\"", Measure::Reads};
    const SeriesName statement{SeriesName::Kind::Template, "shop", "00000000000000ab", Measure::Requests};
    auto forecasts = std::make_shared<forecast::Forecasts>();
    forecasts->made_s = 1'772'366'400;
    forecast::SeriesForecast of;
    of.recent = {1'772'366'220, 60, {10, kUnknown, 12}, {}};
    of.from_s = 1'772'366'400;
    of.point = {20, 30};
    of.lo95 = {15, 25};
    of.hi95 = {25, 35};
    of.lo99 = {10, 20};
    of.hi99 = {30, 40};
    of.model = "holt-winters";
    of.mase = 0.75;
    forecasts->series = {{shop, of}, {orders, of}, {statement, of}};
    forecasts->series[statement].mase = kUnknown;
    auto outlook = std::make_shared<forecast::Outlook>();
    outlook->series[shop].outcomes = {{1'772'366'340, 12, 11, 9, 13}};
    outlook->series[orders].alarm = {forecast::Side::Above, 1'772'366'220, 99, 20, 10, 30};
    outlook->series[statement].problem = "too short";
    outlook->series[statement].alarm.side = forecast::Side::Below;
    outlook->forecasts = std::move(forecasts);
    outlook->capacity = {3, 2.5, 2.75, 5500, 0.0005, 2000, "because"};
    outlook->effort = {.ticks = 9, .fits = 4, .fits_failed = 1, .seconds = 1.5};
    return outlook;
}

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
    observation.outlook = sample_outlook();
    observation.uptime = std::chrono::milliseconds(61'000);
    return observation;
}

}  // namespace warmfront::admin
