#include "proxy/admin/stats_json.h"

#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "config/version.h"
#include "sql/choices.h"

namespace warmfront::admin {

static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + "\"";
}

// The values are JSON already.
static std::string object(std::initializer_list<std::pair<std::string_view, std::string>> members) {
    std::string out;
    for (const auto& [name, value] : members)
        out += fmt::format("{}\"{}\":{}", out.empty() ? "{" : ",", name, value);
    return out + "}";
}

static std::string latency(const Latencies& latencies) {
    const auto seconds = [&](double q) {
        return fmt::format("{}", static_cast<double>(latencies.quantile_us(q)) / 1e6);
    };
    return object({{"count", std::to_string(latencies.count())},
                   {"p50_seconds", seconds(0.5)},
                   {"p99_seconds", seconds(0.99)}});
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
                   {"forwarded", latency(totals.forwarded_latency)}});
}

static std::string seconds(std::uint64_t us) {
    return fmt::format("{:.6f}", static_cast<double>(us) / 1e6);
}

std::string templates_json(const std::vector<session::TemplateRow>& rows) {
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
                                                    {"bytes", std::to_string(row.bytes)}});
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
