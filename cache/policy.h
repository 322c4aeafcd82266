// cache/policy.h: which entries stay: admission and eviction, adaptive.
//
// No fixed policy is good everywhere: S3-FIFO and W-TinyLFU lose 10 to 20 points of hit ratio to LRU on the
// bursts of an ORM in a small cache, LRU and ARC lose several to them on web sites, file systems and loops.
// So five rules compete (cache/policy_queues.h: ARC, LRU, and S3-FIFO-like queues with a first queue of 1, 10
// and 30 %). Each runs in a shadow (cache/policy_shadow.h), a cache without contents, on every key as long as
// the cache has at most some hundred entries and on a sample by key hash above that. The entries themselves
// are in two queues and their ghosts, state that all rules share, and are evicted by the rule whose shadow
// had the most hits lately: hits count half after six times as many requests as there are entries (1,000 at
// least), and a rule must lead by 0.25 standard deviations to take over.
//
// Sizes: shares of the queues are of charge, ghosts are counted. An entry much larger than usual must be
// asked for several times within the ghosts' memory before others are evicted for it: twice above 32 times
// the geometric mean, thrice above 64 times, ...; one larger than the capacity is never admitted. Until then
// it is its own victim.
//
// Memory beside the nodes: 20 to 40 bytes a resident entry for its ghost, and up to 320 KiB for the shadows.
// It grows by doubling as the cache fills and as it first evicts, not after; memory_bytes() says what it is
// now, for the budget. Time: constant, amortised; one call of victim() gives at most 64 second chances. A
// request costs some 50 to 150 ns; in caches below 256 entries, where all of them run through five shadows,
// 200 to 400.
//
// Sources: Megiddo, Modha, "ARC" (FAST 2003); Yang et al., "FIFO Queues are All You Need for Cache Eviction"
// (SOSP 2023: S3-FIFO); Johnson, Shasha, "2Q" (VLDB 1994); Gramacy et al., "Adaptive Caching by Refetching"
// (NIPS 2002) and Subramanian et al., "Adaptive Caches" (MICRO 2006) for policies that compete in shadows;
// Waldspurger et al. (ATC 2017) for the sampled shadows; Einziger et al., "TinyLFU" (2017) and "Lightweight
// Robust Size Aware Cache Management" (2022) for admission.
//
// Works on intrusive nodes so that the store and cache_sim run the same code: it never allocates per access.
// Not thread-safe: one per shard, under the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace warmfront::cache {

// Embedded in whatever is cached (one per resident entry).
struct PolicyNode {
    PolicyNode* previous = nullptr;
    PolicyNode* next = nullptr;
    std::uint64_t hash = 0;    // of the key, well mixed; identity in the ghost lists
    std::uint32_t charge = 0;  // in the unit of the capacity (bytes in the store, 1 in cache_sim), saturating
    std::uint8_t where = 0;    // the policy's own
    std::uint8_t uses = 0;     // the policy's own
};

class Policy {
public:
    explicit Policy(std::size_t capacity);
    ~Policy();
    Policy(const Policy&) = delete;
    Policy& operator=(const Policy&) = delete;

    // A resident entry was asked for.
    void touched(PolicyNode& node);
    // A new entry was put in (after a miss). Afterwards the caller calls victim() until it gives nullptr.
    void inserted(PolicyNode& node);
    // The entry left for another reason than victim() (voided, expired, replaced).
    void removed(PolicyNode& node);
    // The next entry to evict while the charge is over capacity, already unlinked; nullptr when it fits.
    // It may be the entry just inserted (not admitted).
    [[nodiscard]] PolicyNode* victim();
    // The victim stays after all, as if it had proved itself; no request is counted. The caller goes on
    // calling victim(), and spares no more than some of them.
    void spared(PolicyNode& node);
    // The caller calls victim() until it gives nullptr.
    void set_capacity(std::size_t capacity);
    [[nodiscard]] std::size_t charge() const;
    // Of ghosts and shadows, now.
    [[nodiscard]] std::size_t memory_bytes() const;

private:
    struct State;
    State* state_;
};

}  // namespace warmfront::cache
