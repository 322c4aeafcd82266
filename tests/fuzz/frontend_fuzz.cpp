// What a client may send: framer, every decoder of frontend messages, the startup machine, the
// channel-binding check.
#include <cstddef>
#include <cstdint>

#include "config/ensure.h"
#include "proxy/wire/auth_filter.h"
#include "proxy/wire/startup_machine.h"
#include "tests/fuzz/stream_check.h"
#include "tests/proxy/wire/reencode.h"
#include "tests/proxy/wire/trace.h"

using namespace warmfront;
using namespace warmfront::wire;

namespace {

void check_message(const Piece& piece) {
    const bool untyped = piece.raw.size() == piece.body.size() + 4;
    const auto encoded = untyped ? reencode_first(piece.body) : reencode_frontend(piece);
    if (encoded) ensure(*encoded == piece.raw, "a decoded message encodes to itself");
    if (const auto response = decode_sasl_initial_response(piece.body)) {
        const bool flagged =
            response->data && (response->data->starts_with('y') || response->data->starts_with("p="));
        const auto refusal = channel_binding_refusal(*response, true);
        ensure(refusal.has_value() == (flagged && response->mechanism.starts_with("SCRAM-")),
               "claims are refused");
        ensure(!channel_binding_refusal(*response, false), "without TLS upstream all may pass");
    }
}

// One connection: the chunks in order; each requested handshake succeeds, and its bytes are gone. Gives the
// end of it.
startup::Action converse(const fuzz::Input& input) {
    StartupMachine machine(input.startup);
    int requests = 0;
    for (const auto& chunk : input.chunks) {
        auto action = machine.on_bytes(chunk);
        if (std::holds_alternative<startup::ReadMore>(action)) continue;
        if (const auto* given = std::get_if<startup::HandOver>(&action)) {
            ensure(given->message.protocol >> 16 == 3, "only protocol 3 is handed over");
            ensure(std::string_view(chunk).ends_with(given->rest), "the rest is the end of what was fed");
            const auto encoded = reencode_first(given->raw.substr(4));
            ensure(encoded && *encoded == given->raw, "a startup packet encodes to itself");
            return action;
        }
        if (std::holds_alternative<startup::AnswerNo>(action)) {
            ensure(++requests <= 2, "each kind of encryption is asked for once");
            continue;
        }
        if (const auto* tls = std::get_if<startup::StartTls>(&action)) {
            ensure(input.startup.tls_offered, "TLS only if offered");
            ensure(tls->answer_yes != tls->alpn_required, "direct TLS has no answer and needs ALPN");
            machine.on_tls_established();
            continue;
        }
        if (const auto* refuse = std::get_if<startup::Refuse>(&action))
            ensure(refuse->error.sqlstate.size() == 5 && !refuse->error.text.empty(), "a refusal says why");
        return action;
    }
    return startup::ReadMore{};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    fuzz::check_stream(input, check_message);
    converse(input);
    Tracer tracer(input.untyped ? Framer::First::Untyped : Framer::First::Typed);
    for (const auto& chunk : input.chunks) tracer.frontend(chunk);
    return 0;
}
