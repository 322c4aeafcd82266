// cache/policy.h: which entries stay: admission and eviction, adaptive.
//
// (The author of the policy describes it here: its queues, what it adapts and from which evidence, sources.)
//
// Works on intrusive nodes so that the store and cache_sim run the same code: it never allocates per access. Not
// thread-safe: one per shard, under the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace warmfront::cache {

// Embedded in whatever is cached (one per resident entry).
struct PolicyNode {
    PolicyNode* previous = nullptr;
    PolicyNode* next = nullptr;
    std::uint64_t hash = 0;    // of the key; identity in the ghost lists
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
    void set_capacity(std::size_t capacity);
    [[nodiscard]] std::size_t charge() const;

private:
    struct State;
    State* state_;
};

}  // namespace warmfront::cache
