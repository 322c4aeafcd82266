// cache/policy_ghosts.h: what was evicted lately, by key hash only, oldest first per queue.
//
// A key that is asked for again while it is remembered here was evicted too early; which queue it had left
// tells the policy what to change. 16 bytes a ghost and 4 of hash table; 20 to 40 in all, since both
// grow by doubling and do not shrink. Keys are told apart by 32 bits of their hash: a mistake costs one entry
// a wrong place, at most once in some thousand look-ups. 16,777,213 ghosts at most, further ones are not
// remembered. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace warmfront::cache {

enum class QueueName : std::uint8_t { Small, Main };

struct Ghost {
    QueueName from = QueueName::Small;
    bool evicted = true;    // false: the entry was taken out by its owner, which says nothing about the queue
    std::uint8_t seen = 1;  // times the key was inserted without being kept for long; at most kSeenMax
    static constexpr std::uint8_t kSeenMax = 63;
};

class Ghosts {
public:
    Ghosts();

    // Finds and forgets; nullopt if it is not remembered.
    [[nodiscard]] std::optional<Ghost> take(std::uint64_t hash);
    // The key must not be remembered already (take() it first).
    void add(std::uint64_t hash, Ghost ghost);
    // There must be one.
    void forget_oldest(QueueName queue);
    [[nodiscard]] std::size_t count(QueueName queue) const {
        return counts_[static_cast<std::size_t>(queue)];
    }
    [[nodiscard]] std::size_t count() const { return counts_[0] + counts_[1]; }
    [[nodiscard]] std::size_t memory_bytes() const;

private:
    using Index = std::uint32_t;
    struct Record {
        Index previous,
            next;  // in its queue's ring, whose sentinels are records 0 and 1; next also links free ones
        std::uint32_t tag;
        std::uint32_t chain : 24;  // next record of the same bucket; 0: none
        std::uint32_t from : 1, evicted : 1, seen : 6;
    };
    static_assert(sizeof(Record) == 16);

    [[nodiscard]] std::size_t bucket_of(std::uint32_t tag) const {
        return (tag * 0x9E3779B1U) >> bucket_shift_;
    }
    [[nodiscard]] Index allocate();
    void release(Index index);
    void unlink(Index index);
    void rehash();

    std::vector<Record> records_;
    std::vector<Index> buckets_;  // a power of two of them, at least as many as records
    unsigned bucket_shift_ = 0;   // 32 - log2(buckets)
    Index free_ = 0;
    std::array<std::size_t, 2> counts_{};
};

}  // namespace warmfront::cache
