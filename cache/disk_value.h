// cache/disk_value.h: an entry as the bytes that lie on disk, and back.
//
// Layout (native order; only the process that wrote it reads it):
//   writer       8   a number of this process alone: what another wrote is refused
//   checksum     8   XXH3 of all that follows
//   filled_at    8   milliseconds on the store's clock
//   ttl, stale   4 4
//   key_bytes    4
//   row_description_bytes   4
//   seen         2   how many lines of the write log it depends on
//   at_most_default         1   see sql::Lifetime
//   sequences    8 each     of those lines, in their order; which lines they are is kept in memory only
//   key, row description, rows and closing message
// So nothing that comes from a file is ever followed as a pointer. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/entry.h"
#include "config/result.h"
#include "sql/lifetime.h"

namespace warmfront::cache {

struct DiskValue {  // views of the bytes that it was read from
    std::string_view key, row_description, rows_and_close;
    std::uint64_t filled_at_ms = 0;
    sql::Lifetime lifetime;
    std::size_t seen_count = 0;
    std::string_view sequences;  // 8 bytes each
    [[nodiscard]] std::uint64_t sequence(std::size_t index) const;
};

// Appends the entry, which is not a stub. How many bytes that is: disk_value_bytes().
void append_disk_value(std::string& out, const Entry& entry, std::uint64_t writer);
[[nodiscard]] std::size_t disk_value_bytes(const Entry& entry);

// Fails with XX001 if the bytes are not what `writer` has written, whole and unchanged.
[[nodiscard]] Result<DiskValue> read_disk_value(std::string_view bytes, std::uint64_t writer);

}  // namespace warmfront::cache
