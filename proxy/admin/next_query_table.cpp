#include "proxy/admin/next_query_table.h"

#include <array>

#include <fmt/format.h>

#include "sql/choices.h"

namespace warmfront::admin {
namespace {

std::string_view state_of(const forecast::NextQueryRow& row) {
    if (row.off) return "off: wasteful";
    return row.in_force ? "on" : "learning";
}

std::string milliseconds(std::uint64_t us) {
    return fmt::format("{:.1f}", static_cast<double>(us) / 1000);
}

}  // namespace

std::span<const std::string_view> next_query_columns() {
    static constexpr std::array<std::string_view, 20> kColumns{
        "database",   "digest", "next_digest", "state",     "probability", "mapping",    "confidence",
        "parameters", "rows",   "seen",        "predicted", "there",       "prefetched", "used",
        "late",       "wasted", "saved_ms",    "wasted_ms", "query",       "next_query"};
    return kColumns;
}

std::vector<std::vector<std::string>> next_query_table(std::span<const session::NextQueryView> views) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [from, to, row] : views) {
        const forecast::NextQueryCounts& counts = row.counts;
        rows.push_back({to.database,
                        sql::digest_text(from.digest),
                        sql::digest_text(to.digest),
                        std::string(state_of(row)),
                        fmt::format("{:.3f}", row.probability),
                        fmt::format("{:.3f}", row.mapping),
                        fmt::format("{:.3f}", row.confidence),
                        row.sources,
                        std::to_string(row.rows),
                        std::to_string(row.seen),
                        std::to_string(counts.predicted),
                        std::to_string(counts.there),
                        std::to_string(counts.prefetched),
                        std::to_string(counts.used),
                        std::to_string(counts.late),
                        std::to_string(counts.wasted),
                        milliseconds(counts.saved_us),
                        milliseconds(counts.wasted_us),
                        from.text,
                        to.text});
    }
    return rows;
}

}  // namespace warmfront::admin
