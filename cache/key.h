// cache/key.h: the complete key of a result, as bytes, compared in full.
//
// Layout (native order):
//   fingerprint  4   session settings, database, role (sql/session_settings.h); never reused
//   template     8   statement template (sql/template.h); never reused
//   kind         1   'Q' simple, 'E' extended protocol
//   row_limit    4   Execute's maximum of rows, 0 without one
//   details      n   simple: the literals of sql/tokenizer.h; extended: parameter types, formats, values,
//   result formats
// The hash is XXH3 over all of it and only finds the place; equality is that of the bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace warmfront::cache {

struct KeyView {
    std::string_view bytes;  // valid as long as what it was made from
    std::uint64_t hash = 0;
    bool operator==(const KeyView& other) const { return hash == other.hash && bytes == other.bytes; }
};

[[nodiscard]] std::uint64_t hash_of(std::string_view bytes);

// Builds keys in a buffer that it keeps, so that building allocates nothing once it has grown. Not
// thread-safe.
class KeyBuilder {
public:
    // Starts a new key; views of the former become invalid.
    void start(std::uint32_t fingerprint, std::uint64_t template_id, char kind, std::uint32_t row_limit);
    void append(std::string_view bytes) { bytes_.append(bytes); }
    // A value between neighbours of varying length: its length goes in front.
    void append_sized(std::string_view bytes);
    [[nodiscard]] KeyView finish() const { return {bytes_, hash_of(bytes_)}; }

private:
    std::string bytes_;
};

}  // namespace warmfront::cache
