#include "cache/table.h"

#include <bit>

#include "config/ensure.h"

namespace warmfront::cache {

static constexpr std::size_t kBucketsPerEntryMin = 2;
static constexpr std::size_t kBucketsPerEntryMax = 4;

// Buckets are numbered so that number b splits off from b without its highest bit.
static std::size_t parent_of(std::size_t bucket) {
    return bucket - std::bit_floor(bucket);
}

Table::Table() {
    segments_.push_back(std::make_unique<Segment>());
}

std::size_t Table::bucket_of(std::uint64_t hash) const {
    const std::size_t bucket = hash & (std::bit_ceil(buckets_) - 1);
    return bucket < buckets_ ? bucket : parent_of(bucket);
}

std::size_t Table::bytes() const {
    return segments_.size() * sizeof(Segment) + segments_.capacity() * sizeof(segments_[0]);
}

const Entry* Table::find(const KeyView& key) const {
    const Entry* entry = head(bucket_of(key.hash));
    while (entry != nullptr && !(entry->node_.hash == key.hash && entry->key() == key))
        entry = entry->next_in_bucket_;
    return entry;
}

void Table::insert(const Entry* entry) {
    const Entry*& first = head(bucket_of(entry->node_.hash));
    entry->next_in_bucket_ = std::exchange(first, entry);
    ++size_;
    entry->came_into_table();
    for (std::size_t i = 0; i < kBucketsPerEntryMin && buckets_ < size_ * kBucketsPerEntryMin; ++i)
        split_next();
}

void Table::remove(const Entry* entry) {
    const Entry** link = &head(bucket_of(entry->node_.hash));
    while (*link != entry) {
        ensure(*link != nullptr, "an entry is removed that is not in its bucket");
        link = &(*link)->next_in_bucket_;
    }
    *link = std::exchange(entry->next_in_bucket_, nullptr);
    --size_;
    entry->left_table();
    for (std::size_t i = 0;
         i < kBucketsPerEntryMax && buckets_ > kSegmentBuckets && buckets_ > size_ * kBucketsPerEntryMax;
         ++i) {
        merge_last();
    }
}

void Table::split_next() {
    const std::size_t added = buckets_;
    if (added / kSegmentBuckets == segments_.size()) segments_.push_back(std::make_unique<Segment>());
    ++buckets_;
    const Entry** link = &head(parent_of(added));
    while (*link != nullptr) {
        const Entry* entry = *link;
        if (bucket_of(entry->node_.hash) != added) {
            link = &entry->next_in_bucket_;
            continue;
        }
        *link = entry->next_in_bucket_;
        entry->next_in_bucket_ = std::exchange(head(added), entry);
    }
}

void Table::merge_last() {
    const std::size_t last = --buckets_;
    const Entry* moved = std::exchange(head(last), nullptr);
    const Entry** link = &head(parent_of(last));
    while (*link != nullptr) link = &(*link)->next_in_bucket_;
    *link = moved;
    if (last % kSegmentBuckets == 0) segments_.pop_back();
}

}  // namespace warmfront::cache
