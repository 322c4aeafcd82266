// cache/worth.h: what entries that were fetched before anybody asked for them came to.
//
// One for each owner (a statement template); outlives every entry that names it. Written under the locks of
// shards, read by anybody.
#pragma once

#include <atomic>
#include <cstdint>

namespace warmfront::cache {

struct Worth {
    std::atomic<std::uint64_t> fetched{0};   // entries stored
    std::atomic<std::uint64_t> used{0};      // of those, asked for at least once
    std::atomic<std::uint64_t> unused{0};    // left the store before
    std::atomic<std::uint64_t> spent_us{0};  // of PostgreSQL, for all that was fetched, stored or not
    std::atomic<std::uint64_t> saved_us{0};  // of PostgreSQL, that the first use of each would have cost
};

}  // namespace warmfront::cache
