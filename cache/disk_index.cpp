// A record, in words of 8 bytes:
//   0   hash
//   1   number << 24 | count of lines << 8 | alive
//   2   filled_at (low 32 bits) << 32 | next in its bucket's chain (low 32 bits of a position)
//   3   ttl_ms << 32 | bytes on disk
//   4.. per line: address / 8 << 20 | low bits of the sequence number
// Records do not cross chunks: the rest of a chunk is skipped, which word 1 says (kSkip) where there is room
// for one.
#include "cache/disk_index.h"

#include <algorithm>
#include <bit>

#include "cache/expiry.h"
#include "config/ensure.h"

namespace warmfront::cache {
namespace {

constexpr std::size_t kHeadWords = 4;
constexpr std::uint64_t kSkip = ~std::uint64_t{0};
constexpr std::uint64_t kAlive = 1, kAtMostDefault = 2;
constexpr unsigned kSequenceBits = 20;
constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << kSequenceBits) - 1;
constexpr unsigned kAddressBits = 47;  // of a user's process (x86-64, arm64)
constexpr std::size_t kChunkBytes = 8192 * sizeof(std::uint64_t);
constexpr std::size_t kBytesPerBucket = 48;

std::size_t lines_of(std::uint64_t word1) {
    return word1 >> 8 & 0xffff;
}

std::uint64_t packed(const Seen& seen) {
    const auto address = reinterpret_cast<std::uintptr_t>(seen.line);
    ensure(address >> kAddressBits == 0 && address % 8 == 0, "a line has an address that can be packed");
    return address / 8 << kSequenceBits | (seen.sequence & kSequenceMask);
}

const Line* line_in(std::uint64_t packed_seen) {
    return reinterpret_cast<const Line*>((packed_seen >> kSequenceBits) * 8);  // NOLINT: packed() made it
}

}  // namespace

DiskIndex::DiskIndex(Options options)
    : options_(options),
      bucket_mask_(std::bit_floor(std::max<std::size_t>(options.memory_bytes_max / kBytesPerBucket, 64)) - 1),
      buckets_(std::make_unique<std::uint32_t[]>(bucket_mask_ + 1)) {}

std::size_t DiskIndex::memory_bytes() const {
    return (bucket_mask_ + 1) * sizeof(std::uint32_t) + chunks_.size() * kChunkBytes;
}

DiskIndex::Position DiskIndex::whole(std::uint32_t low) const {
    if (low == 0) return 0;
    return head_ + static_cast<std::uint32_t>(low - static_cast<std::uint32_t>(head_));
}

DiskIndex::Position DiskIndex::position_of(std::uint64_t hash) const {
    Position at = whole(buckets_[hash & bucket_mask_]);
    while (at != 0 && word(at) != hash) at = whole(static_cast<std::uint32_t>(word(at + 2)));
    return at;
}

void DiskIndex::unlink(Position at) {
    std::uint32_t& first = bucket(word(at));
    const auto next = static_cast<std::uint32_t>(word(at + 2));
    if (whole(first) == at) {
        first = next;
    } else {
        Position before = whole(first);
        while (whole(static_cast<std::uint32_t>(word(before + 2))) != at) {
            before = whole(static_cast<std::uint32_t>(word(before + 2)));
            ensure(before != 0, "a record is in the chain of its bucket");
        }
        word(before + 2) = (word(before + 2) >> 32 << 32) | next;
    }
    word(at + 1) &= ~kAlive;
    --entries_;
}

void DiskIndex::drop_oldest() {
    if (static_cast<std::uint32_t>(head_) == 0) ++head_;
    const bool last_word = head_ % kChunkWords == kChunkWords - 1;
    const std::uint64_t word1 = last_word ? kSkip : word(head_ + 1);
    if (word1 != kSkip) {
        if ((word1 & kAlive) != 0) unlink(head_);
        disk_bytes_ -= static_cast<std::uint32_t>(word(head_ + 3));
        head_ += kHeadWords + lines_of(word1);
    }
    if (word1 == kSkip || head_ % kChunkWords == 0) {
        head_ = first_ + kChunkWords;
        first_ = head_;
        chunks_.pop_front();
    }
}

