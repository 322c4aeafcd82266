// proxy/session/template_row.h: what is shown of the ledger (proxy/session/ledger.h). Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sql/analysis.h"

namespace warmfront::session {

// What switched a template off.
enum class Off : std::uint8_t { No, BreakEven, Mismatch };
[[nodiscard]] inline std::string_view name_of(Off off) {
    switch (off) {
        case Off::No: return "on";
        case Off::BreakEven: return "off: break_even";
        case Off::Mismatch: return "off: mismatch";
    }
    return "off";
}

struct TemplateRow {  // of SHOW TEMPLATES
    std::uint64_t digest = 0;
    std::string database, text;
    sql::QueryClass query_class = sql::QueryClass::Opaque;
    bool cacheable = false;
    std::string refusal;  // why not
    Off off = Off::No;
    std::string off_reason;
    std::uint64_t requests = 0, hits = 0, misses = 0, would_hits = 0;
    std::uint64_t origin_mean_us = 0, saved_us = 0;  // saved: in observe mode, would have been
    std::uint64_t verified = 0, mismatches = 0;
    // Of answers fetched before they were asked for: cache/worth.h.
    std::uint64_t fetched = 0, fetched_used = 0, fetched_unused = 0;
    std::uint64_t fetch_spent_us = 0, fetch_saved_us = 0;
    std::int64_t entries = 0, bytes = 0;  // of answers in memory now; in observe mode, that would be

    void add_numbers(const TemplateRow& other) {
        requests += other.requests;
        hits += other.hits;
        misses += other.misses;
        would_hits += other.would_hits;
        saved_us += other.saved_us;
        verified += other.verified;
        mismatches += other.mismatches;
        fetched += other.fetched;
        fetched_used += other.fetched_used;
        fetched_unused += other.fetched_unused;
        fetch_spent_us += other.fetch_spent_us;
        fetch_saved_us += other.fetch_saved_us;
        entries += other.entries;
        bytes += other.bytes;
    }
    // Of all requests that could have been a hit, those that were or would have been; 0 without any.
    [[nodiscard]] double hit_ratio() const {
        const std::uint64_t found = hits + would_hits;
        return found == 0 ? 0 : static_cast<double>(found) / static_cast<double>(found + misses);
    }
};

struct LedgerTotals {
    std::uint64_t would_hits = 0, saved_us = 0, verified = 0, mismatches = 0;
    std::uint64_t fetched = 0, fetched_used = 0, fetched_unused = 0;  // as in TemplateRow
    std::uint64_t fetch_spent_us = 0, fetch_saved_us = 0;
    std::size_t off_by_break_even = 0, off_by_mismatch = 0;
};

}  // namespace warmfront::session
