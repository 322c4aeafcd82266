// tests/proxy/wire/reencode.h: decodes a message and encodes it again, to compare.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/framer.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {

// The whole message (type and length included) as encoded from what the decoders made of it, through encode.h
// where it has the message and by hand where not. nullopt: a decoder refused the body. Every decoded view is
// read, and must lie in the body.
std::optional<std::string> reencode_first(std::string_view body);  // a client's untyped message
std::optional<std::string> reencode_frontend(const Piece& piece);
std::optional<std::string> reencode_backend(const Piece& piece);

}  // namespace warmfront::wire
