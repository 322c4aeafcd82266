// cache/store.h: results in memory: look up, fill, drop, within a byte budget.
//
// Sharded by key hash; every call takes one shard's lock for a hash look-up and a few pointer moves, never longer (an
// entry's memory is freed outside it). Admission and eviction are decided by cache/policy.h, one instance per shard,
// the same code that cache_sim runs. A look-up that finds a void or expired entry removes it and is a miss.
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
    std::size_t shards = 0;  // 0: chosen from memory_bytes
};

struct StoreStats {  // sums over shards since the start; entries and bytes are of now
    std::uint64_t entries = 0, bytes = 0;
    std::uint64_t fills = 0, fills_refused = 0;  // refused: not current any more, or larger than a shard may hold
    std::uint64_t evictions = 0;                 // for room
    std::uint64_t expired = 0, voided = 0;       // found too old; found overtaken by a write
};

class Store {
public:
    explicit Store(StoreOptions options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // Null on a miss. now_ms: the same clock as Entry::filled_at_ms.
    [[nodiscard]] EntryRef find(const KeyView& key, std::uint64_t now_ms);
    // Takes the entry unless it is not current; an older one of the same key is replaced. False if refused.
    bool fill(EntryRef entry);
    void clear();
    // Takes effect for new decisions at once; a smaller budget evicts.
    void set_limits(std::size_t memory_bytes, std::uint64_t ttl_ms);
    [[nodiscard]] StoreStats stats() const;

private:
    struct Shard;
    [[nodiscard]] Shard& shard_of(const KeyView& key) const;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace warmfront::cache
