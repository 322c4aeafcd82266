// proxy/wire/framer.h: cuts one direction of one connection's byte stream into PostgreSQL messages.
//
// Format (protocol 3.0; PostgreSQL manual, "Message Formats"):
//   type    1 byte               absent from a client's messages before authentication starts
//   length  4 bytes, big-endian  counts itself and the body, not the type
//   body    length - 4 bytes
// A message of at most whole_bytes_max (type and length counted) comes in one piece; a longer one in
// fragments as its bytes arrive, so that a 64 MiB row passes through without being held. Its first fragment
// holds at most whole_bytes_max bytes and perhaps no body at all; so whether a message comes whole depends on
// its length alone, never on the split. Untyped messages are short (10,004 bytes at most) and always come
// whole.
//
// Copies as little as it can: views point into the bytes given to feed() where a piece lies there whole. The
// unread rest is copied by keep_rest(), so an idle connection holds nothing. What is kept is what the caller
// did not take, plus less than one message.
// Pure: no sockets, no clock. Not thread-safe: a Framer lives on its connection's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace warmfront::wire {

struct Piece {
    char type = 0;                  // '\0' for an untyped message
    bool first = true;              // begins a message
    bool last = true;               // ends it; first and last: a whole message
    std::uint32_t body_length = 0;  // of the whole message, without type and length
    std::string_view raw;           // the bytes as they came (a first piece with type and length)
    std::string_view body;          // the body bytes in this piece
    [[nodiscard]] bool whole() const { return first && last; }
};

class Framer {
public:
    // Until its startup packet a client's messages have no type byte; what follows belongs in another framer.
    enum class First { Untyped, Typed };
    struct Limits {
        std::size_t whole_bytes_max = 64 * 1024;        // longer messages come in fragments
        std::uint32_t body_bytes_max = 0x7fffffff - 4;  // a peer announcing more is broken or hostile
    };
    Framer(First first, Limits limits);

    // Gives received bytes. The stream may be split anywhere, inside a length too. The bytes must stay valid
    // until keep_rest(). Call next() until nullopt (or until the caller wants no more for now), then
    // keep_rest(), before the next feed().
    void feed(std::string_view bytes);
    // The next piece, or nullopt if more bytes are needed. Views are valid until keep_rest().
    // Fails with SQLSTATE 08P01 on a length below 4 or a body above the limit (untyped messages: above 10,000
    // bytes, as PostgreSQL does). The place in the stream is then lost: every later call fails alike, the
    // caller closes.
    [[nodiscard]] Result<std::optional<Piece>> next();
    void keep_rest();

    // The bytes not taken yet: once next() gave nullopt, all of them; before, those that lie together.
    [[nodiscard]] std::string_view unread() const;
    // What keep_rest() has copied and nobody has taken.
    [[nodiscard]] std::size_t kept_bytes() const;

private:
    [[nodiscard]] std::size_t header_bytes() const { return first_ == First::Typed ? 5 : 4; }
    void complete_kept();
    void take_from_fed(std::size_t bytes);
    void consume(std::size_t bytes);
    Result<std::optional<Piece>> begin_long(std::string_view source, std::uint32_t length);
    Piece go_on_long(std::string_view source);
    tl::unexpected<Error> fail_for_good(std::string text);

    First first_;
    Limits limits_;
    std::uint32_t whole_body_bytes_max_;  // longer bodies come in fragments, or are refused
    std::string kept_;                    // earlier bytes, then as many fed ones as end its last message
    std::size_t kept_taken_ = 0;          // bytes of kept_ that next() gave out
    std::string_view fed_;                // what next() has not taken of the last feed; follows kept_
    std::uint32_t fragment_rest_ = 0;     // body bytes of a fragmented message still to come
    std::uint32_t fragment_length_ = 0;
    char fragment_type_ = 0;
    std::optional<Error> failure_;
};

}  // namespace warmfront::wire
