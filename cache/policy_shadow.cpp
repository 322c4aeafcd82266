#include "cache/policy_shadow.h"

#include <bit>
#include <type_traits>

namespace warmfront::cache {

namespace {
constexpr std::size_t kEntriesAtFirst = 32;
}

Shadow::Shadow(const Rule& rule, std::size_t capacity) : queues_(rule, capacity) {
    grow();
}

bool Shadow::access(std::uint64_t hash, std::uint32_t charge) {
    if (Entry* const entry = find(hash)) {
        queues_.touched(entry->node);
        return true;
    }
    Entry* const entry = allocate();
    entry->node.hash = hash;
    entry->node.charge = charge;
    Entry*& bucket = buckets_[bucket_of(hash)];
    entry->chain = bucket;
    bucket = entry;
    queues_.inserted(entry->node);
    evict();
    return false;
}

void Shadow::removed(std::uint64_t hash) {
    Entry* const entry = find(hash);
    if (entry == nullptr) return;
    queues_.removed(entry->node);
    release(entry);
}

void Shadow::set_capacity(std::size_t capacity) {
    queues_.set_capacity(capacity);
    evict();
}

std::size_t Shadow::memory_bytes() const {
    return entries_max_ * sizeof(Entry) + buckets_.capacity() * sizeof(buckets_[0]) + queues_.ghost_bytes();
}

// The middle of the hash, as in Ghosts; multiplied, since the sample fixes some of its bits.
std::size_t Shadow::bucket_of(std::uint64_t hash) const {
    return (hash * 0x9E3779B97F4A7C15U) >> (64 - std::countr_zero(buckets_.size()));
}

Shadow::Entry* Shadow::find(std::uint64_t hash) const {
    Entry* entry = buckets_[bucket_of(hash)];
    while (entry != nullptr && entry->node.hash != hash) entry = entry->chain;
    return entry;
}

Shadow::Entry* Shadow::allocate() {
    if (free_ == nullptr) grow();
    Entry* const entry = free_;
    free_ = entry->chain;
    return entry;
}

void Shadow::grow() {
    const std::size_t more = entries_max_ == 0 ? kEntriesAtFirst : entries_max_;
    std::vector<Entry*> buckets(entries_max_ + more, nullptr);
    buckets_.swap(buckets);
    for (Entry* entry : buckets) {
        while (entry != nullptr) {
            Entry* const next = entry->chain;
            Entry*& bucket = buckets_[bucket_of(entry->node.hash)];
            entry->chain = bucket;
            bucket = entry;
            entry = next;
        }
    }
    chunks_.push_back(std::make_unique<Entry[]>(more));
    for (std::size_t i = 0; i < more; ++i) {
        Entry& entry = chunks_.back()[i];
        entry.chain = free_;
        free_ = &entry;
    }
    entries_max_ += more;
}

void Shadow::release(Entry* entry) {
    Entry** link = &buckets_[bucket_of(entry->node.hash)];
    while (*link != entry) link = &(*link)->chain;
    *link = entry->chain;
    entry->chain = free_;
    free_ = entry;
}

void Shadow::evict() {
    static_assert(std::is_standard_layout_v<Entry>);
    while (PolicyNode* const victim = queues_.victim()) release(reinterpret_cast<Entry*>(victim));
}

}  // namespace warmfront::cache
