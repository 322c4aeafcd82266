#include "proxy/admin/stats_json.h"

#include <fmt/format.h>

#include "config/version.h"
#include "proxy/admin/json.h"
#include "sql/choices.h"

namespace warmfront::admin {

using json::object;
using json::quoted;

static std::string latency(const Latencies& latencies) {
    const auto seconds = [&](double q) {
        return fmt::format("{}", static_cast<double>(latencies.quantile_us(q)) / 1e6);
    };
    std::vector<std::string> buckets;  // for quantiles of what came between two looks
    for (const std::uint64_t count : latencies.counts) buckets.push_back(std::to_string(count));
    return object({{"count", std::to_string(latencies.count())},
                   {"p50_seconds", seconds(0.5)},
                   {"p99_seconds", seconds(0.99)},
                   {"buckets", json::array(buckets)}});
}

static std::string refusals(const DatabaseTotals& totals) {
    std::vector<std::string> reasons;
    for (const auto& [reason, count] : totals.refusals)
        reasons.push_back(object({{"reason", quoted(reason)}, {"count", std::to_string(count)}}));
    return json::array(reasons);
}

static std::string database(std::string_view name, const DatabaseTotals& totals) {
    return object({{"name", quoted(name)},
                   {"queries", std::to_string(totals.queries_total())},
                   {"hits", std::to_string(totals.hits)},
                   {"misses", std::to_string(totals.misses)},
                   {"hit_ratio", fmt::format("{:.6f}", totals.hit_ratio())},
                   {"connections", std::to_string(totals.connections)},
                   {"received_bytes", std::to_string(totals.received_bytes)},
                   {"sent_bytes", std::to_string(totals.sent_bytes)},
                   {"hit", latency(totals.hit_latency)},
                   {"miss", latency(totals.miss_latency)},
                   {"forwarded", latency(totals.forwarded_latency)},
                   {"refusals", refusals(totals)}});
}

static std::string seconds(std::uint64_t us) {
    return fmt::format("{:.6f}", static_cast<double>(us) / 1e6);
}

static std::string list_of(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ",") + quoted(text);
    return "[" + list + "]";
}

std::string templates_json(const std::vector<session::TemplateRow>& rows, const TablesOf& tables_of) {
    std::string list;
    for (const session::TemplateRow& row : rows) {
        if (!row.cacheable) continue;
        list += (list.empty() ? "" : ",") + object({{"digest", quoted(sql::digest_text(row.digest))},
                                                    {"database", quoted(row.database)},
                                                    {"template", quoted(row.text)},
                                                    {"state", quoted(session::name_of(row.off))},
                                                    {"reason", quoted(row.off_reason)},
                                                    {"requests", std::to_string(row.requests)},
                                                    {"hits", std::to_string(row.hits)},
                                                    {"would_be_hits", std::to_string(row.would_hits)},
                                                    {"misses", std::to_string(row.misses)},
                                                    {"hit_ratio", fmt::format("{:.6f}", row.hit_ratio())},
                                                    {"origin_seconds", seconds(row.origin_mean_us)},
                                                    {"saved_seconds", seconds(row.saved_us)},
                                                    {"bytes", std::to_string(row.bytes)},
                                                    {"tables", list_of(tables_of(row))}});
    }
    return "[" + list + "]";
}

std::string stats_json(const Observation& observation) {
    DatabaseTotals all;
    std::string databases;
    for (const auto& [name, totals] : observation.databases) {
        all.add(totals);
        databases += (databases.empty() ? "" : ",") + database(name, totals);
    }
    return object({{"version", quoted(version())},
                   {"uptime_seconds", std::to_string(observation.uptime.count() / 1000)},
                   {"ready", observation.not_ready.empty() ? "true" : "false"},
                   {"not_ready", quoted(observation.not_ready)},
                   {"cache", object({{"entries", std::to_string(observation.store.entries)},
                                     {"bytes", std::to_string(observation.store.bytes)},
                                     {"max_bytes", std::to_string(observation.store_bytes_max)},
                                     {"evictions", std::to_string(observation.store.evictions)}})},
                   {"mode", quoted(observation.observing ? "observe" : "serve")},
                   {"would_be_hits", std::to_string(observation.ledger.would_hits)},
                   {"saved_seconds", seconds(observation.ledger.saved_us)},
                   {"mismatches", std::to_string(observation.ledger.mismatches)},
                   {"all", database("all", all)},
                   {"databases", "[" + databases + "]"}});
}

}  // namespace warmfront::admin
