// What a server may send: framer, every decoder of backend messages, the filter of authentication offers.
#include <cstddef>
#include <cstdint>

#include "config/ensure.h"
#include "proxy/wire/auth_filter.h"
#include "tests/fuzz/stream_check.h"
#include "tests/proxy/wire/reencode.h"
#include "tests/proxy/wire/trace.h"

using namespace warmfront;
using namespace warmfront::wire;

namespace {

std::size_t binding_mechanisms(std::string_view authentication_body) {
    std::size_t found = 0;
    const auto request = decode_authentication(authentication_body);
    ensure(request.has_value(), "an offer that was filtered is well formed");
    const auto mechanisms = decode_sasl_mechanisms(request->data);
    ensure(mechanisms.has_value(), "its list is well formed");
    for (const auto mechanism : *mechanisms) found += mechanism.ends_with("-PLUS") ? 1 : 0;
    return found;
}

void check_filter(const Piece& piece) {
    const auto filtered = without_channel_binding(piece.body);
    if (!filtered || !*filtered) return;
    const std::string& message = **filtered;
    ensure(message.size() < piece.body.size() + 5, "the offer has become shorter");
    ensure(binding_mechanisms(piece.body) > 0, "it was filtered for a reason");
    ensure(binding_mechanisms(std::string_view(message).substr(5)) == 0, "no mechanism that binds is left");
    const auto again = without_channel_binding(std::string_view(message).substr(5));
    ensure(again && !*again, "a filtered offer passes untouched");
}

void check_message(const Piece& piece) {
    const auto encoded = reencode_backend(piece);
    if (encoded) ensure(*encoded == piece.raw, "a decoded message encodes to itself");
    if (piece.type == 'R') check_filter(piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    input.untyped = false;
    fuzz::check_stream(input, check_message);
    Tracer tracer(Framer::First::Typed);
    for (const auto& chunk : input.chunks) tracer.backend(chunk);
    return 0;
}