// For a record of so many words, at tail_.
void DiskIndex::make_room(std::size_t words) {
    const std::size_t used = tail_ % kChunkWords;
    if (!chunks_.empty() && used != 0 && used + words > kChunkWords) {
        if (used + 1 < kChunkWords) word(tail_ + 1) = kSkip;
        tail_ += kChunkWords - used;
    }
    if (static_cast<std::uint32_t>(tail_) == 0) ++tail_;  // no record is at what stands for none
    if (chunks_.empty() || tail_ - first_ >= chunks_.size() * kChunkWords) {
        while (head_ < tail_ && memory_bytes() + kChunkBytes > options_.memory_bytes_max) drop_oldest();
        if (chunks_.empty()) {
            first_ = tail_ - tail_ % kChunkWords;
            head_ = tail_;
        }
        chunks_.push_back(std::make_unique<Chunk>());
    }
}

void DiskIndex::add(const Record& record, std::span<const Seen> seen) {
    forget(record.hash);
    const std::size_t words = kHeadWords + seen.size();
    disk_bytes_ += record.bytes;
    while (disk_bytes_ > options_.disk_bytes_max && head_ < tail_) drop_oldest();
    make_room(words);
    const Position at = tail_;
    tail_ += words;
    word(at) = record.hash;
    word(at + 1) = record.number << 24 | seen.size() << 8 | kAlive |
                   (record.lifetime.at_most_default ? kAtMostDefault : 0);
    word(at + 2) = record.filled_at_ms << 32 | bucket(record.hash);
    word(at + 3) = std::uint64_t{record.lifetime.ms} << 32 | record.bytes;
    for (std::size_t i = 0; i < seen.size(); ++i) word(at + kHeadWords + i) = packed(seen[i]);
    bucket(record.hash) = static_cast<std::uint32_t>(at);
    ++entries_;
}

bool DiskIndex::lines_unmoved(Position at) const {
    const std::size_t lines = lines_of(word(at + 1));
    for (std::size_t i = 0; i < lines; ++i) {
        const std::uint64_t seen = word(at + kHeadWords + i);
        if ((line_in(seen)->sequence.load() & kSequenceMask) != (seen & kSequenceMask)) return false;
    }
    return true;
}

DiskIndex::State DiskIndex::look(std::uint64_t hash, std::uint64_t now_ms, std::uint64_t default_ttl_ms) {
    const Position at = position_of(hash);
    if (at == 0) return State::Absent;
    const bool at_most_default = (word(at + 1) & kAtMostDefault) != 0;
    const sql::Lifetime lifetime{static_cast<std::uint32_t>(word(at + 3) >> 32), at_most_default, 0};
    // The low 32 bits of both: an age of up to 49 days; what is a little before its time is new.
    const auto age_ms = static_cast<std::int64_t>(static_cast<std::uint32_t>(now_ms) -
                                                  static_cast<std::uint32_t>(word(at + 2) >> 32));
    constexpr std::int64_t kAboutToCome = 1000;
    const bool is_new = age_ms > (std::int64_t{1} << 32) - kAboutToCome;
    State state = State::Good;
    if (!is_new && static_cast<std::uint64_t>(age_ms) >= lifetime.within(default_ttl_ms))
        state = State::Expired;
    else if (!lines_unmoved(at))
        state = State::Void;
    if (state != State::Good) unlink(at);
    return state;
}

std::optional<DiskIndex::Found> DiskIndex::find(std::uint64_t hash) const {
    const Position at = position_of(hash);
    if (at == 0) return std::nullopt;
    Found found{word(at + 1) >> 24, {}};
    const std::size_t lines = lines_of(word(at + 1));
    found.lines.reserve(lines);
    for (std::size_t i = 0; i < lines; ++i) found.lines.push_back(line_in(word(at + kHeadWords + i)));
    return found;
}

bool DiskIndex::holds_young(std::uint64_t hash, std::uint64_t filled_at_ms) const {
    const Position at = position_of(hash);
    return at != 0 && word(at + 2) >> 32 == static_cast<std::uint32_t>(filled_at_ms) &&
           at - head_ >= (tail_ - head_) / 2;
}

void DiskIndex::forget(std::uint64_t hash, std::uint64_t number) {
    const Position at = position_of(hash);
    if (at != 0 && (number == 0 || word(at + 1) >> 24 == number)) unlink(at);
}

void DiskIndex::clear() {
    std::fill_n(buckets_.get(), bucket_mask_ + 1, 0);
    chunks_.clear();
    if (tail_ % kChunkWords != 0) tail_ += kChunkWords - tail_ % kChunkWords;
    head_ = first_ = tail_;
    entries_ = 0;
    disk_bytes_ = 0;
}

}  // namespace warmfront::cache
