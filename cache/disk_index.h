// cache/disk_index.h: what is known in memory of the entries on disk: where each is, how old, and the lines
// of the write log that it depends on, so that whether it may still be given is judged without the disk.
//
// Records lie in the order in which they were added, the oldest go first: when more bytes are on disk than
// disk_bytes_max, as the files themselves go (FIFO), or when memory_bytes_max is reached. A record is found
// by the hash of its key; there is one for each hash. Of each line it holds the place and the low 20 bits of
// the sequence number, which are enough to know that the entry is void, and nearly enough to know that it is
// not: the whole numbers are in the value on disk (cache/disk_value.h) and have the last word.
//
// Memory: 32 bytes an entry, 8 for each line, 4 to 8 of hash table: 60 for a usual one. It is taken and given
// back in pieces of 64 KiB, of which there is always room for one; the hash table (one part in twelve of
// memory_bytes_max) is taken at once.
// Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cache/write_log.h"
#include "sql/lifetime.h"

namespace warmfront::cache {

class DiskIndex {
public:
    struct Options {
        std::size_t memory_bytes_max = std::size_t{16} << 20;
        std::uint64_t disk_bytes_max = std::uint64_t{1} << 30;
    };
    explicit DiskIndex(Options options);

    struct Record {
        std::uint64_t hash = 0;
        std::uint64_t number = 0;  // the entry's on disk; below 2^40, each greater than the one before
        std::uint32_t bytes = 0;   // on disk
        std::uint64_t filled_at_ms = 0;
        sql::Lifetime lifetime;
    };
    // In place of an older one of the same hash. Older records may go for it.
    void add(const Record& record, std::span<const Seen> seen);

    enum class State : std::uint8_t { Absent, Void, Expired, Good };
    // Of the entry with this hash, now. One that is void or expired is forgotten.
    [[nodiscard]] State look(std::uint64_t hash, std::uint64_t now_ms, std::uint64_t default_ttl_ms);

    struct Found {
        std::uint64_t number = 0;
        std::vector<const Line*> lines;
    };
    [[nodiscard]] std::optional<Found> find(std::uint64_t hash) const;
    // Whether an entry of this hash asked for at filled_at_ms is there and is not soon to go: among the
    // younger half.
    [[nodiscard]] bool holds_young(std::uint64_t hash, std::uint64_t filled_at_ms) const;
    // The one with this hash; number 0: whichever it is.
    void forget(std::uint64_t hash, std::uint64_t number = 0);
    void clear();

    [[nodiscard]] std::size_t entries() const { return entries_; }
    [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_; }  // of entries and forgotten ones
    [[nodiscard]] std::size_t memory_bytes() const;

private:
    static constexpr std::size_t kChunkWords = 8192;
    using Chunk = std::array<std::uint64_t, kChunkWords>;
    // Positions count words since the start; 0 is none. Chains and buckets hold their low 32 bits.
    using Position = std::uint64_t;

    [[nodiscard]] std::uint64_t& word(Position at) {
        return (*chunks_[(at - first_) / kChunkWords])[at % kChunkWords];
    }
    [[nodiscard]] std::uint64_t word(Position at) const {
        return (*chunks_[(at - first_) / kChunkWords])[at % kChunkWords];
    }
    [[nodiscard]] Position whole(std::uint32_t low) const;
    [[nodiscard]] std::uint32_t& bucket(std::uint64_t hash) { return buckets_[hash & bucket_mask_]; }
    [[nodiscard]] Position position_of(std::uint64_t hash) const;
    [[nodiscard]] bool lines_unmoved(Position at) const;
    void unlink(Position at);
    void drop_oldest();
    void make_room(std::size_t words);

    const Options options_;
    const std::uint64_t bucket_mask_;
    std::unique_ptr<std::uint32_t[]> buckets_;
    std::deque<std::unique_ptr<Chunk>> chunks_;
    Position first_ = 0;            // of the first chunk
    Position head_ = 1, tail_ = 1;  // the oldest record; behind the newest
    std::size_t entries_ = 0;
    std::uint64_t disk_bytes_ = 0;
};

}  // namespace warmfront::cache
