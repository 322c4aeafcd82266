#include "cache/key.h"

#include <xxhash.h>

namespace warmfront::cache {

static void append_number(std::string& out, const auto& number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof number);
}

std::uint64_t hash_of(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

void KeyBuilder::start(std::uint32_t fingerprint, std::uint64_t template_id, char kind,
                       std::uint32_t row_limit) {
    bytes_.clear();
    append_number(bytes_, fingerprint);
    append_number(bytes_, template_id);
    bytes_.push_back(kind);
    append_number(bytes_, row_limit);
}

void KeyBuilder::append_sized(std::string_view bytes) {
    append_number(bytes_, std::uint64_t{bytes.size()});
    bytes_.append(bytes);
}

}  // namespace warmfront::cache
