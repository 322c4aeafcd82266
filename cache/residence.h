// cache/residence.h: how much of a store belongs to one owner (a statement template), kept up to date by the
// store.
#pragma once

#include <atomic>
#include <cstdint>

namespace warmfront::cache {

// Outlives every entry that names it. Written under the locks of shards, read by anybody.
struct Residence {
    std::atomic<std::int64_t> entries{0};
    std::atomic<std::int64_t> bytes{0};  // as the memory budget is charged

    void came(std::size_t charge) noexcept {
        entries.fetch_add(1, std::memory_order_relaxed);
        bytes.fetch_add(static_cast<std::int64_t>(charge), std::memory_order_relaxed);
    }
    // With the last entry gone (acquire), the owner may free this: nothing is touched after that step.
    void left(std::size_t charge) noexcept {
        bytes.fetch_sub(static_cast<std::int64_t>(charge), std::memory_order_relaxed);
        entries.fetch_sub(1, std::memory_order_release);
    }
};

}  // namespace warmfront::cache
