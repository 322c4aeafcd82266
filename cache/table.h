// cache/table.h: one shard's entries by key: linear hashing over chains that run through the entries
// themselves.
//
// Linear hashing (Litwin 1980) adds or merges one bucket at a time, so there is never a rehash to wait for:
// an insert splits two buckets at most, a removal merges four. Two to four buckets of 8 bytes per entry; they
// come in segments of 4 KiB, allocated and freed singly. (Rejected: open addressing with a doubling table. It
// saves a quarter of a cache miss per look-up and pays with a pause that grows with the shard, or with two
// tables to search.)
//
// Holds pointers, no references: the store counts. Not thread-safe: under the shard's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cache/entry.h"
#include "cache/key.h"

namespace warmfront::cache {

class Table {
public:
    Table();

    // nullptr if there is none.
    [[nodiscard]] const Entry* find(const KeyView& key) const;
    // No entry of that key may be in.
    void insert(const Entry* entry);
    // The entry must be in.
    void remove(const Entry* entry);
    // Empties the table: gives the entries to take() one by one; each may be freed there.
    template <class Take>
    void drain(const Take& take) {
        for (std::size_t bucket = 0; bucket < buckets_; ++bucket) {
            for (const Entry* entry = std::exchange(head(bucket), nullptr); entry != nullptr;) {
                entry->left_table();
                take(std::exchange(entry, entry->next_in_bucket_));
            }
        }
        size_ = 0;
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes() const;

private:
    static constexpr std::size_t kSegmentBuckets = 512;
    using Segment = std::array<const Entry*, kSegmentBuckets>;

    [[nodiscard]] const Entry*& head(std::size_t bucket) {
        return (*segments_[bucket / kSegmentBuckets])[bucket % kSegmentBuckets];
    }
    [[nodiscard]] const Entry* head(std::size_t bucket) const {
        return (*segments_[bucket / kSegmentBuckets])[bucket % kSegmentBuckets];
    }
    [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const;
    void split_next();
    void merge_last();

    std::vector<std::unique_ptr<Segment>> segments_;
    std::size_t buckets_ = kSegmentBuckets;
    std::size_t size_ = 0;
};

// References to entries that have left a table, given up when this dies: outlive the lock with it. Chains the
// entries, so it allocates nothing.
class Dropped {
public:
    Dropped() = default;
    ~Dropped() {
        while (first_ != nullptr) {
            const EntryRef last = EntryRef::adopt(std::exchange(first_, first_->next_in_bucket_));
        }
    }
    Dropped(const Dropped&) = delete;
    Dropped& operator=(const Dropped&) = delete;
    void add(const Entry* entry) { entry->next_in_bucket_ = std::exchange(first_, entry); }
    // Gives the references to take() one by one, the last added first.
    template <class Take>
    void take_all(const Take& take) {
        while (first_ != nullptr) {
            const Entry* entry = std::exchange(first_, first_->next_in_bucket_);
            entry->next_in_bucket_ = nullptr;
            take(EntryRef::adopt(entry));
        }
    }

private:
    const Entry* first_ = nullptr;
};

}  // namespace warmfront::cache
