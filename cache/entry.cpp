#include "cache/entry.h"

#include <algorithm>
#include <limits>
#include <new>
#include <type_traits>

#include <malloc.h>

#include "cache/write_protocol.h"
#include "config/ensure.h"

namespace warmfront::cache {

static_assert(FillTicket::kLinesMax <= std::numeric_limits<std::uint16_t>::max(),
              "they are counted in 16 bits");
static constexpr std::size_t kUint32Max = std::numeric_limits<std::uint32_t>::max();

static_assert(sizeof(Entry) % alignof(Seen) == 0, "Seen[] follows the header");
static_assert(std::is_standard_layout_v<Entry>, "Entry::of() relies on it");

// What glibc's malloc takes for so many bytes: its own 8 in front, in steps of 16.
static std::size_t as_allocated(std::size_t bytes) {
    constexpr std::size_t kStep = 16;
    return std::max<std::size_t>(2 * kStep, (bytes + Entry::kAllocatorBytes + kStep - 1) / kStep * kStep);
}

static char* append(char* to, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
}

EntryRef Entry::make(const KeyView& key, std::span<const Seen> seen, std::string_view row_description,
                     std::string_view rows_and_close, std::uint64_t filled_at_ms, EntryTerms terms) {
    ensure(seen.size() <= FillTicket::kLinesMax, "an answer depends on the lines of one ticket");
    if (key.bytes.size() > kUint32Max || row_description.size() > kUint32Max) return {};
    const std::size_t whole_body_bytes = row_description.size() + rows_and_close.size();
    const std::size_t body_bytes = terms.stub ? 0 : whole_body_bytes;
    const std::size_t frame_bytes = sizeof(Entry) + seen.size_bytes() + key.bytes.size();
    void* memory = ::operator new(frame_bytes + body_bytes, std::nothrow);
    if (memory == nullptr) return {};
    auto* entry = new (memory) Entry;
    entry->node_.hash = key.hash;
    const std::size_t charge = terms.stub ? as_allocated(frame_bytes + whole_body_bytes)
                                          : malloc_usable_size(memory) + kAllocatorBytes;
    entry->node_.charge = static_cast<std::uint32_t>(std::min(charge, kUint32Max));
    entry->filled_at_ms_ = filled_at_ms;
    entry->body_bytes_ = body_bytes;
    entry->ttl_ms_ = terms.lifetime.ms;
    entry->ttl_at_most_default_ = terms.lifetime.at_most_default;
    entry->stale_ms_ = terms.lifetime.stale_ms;
    entry->residence_ = terms.residence;
    entry->worth_ = terms.worth;
    entry->worth_us_ = terms.worth_us;
    entry->is_stub_ = terms.stub;
    entry->seen_count_ = static_cast<std::uint16_t>(seen.size());
    entry->key_bytes_ = static_cast<std::uint32_t>(key.bytes.size());
    entry->row_description_bytes_ = static_cast<std::uint32_t>(row_description.size());

    char* place = reinterpret_cast<char*>(entry + 1);
    for (const Seen& each : seen) {
        new (place) Seen(as_kept(each));
        place += sizeof(Seen);
    }
    place = append(place, key.bytes);
    if (!terms.stub) append(append(place, row_description), rows_and_close);
    return EntryRef(entry);
}

void Entry::destroy(const Entry* entry) noexcept {
    entry->~Entry();
    ::operator delete(const_cast<Entry*>(entry));
}

std::span<const Seen> Entry::seen() const {
    return {reinterpret_cast<const Seen*>(this + 1), seen_count_};
}

std::string_view Entry::with_row_description() const {
    ensure(!is_stub_, "a stub is not given to anybody");
    return {after_seen() + key_bytes_, body_bytes_};
}

std::string_view Entry::without_row_description() const {
    return with_row_description().substr(row_description_bytes_);
}

bool Entry::current() const {
    return std::ranges::all_of(seen(),
                               [](const Seen& each) { return protocol::current(*each.line, each.sequence); });
}

bool Entry::unchanged() const {
    return std::ranges::all_of(
        seen(), [](const Seen& each) { return protocol::unchanged(*each.line, each.sequence); });
}

}  // namespace warmfront::cache
