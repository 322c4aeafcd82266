// proxy/admin/observation.h: everything that is shown from outside, as read at one moment. Plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cache/store.h"
#include "forecast/next_query.h"
#include "proxy/admin/counters.h"
#include "proxy/admin/prewarm_view.h"
#include "proxy/admin/process.h"
#include "proxy/session/template_row.h"

namespace warmfront::admin {

struct Observation {
    Totals databases{};
    cache::StoreStats store{};
    std::size_t store_bytes_max = 0;  // the memory budget
    std::size_t flights = 0;          // misses under way that others may share
    std::size_t templates = 0;        // statements whose analysis is remembered
    session::LedgerTotals ledger{};
    bool observing = false;  // cache.mode is observe
    PrewarmNumbers prewarm{};
    forecast::NextQueryCounts next_query{};
    ProcessStats process{};
    std::chrono::milliseconds uptime{0};
    std::string not_ready{};  // why queries cannot be served; empty if they can
};

}  // namespace warmfront::admin
