#include "proxy/wire/startup_machine.h"

#include <utility>

#include <fmt/format.h>

#include "config/ensure.h"

namespace warmfront::wire {
namespace {

using startup::Action;

constexpr char kTlsHandshakeRecord = 0x16;  // RFC 8446, section 5.1: the first byte of a ClientHello's record

template <typename... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

// PostgreSQL takes a request that it does not expect for a protocol version, 1234.5679 for SSLRequest.
Error unexpected_request(std::uint32_t code) {
    return Error{"0A000", fmt::format("unsupported frontend protocol {}.{}: server supports 3.0 to 3.2",
                                      code >> 16, code & 0xffff)};
}

Error unencrypted_data_after(std::string_view request) {
    return Error{"08P01", fmt::format("received unencrypted data after {} request", request)};
}

Action broken_driver(const char* what) {
    ensure(false, what);
    return startup::ReadMore{};
}

}  // namespace

StartupMachine::StartupMachine(Options options)
    : options_(options), framer_(Framer::First::Untyped, {}), state_(InPlainText{}) {}

Action StartupMachine::on_bytes(std::string_view bytes) {
    return std::visit(
        Overloaded{
            [&](const InPlainText&) -> Action {
                if (!at_first_byte() || !bytes.starts_with(kTlsHandshakeRecord))
                    return read_first_message(bytes);
                if (!options_.tls_offered) {
                    state_ = Finished{};
                    return startup::Drop{
                        Error{"08P01", "the client begins TLS at once, but no certificate is configured"}};
                }
                state_ = InHandshake{};
                return startup::StartTls{.answer_yes = false, .alpn_required = true, .received = bytes};
            },
            [&](const InHandshake&) -> Action {
                return broken_driver("during a TLS handshake its bytes are TLS's");
            },
            [&](const InTls&) -> Action { return read_first_message(bytes); },
            [&](const Finished&) -> Action { return broken_driver("the startup is finished"); },
        },
        state_);
}

void StartupMachine::on_tls_established() {
    state_ = std::visit(Overloaded{
                            [](const InHandshake&) -> decltype(state_) { return InTls{}; },
                            [](const InPlainText&) -> decltype(state_) {
                                return broken_driver("no TLS was asked for"), InTls{};
                            },
                            [](const InTls&) -> decltype(state_) {
                                return broken_driver("TLS is established once"), InTls{};
                            },
                            [](const Finished&) -> decltype(state_) {
                                return broken_driver("the startup is finished"), InTls{};
                            },
                        },
                        state_);
}

Action StartupMachine::read_first_message(std::string_view bytes) {
    framer_.keep_rest();
    framer_.feed(bytes);
    auto piece = framer_.next();
    if (!piece) return refuse(std::move(piece.error()));
    if (!*piece) {
        framer_.keep_rest();
        return startup::ReadMore{};
    }
    auto first = decode_first((*piece)->body);
    if (!first) return refuse(std::move(first.error()));
    const std::string_view raw = (*piece)->raw;
    return std::visit(Overloaded{
                          [&](const SslRequest& request) { return decide(request); },
                          [&](const GssEncRequest& request) { return decide(request); },
                          [&](const CancelRequest& request) { return decide(request); },
                          [&](StartupMessage& message) { return decide(std::move(message), raw); },
                      },
                      *first);
}

Action StartupMachine::decide(const SslRequest&) {
    auto* plain = std::get_if<InPlainText>(&state_);
    if (plain == nullptr || plain->tls_declined) return refuse(unexpected_request(kSslRequestCode));
    if (!framer_.unread().empty()) return refuse(unencrypted_data_after("SSL"));
    if (!options_.tls_offered) {
        plain->tls_declined = true;
        return startup::AnswerNo{};
    }
    state_ = InHandshake{};
    return startup::StartTls{.answer_yes = true, .alpn_required = false, .received = {}};
}

Action StartupMachine::decide(const GssEncRequest&) {
    auto* plain = std::get_if<InPlainText>(&state_);
    if (plain == nullptr || plain->gss_declined) return refuse(unexpected_request(kGssEncRequestCode));
    if (!framer_.unread().empty()) return refuse(unencrypted_data_after("GSSAPI encryption"));
    plain->gss_declined = true;
    return startup::AnswerNo{};
}

Action StartupMachine::decide(const CancelRequest& request) {
    state_ = Finished{};
    return startup::Cancel{request};
}

Action StartupMachine::decide(StartupMessage message, std::string_view raw) {
    if (options_.tls_required && std::holds_alternative<InPlainText>(state_))
        return refuse({"28000", "connections must be encrypted here; connect with sslmode=require"});
    state_ = Finished{};
    return startup::HandOver{std::move(message), raw, framer_.unread()};
}

Action StartupMachine::refuse(Error error) {
    state_ = Finished{};
    return startup::Refuse{std::move(error)};
}

// Nothing of a message has come, and no request was answered.
bool StartupMachine::at_first_byte() const {
    const auto* plain = std::get_if<InPlainText>(&state_);
    return plain != nullptr && !plain->tls_declined && !plain->gss_declined && framer_.kept_bytes() == 0;
}

}  // namespace warmfront::wire
