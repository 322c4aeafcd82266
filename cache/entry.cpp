#include "cache/entry.h"

#include <algorithm>
#include <limits>
#include <new>
#include <type_traits>

#include <malloc.h>

#include "cache/write_protocol.h"

namespace warmfront::cache {

static constexpr std::size_t kUint32Max = std::numeric_limits<std::uint32_t>::max();

static_assert(sizeof(Entry) % alignof(Seen) == 0, "Seen[] follows the header");
static_assert(std::is_standard_layout_v<Entry>, "Entry::of() relies on it");

static char* append(char* to, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
}

EntryRef Entry::make(const KeyView& key, std::span<const Seen> seen, std::string_view row_description,
                     std::string_view rows_and_close, std::uint64_t filled_at_ms, sql::Lifetime lifetime) {
    if (key.bytes.size() > kUint32Max || row_description.size() > kUint32Max) return {};
    const std::size_t body_bytes = row_description.size() + rows_and_close.size();
    void* memory =
        ::operator new(sizeof(Entry) + seen.size_bytes() + key.bytes.size() + body_bytes, std::nothrow);
    if (memory == nullptr) return {};
    auto* entry = new (memory) Entry;
    entry->node_.hash = key.hash;
    entry->node_.charge =
        static_cast<std::uint32_t>(std::min(malloc_usable_size(memory) + kAllocatorBytes, kUint32Max));
    entry->filled_at_ms_ = filled_at_ms;
    entry->body_bytes_ = body_bytes;
    entry->lifetime_ = lifetime;
    entry->seen_count_ = static_cast<std::uint32_t>(seen.size());
    entry->key_bytes_ = static_cast<std::uint32_t>(key.bytes.size());
    entry->row_description_bytes_ = static_cast<std::uint32_t>(row_description.size());

    char* place = reinterpret_cast<char*>(entry + 1);
    for (const Seen& each : seen) {
        new (place) Seen(as_kept(each));
        place += sizeof(Seen);
    }
    append(append(append(place, key.bytes), row_description), rows_and_close);
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
    return {after_seen() + key_bytes_, body_bytes_};
}

std::string_view Entry::without_row_description() const {
    return with_row_description().substr(row_description_bytes_);
}

bool Entry::current() const {
    return std::ranges::all_of(seen(),
                               [](const Seen& each) { return protocol::current(*each.line, each.sequence); });
}

}  // namespace warmfront::cache
