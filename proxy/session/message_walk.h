// proxy/session/message_walk.h: goes over whole messages that lie one behind the other in memory.
//
// For bytes that a Framer has judged already: lengths are trusted. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace warmfront::session {

inline constexpr std::size_t kHeaderBytes = 5;  // type and length

struct WholeMessage {
    char type;
    std::string_view raw, body;
};

// Takes the first message off `bytes`, which holds at least one.
inline WholeMessage take_message(std::string_view& bytes) {
    const auto at = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::uint32_t length = at(1) << 24 | at(2) << 16 | at(3) << 8 | at(4);
    const WholeMessage message{bytes[0], bytes.substr(0, length + 1), bytes.substr(kHeaderBytes, length - 4)};
    bytes.remove_prefix(length + 1);
    return message;
}

}  // namespace warmfront::session
