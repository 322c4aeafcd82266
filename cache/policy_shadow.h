// cache/policy_shadow.h: a cache without contents: what a rule would have kept, for a sample of the keys.
//
// Runs the same queues as the cache itself on keys and charges only; its hits tell what the rule is worth on
// this load (mini-simulation: Waldspurger et al., "Cache Modeling and Optimization using Miniature
// Simulations", ATC 2017). 48 bytes an entry, 8 of hash table, 20 to 40 of its ghost; allocates by doubling
// until it is full, then no more. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/policy_queues.h"

namespace warmfront::cache {

class Shadow {
public:
    Shadow(const Rule& rule, std::size_t capacity);
    Shadow(const Shadow&) = delete;
    Shadow& operator=(const Shadow&) = delete;

    // True if the key was there; it is afterwards, unless the rule does not admit it.
    bool access(std::uint64_t hash, std::uint32_t charge);
    void removed(std::uint64_t hash);
    // The sample became smaller: drops every key for which sampled(hash) is false.
    template <typename Sampled>
    void keep(const Sampled& sampled);
    void set_capacity(std::size_t capacity);

    [[nodiscard]] double arc_share() const { return queues_.arc_share(); }
    [[nodiscard]] std::size_t memory_bytes() const;

private:
    struct Entry {
        PolicyNode node;         // first: an Entry is found from its node
        Entry* chain = nullptr;  // next in its bucket, or the next free one
    };
    [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const;
    [[nodiscard]] Entry* find(std::uint64_t hash) const;
    [[nodiscard]] Entry* allocate();
    void grow();
    void release(Entry* entry);
    void evict();

    Queues queues_;
    std::vector<std::unique_ptr<Entry[]>> chunks_;  // each as large as all before it
    std::vector<Entry*> buckets_;                   // a power of two of them, at least as many as entries
    std::size_t entries_max_ = 0;
    Entry* free_ = nullptr;
};

template <typename Sampled>
void Shadow::keep(const Sampled& sampled) {
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        for (Entry* entry = buckets_[bucket]; entry != nullptr;) {
            Entry* const next = entry->chain;
            if (!sampled(entry->node.hash)) {
                queues_.removed(entry->node);
                release(entry);
            }
            entry = next;
        }
    }
}

}  // namespace warmfront::cache
