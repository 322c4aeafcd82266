// proxy/wire/cursor.h: reads a message body from front to back; internal to the decoders of proxy/wire.
//
// The first read beyond the end, or the first refuse(), makes the cursor fail: it remembers why, is empty
// from then on, and every later read yields zero or an empty view. So a decoder reads straight on and asks
// once, in done(). Views point into the body. Nothing is allocated unless done() fails.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/result.h"

namespace warmfront::wire {

// Network byte order. Shifts, for any alignment: compilers make one load and one byte swap of it.
inline std::uint32_t load_uint32(const char* at) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(at);
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
           bytes[3];
}

inline std::uint16_t load_uint16(const char* at) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(at);
    return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

class Cursor {
public:
    // message: its name in PostgreSQL's manual, for the error's text.
    Cursor(const char* message, std::string_view body) : message_(message), rest_(body) {}

    std::string_view bytes(std::size_t count) {
        if (rest_.size() < count) [[unlikely]] {
            refuse("ends too early");
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::uint8_t uint8() {
        const std::string_view taken = bytes(1);
        return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
    }

    std::uint16_t uint16() {
        const std::string_view taken = bytes(2);
        return taken.empty() ? 0 : load_uint16(taken.data());
    }

    std::uint32_t uint32() {
        const std::string_view taken = bytes(4);
        return taken.empty() ? 0 : load_uint32(taken.data());
    }

    // Up to the next zero byte, which is taken too.
    std::string_view string() {
        const void* zero = rest_.empty() ? nullptr : std::memchr(rest_.data(), 0, rest_.size());
        if (zero == nullptr) [[unlikely]] {
            refuse("holds a string without its zero byte");
            return {};
        }
        const auto length = static_cast<std::size_t>(static_cast<const char*>(zero) - rest_.data());
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(length + 1);
        return taken;
    }

    // A length of 4 bytes, then as many bytes; length -1 is NULL.
    std::optional<std::string_view> nullable() {
        const std::uint32_t length = uint32();
        if (length == 0xffffffff) return std::nullopt;
        return bytes(length);
    }

    // A count of 2 bytes, of elements that take `bytes_each` or more: refused at once if they cannot all be
    // there, so that a count never reserves more memory than the message's own size.
    std::uint16_t count(std::size_t bytes_each) {
        const std::uint16_t elements = uint16();
        if (rest_.size() < elements * bytes_each) [[unlikely]] {
            refuse("counts more than it holds");
            return 0;
        }
        return elements;
    }

    std::string_view take_rest() { return bytes(rest_.size()); }
    [[nodiscard]] std::string_view rest() const { return rest_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool failed() const { return why_ != nullptr; }

    // why continues a sentence that begins with the message's name; the first one stays.
    void refuse(const char* why) {
        if (why_ == nullptr) why_ = why;
        rest_ = {};
    }

    // The decoded message if all reads succeeded and nothing is left over; else 08P01.
    template <typename T>
    [[nodiscard]] Result<T> done(T decoded) {
        if (!rest_.empty()) refuse("goes on after its end");
        if (why_ != nullptr) [[unlikely]]
            return fail("08P01", std::string(message_) + " " + why_);
        return decoded;
    }

private:
    const char* message_;
    const char* why_ = nullptr;
    std::string_view rest_;
};

}  // namespace warmfront::wire
