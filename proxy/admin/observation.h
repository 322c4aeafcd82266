// proxy/admin/observation.h: everything that is shown from outside, as read at one moment. Plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cache/disk_tier.h"
#include "cache/store.h"
#include "forecast/next_query.h"
#include "forecast/outlook.h"
#include "proxy/admin/counters.h"
#include "proxy/admin/history_numbers.h"
#include "proxy/admin/prewarm_view.h"
#include "proxy/admin/process.h"
#include "proxy/session/template_row.h"

namespace warmfront::admin {

struct Observation {
    Totals databases{};
    cache::StoreStats store{};
    std::size_t store_bytes_max = 0;  // the memory budget
    cache::DiskStats disk{};          // all zero without one
    std::size_t flights = 0;          // misses under way that others may share
    std::size_t templates = 0;        // statements whose analysis is remembered
    session::LedgerTotals ledger{};
    HistoryNumbers history{};
    bool observing = false;  // cache.mode is observe
    PrewarmNumbers prewarm{};
    forecast::NextQueryCounts next_query{};
    ProcessStats process{};
    std::chrono::milliseconds uptime{0};
    std::shared_ptr<const forecast::Outlook> outlook = std::make_shared<forecast::Outlook>();
    std::string not_ready{};  // why queries cannot be served; empty if they can
};

}  // namespace warmfront::admin
