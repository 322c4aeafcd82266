// sql/lifetime.h: how long an answer may be kept at most, beside what is found out about its tables, and how
// much longer it may be given while PostgreSQL cannot be reached.
#pragma once

#include <algorithm>
#include <cstdint>

namespace warmfront::sql {

struct Lifetime {
    std::uint32_t ms = 0;         // 0: none of its own, cache.ttl holds
    bool at_most_default = true;  // the shorter one of `ms` and cache.ttl
    std::uint32_t stale_ms = 0;   // beyond that, while PostgreSQL cannot be reached; 0: not at all
    bool operator==(const Lifetime&) const = default;

    [[nodiscard]] std::uint64_t within(std::uint64_t default_ms) const {
        if (ms == 0) return default_ms;
        return at_most_default ? std::min<std::uint64_t>(ms, default_ms) : ms;
    }
};

}  // namespace warmfront::sql
