#include "cache/disk_value.h"

#include <cstring>

#include <xxhash.h>

#include "config/ensure.h"

namespace warmfront::cache {
namespace {

struct Head {
    std::uint64_t writer = 0;
    std::uint64_t checksum = 0;
    // What the checksum covers begins here.
    std::uint64_t filled_at_ms = 0;
    std::uint32_t ttl_ms = 0, stale_ms = 0;
    std::uint32_t key_bytes = 0;
    std::uint32_t row_description_bytes = 0;
    std::uint16_t seen_count = 0;
    std::uint8_t at_most_default = 1;
    std::uint8_t unused[5] = {};
};
static_assert(sizeof(Head) == 48);
constexpr std::size_t kUncovered = 16;

std::uint64_t checksum_of(std::string_view value) {
    value.remove_prefix(kUncovered);
    return XXH3_64bits(value.data(), value.size());
}

// The next `size` bytes, which are there.
std::string_view cut(std::string_view& from, std::size_t size) {
    const std::string_view piece = from.substr(0, size);
    from.remove_prefix(size);
    return piece;
}

}  // namespace

std::uint64_t DiskValue::sequence(std::size_t index) const {
    std::uint64_t number = 0;
    std::memcpy(&number, sequences.data() + index * sizeof number, sizeof number);
    return number;
}

std::size_t disk_value_bytes(const Entry& entry) {
    return sizeof(Head) + entry.seen().size() * sizeof(std::uint64_t) + entry.key().bytes.size() +
           entry.with_row_description().size();
}

void append_disk_value(std::string& out, const Entry& entry, std::uint64_t writer) {
    ensure(!entry.is_stub(), "a stub has nothing to be written");
    const std::string_view body = entry.with_row_description();
    const KeyView key = entry.key();
    Head head;
    head.writer = writer;
    head.filled_at_ms = entry.filled_at_ms();
    head.ttl_ms = entry.lifetime().ms;
    head.stale_ms = entry.lifetime().stale_ms;
    head.at_most_default = entry.lifetime().at_most_default ? 1 : 0;
    head.key_bytes = static_cast<std::uint32_t>(key.bytes.size());
    head.row_description_bytes =
        static_cast<std::uint32_t>(body.size() - entry.without_row_description().size());
    head.seen_count = static_cast<std::uint16_t>(entry.seen().size());

    const std::size_t begin = out.size();
    out.resize(begin + disk_value_bytes(entry));
    char* place = out.data() + begin + sizeof head;
    const auto put = [&place](const void* bytes, std::size_t size) {
        if (size > 0) std::memcpy(place, bytes, size);
        place += size;
    };
    for (const Seen& each : entry.seen()) put(&each.sequence, sizeof each.sequence);
    put(key.bytes.data(), key.bytes.size());
    put(body.data(), body.size());
    std::memcpy(out.data() + begin, &head, sizeof head);
    head.checksum = checksum_of(std::string_view(out).substr(begin));
    std::memcpy(out.data() + begin, &head, sizeof head);
}

Result<DiskValue> read_disk_value(std::string_view bytes, std::uint64_t writer) {
    Head head;
    if (bytes.size() < sizeof head) return fail("XX001", "an entry on disk is cut off");
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.writer != writer) return fail("XX001", "an entry on disk was written by another process");
    if (head.checksum != checksum_of(bytes))
        return fail("XX001", "an entry on disk has not the checksum that it was written with");
    std::string_view rest = bytes.substr(sizeof head);
    const std::uint64_t needed =
        std::uint64_t{head.seen_count} * sizeof(std::uint64_t) + head.key_bytes + head.row_description_bytes;
    if (rest.size() < needed) return fail("XX001", "an entry on disk is shorter than it says");
    DiskValue value;
    value.filled_at_ms = head.filled_at_ms;
    value.lifetime = {head.ttl_ms, head.at_most_default != 0, head.stale_ms};
    value.seen_count = head.seen_count;
    value.sequences = cut(rest, head.seen_count * sizeof(std::uint64_t));
    value.key = cut(rest, head.key_bytes);
    value.row_description = cut(rest, head.row_description_bytes);
    value.rows_and_close = rest;
    return value;
}

}  // namespace warmfront::cache
