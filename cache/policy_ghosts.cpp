// Two rings of records through one array (records 0 and 1 are their sentinels) and chained buckets over all
// of them. Indices of 24 and 32 bits in place of pointers halve the size and let the array move when it
// grows.
#include "cache/policy_ghosts.h"

#include "config/ensure.h"

namespace warmfront::cache {

namespace {

constexpr std::size_t kSentinels = 2;
constexpr std::size_t kBucketsAtFirst = 64;
constexpr std::size_t kRecordsMax = (std::size_t{1} << 24) - 1;

// The store takes its shard and its bucket from either end of the hash: the middle varies within a shard.
std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 16);
}

}  // namespace

Ghosts::Ghosts() : records_(kSentinels), buckets_(kBucketsAtFirst), bucket_shift_(32 - 6) {
    for (Index sentinel = 0; sentinel < kSentinels; ++sentinel) {
        records_[sentinel].previous = records_[sentinel].next = sentinel;
    }
}

std::optional<Ghost> Ghosts::take(std::uint64_t hash) {
    const std::uint32_t tag = tag_of(hash);
    Index index = buckets_[bucket_of(tag)];
    while (index != 0 && records_[index].tag != tag) index = records_[index].chain;
    if (index == 0) return std::nullopt;
    const Record& record = records_[index];
    const Ghost ghost{static_cast<QueueName>(record.from), record.evicted != 0,
                      static_cast<std::uint8_t>(record.seen)};
    release(index);
    return ghost;
}

void Ghosts::add(std::uint64_t hash, Ghost ghost) {
    const Index index = allocate();
    if (index == 0) return;
    Record& record = records_[index];
    record.tag = tag_of(hash);
    record.from = static_cast<std::uint32_t>(ghost.from) & 1U;
    record.evicted = ghost.evicted ? 1 : 0;
    record.seen = ghost.seen & Ghost::kSeenMax;
    Index& bucket = buckets_[bucket_of(record.tag)];
    record.chain = bucket & 0xFFFFFFU;
    bucket = index;
    const Index sentinel = record.from;
    record.previous = sentinel;
    record.next = records_[sentinel].next;
    records_[record.next].previous = index;
    records_[sentinel].next = index;
    ++counts_[record.from];
}

void Ghosts::forget_oldest(QueueName queue) {
    const Index oldest = records_[static_cast<Index>(queue)].previous;
    ensure(oldest >= kSentinels, "a ghost is forgotten where none is");
    release(oldest);
}

std::size_t Ghosts::memory_bytes() const {
    return records_.capacity() * sizeof(Record) + buckets_.capacity() * sizeof(Index);
}

Ghosts::Index Ghosts::allocate() {
    if (free_ != 0) {
        const Index index = free_;
        free_ = records_[index].next;
        return index;
    }
    if (records_.size() >= kRecordsMax) return 0;
    records_.emplace_back();
    if (records_.size() > buckets_.size()) rehash();
    return static_cast<Index>(records_.size() - 1);
}

void Ghosts::release(Index index) {
    unlink(index);
    records_[index].next = free_;
    free_ = index;
}

void Ghosts::unlink(Index index) {
    const Record& record = records_[index];
    const std::size_t bucket = bucket_of(record.tag);
    if (buckets_[bucket] == index) {
        buckets_[bucket] = record.chain;
    } else {
        Index before = buckets_[bucket];
        while (records_[before].chain != index) before = records_[before].chain;
        records_[before].chain = record.chain;
    }
    records_[record.previous].next = record.next;
    records_[record.next].previous = record.previous;
    --counts_[record.from];
}

// Called while every record but the newest, which has no tag yet, is in a ring.
void Ghosts::rehash() {
    buckets_.assign(buckets_.size() * 2, 0);
    --bucket_shift_;
    for (Index sentinel = 0; sentinel < kSentinels; ++sentinel) {
        for (Index i = records_[sentinel].next; i != sentinel; i = records_[i].next) {
            Index& bucket = buckets_[bucket_of(records_[i].tag)];
            records_[i].chain = bucket & 0xFFFFFFU;
            bucket = i;
        }
    }
}

}  // namespace warmfront::cache
