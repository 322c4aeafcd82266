// cache/store.h: results in memory: look up, fill, drop, within a byte budget.
//
// Sharded by key hash; every call takes one shard's lock for a hash look-up and a few pointer moves (a fill
// also for evicting what its own bytes displace), never longer: an entry's memory is freed outside it, and
// the table grows by single buckets (cache/table.h). A hit allocates nothing. Admission and eviction are
// decided by cache/policy.h, one instance per shard, the same code that cache_sim runs. A look-up that finds
// a void or expired entry removes it and is a miss; one that may still be given while PostgreSQL cannot be
// reached (Lifetime::stale_ms) stays, for find_stale().
//
// The budget counts entries as the allocator does, the tables, the policies' own memory and the shards
// themselves. Thread-safe. An entry is in one store at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/entry.h"
#include "cache/key.h"

namespace warmfront::cache {

struct StoreOptions {
    std::size_t memory_bytes = std::size_t{256} << 20;
    std::uint64_t ttl_ms = 10'000;
    std::size_t shards = 0;  // 0: one per 16 MiB, 64 at most
};

struct StoreStats {  // sums over shards since the start; entries and bytes are of now
    std::uint64_t entries = 0, bytes = 0;
    // Refused: not current any more, larger than a shard may hold, or not newer than the one that is there.
    std::uint64_t fills = 0, fills_refused = 0;
    std::uint64_t evictions = 0;            // for room
    std::uint64_t expired = 0, voided = 0;  // found too old; found overtaken by a write
};

class Store {
public:
    explicit Store(StoreOptions options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // Null on a miss. now_ms: the same clock as Entry::filled_at_ms.
    [[nodiscard]] EntryRef find(const KeyView& key, std::uint64_t now_ms) { return find(key, now_ms, false); }
    // Also gives an entry whose ttl is over by less than its stale_ms, or that was asked for before
    // PostgreSQL was lost sight of; never one that a write has overtaken.
    [[nodiscard]] EntryRef find_stale(const KeyView& key, std::uint64_t now_ms) {
        return find(key, now_ms, true);
    }
    // What is there, told without asking for it: nothing is counted, touched or dropped.
    struct Glance {
        bool current = false;     // there, not expired, not overtaken
        bool overtaken = false;   // there, but a write or a loss has overtaken it
        bool awaits_use = false;  // see Entry; of a current one, as are these
        std::uint64_t filled_at_ms = 0, expires_at_ms = 0;
        std::size_t charge = 0;
    };
    [[nodiscard]] Glance glance(const KeyView& key, std::uint64_t now_ms) const;
    // Takes the entry unless it is not current; an older one of the same key is replaced, and one that was
    // asked for at the same time or later stays (a slow answer never takes readers back). False if refused.
    // The policy may evict a taken entry at once.
    bool fill(EntryRef entry);
    void clear();
    // Takes effect for new decisions at once; a smaller budget evicts. The number of shards stays.
    void set_limits(std::size_t memory_bytes, std::uint64_t ttl_ms);
    [[nodiscard]] StoreStats stats() const;

private:
    struct Shard;
    [[nodiscard]] EntryRef find(const KeyView& key, std::uint64_t now_ms, bool or_stale);
    [[nodiscard]] Shard& shard_of(std::uint64_t hash) const;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace warmfront::cache
