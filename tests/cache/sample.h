// tests/cache/sample.h: small keys, tickets and entries for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"
#include "cache/key.h"
#include "cache/write_log.h"

namespace warmfront::cache {

inline KeyView key_of(std::string_view bytes) {
    return {bytes, hash_of(bytes)};
}

// A key that lands wherever the test wants it.
inline KeyView key_at(std::string_view bytes, std::uint64_t hash) {
    return {bytes, hash};
}

inline EntryRef entry_of(const KeyView& key, std::span<const Seen> seen, std::string_view body,
                         std::uint64_t filled_at_ms = 0) {
    return Entry::make(key, seen, {}, body, filled_at_ms);
}

inline EntryRef entry_of(std::string_view key, std::string_view body = "body",
                         std::uint64_t filled_at_ms = 0) {
    return entry_of(key_of(key), {}, body, filled_at_ms);
}

inline std::string body_of(const EntryRef& entry) {
    return entry ? std::string(entry->without_row_description()) : "(miss)";
}

}  // namespace warmfront::cache
