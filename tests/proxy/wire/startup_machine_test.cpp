#include "proxy/wire/startup_machine.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"

using namespace warmfront;
using namespace warmfront::wire;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr StartupMachine::Options kNoTls{};
constexpr StartupMachine::Options kTls{.tls_offered = true};
constexpr StartupMachine::Options kTlsOnly{.tls_offered = true, .tls_required = true};

const std::string kSslRequest = "\0\0\0\10\4\xd2\x16\x2f"s;
const std::string kGssRequest = "\0\0\0\10\4\xd2\x16\x30"s;
const std::string kCancel = "\0\0\0\20\4\xd2\x16\x2e\0\0\0\7abcd"s;

std::string startup_packet(std::uint32_t protocol = kProtocol30) {
    std::string packet;
    const std::pair<std::string_view, std::string_view> parameters[] = {{"user", "u"}, {"database", "d"}};
    append_startup(packet, protocol, parameters);
    return packet;
}

std::string version_only(std::uint16_t major, std::uint16_t minor) {
    std::string packet = "\0\0\0\11"s;
    for (const int byte : {major >> 8, major & 0xff, minor >> 8, minor & 0xff})
        packet += static_cast<char>(byte);
    return packet + '\0';
}

std::string name(const startup::Action& action) {
    struct {
        std::string operator()(const startup::ReadMore&) const { return "more"; }
        std::string operator()(const startup::AnswerNo&) const { return "N"; }
        std::string operator()(const startup::StartTls& tls) const {
            return (tls.answer_yes ? "S tls" : "tls") + (tls.alpn_required ? " alpn"s : ""s) +
                   (tls.received.empty() ? "" : " +" + std::to_string(tls.received.size()));
        }
        std::string operator()(const startup::Cancel& cancel) const {
            return "cancel " + std::to_string(cancel.request.process_id) + " " +
                   std::string(cancel.request.secret_key);
        }
        std::string operator()(const startup::HandOver& given) const {
            return "startup " + std::string(given.message.parameter("user").value_or("?")) + " " +
                   std::to_string(given.raw.size()) + " rest:" + std::string(given.rest);
        }
        std::string operator()(const startup::Refuse& refuse) const {
            return "refuse " + refuse.error.sqlstate;
        }
        std::string operator()(const startup::Drop& drop) const { return "drop " + drop.why.sqlstate; }
    } names;
    return std::visit(names, action);
}

// Feeds each string as it is and lets every handshake succeed: "N|S tls|startup u 30 rest:".
std::string conversation(StartupMachine::Options options, const std::vector<std::string>& received) {
    StartupMachine machine(options);
    std::string actions;
    for (const auto& bytes : received) {
        const auto action = machine.on_bytes(bytes);
        actions += (actions.empty() ? "" : "|") + name(action);
        if (std::holds_alternative<startup::StartTls>(action)) machine.on_tls_established();
    }
    return actions;
}

}  // namespace

TEST_CASE("startup machine: each beginning of a connection gets PostgreSQL's answer") {
    const std::string hello = "\x16\3\1\2\0"s;
    struct Row {
        std::string_view name;
        StartupMachine::Options options;
        std::vector<std::string> received;
        std::string_view actions;
    };
    const std::string plain = startup_packet();
    REQUIRE(plain.size() == 27);
    for (const auto& [name, options, received, actions] : std::vector<Row>{
             {"nothing", kTls, {""}, "more"},
             {"startup", kNoTls, {plain}, "startup u 27 rest:"},
             {"startup of protocol 3.2", kNoTls, {startup_packet(kProtocol32)}, "startup u 27 rest:"},
             {"a minor version of the future", kNoTls, {startup_packet(0x0003ffff)}, "startup u 27 rest:"},
             {"pipelined behind the startup packet", kNoTls, {plain + "Q123"}, "startup u 27 rest:Q123"},
             {"TLS not offered", kNoTls, {kSslRequest, plain}, "N|startup u 27 rest:"},
             {"TLS", kTls, {kSslRequest, plain}, "S tls|startup u 27 rest:"},
             {"GSS, then TLS", kTls, {kGssRequest, kSslRequest, plain}, "N|S tls|startup u 27 rest:"},
             {"GSS, then plain", kTls, {kGssRequest, plain}, "N|startup u 27 rest:"},
             {"no TLS, then GSS", kNoTls, {kSslRequest, kGssRequest, plain}, "N|N|startup u 27 rest:"},
             {"direct TLS", kTls, {hello, plain}, "tls alpn +5|startup u 27 rest:"},
             {"direct TLS, not offered", kNoTls, {hello}, "drop 08P01"},
             {"0x16 after a request", kTls, {kGssRequest, hello}, "N|refuse 08P01"},
             {"0x16 inside TLS", kTls, {kSslRequest, hello}, "S tls|refuse 08P01"},
             {"TLS required", kTlsOnly, {kSslRequest, plain}, "S tls|startup u 27 rest:"},
             {"direct TLS where required", kTlsOnly, {hello, plain}, "tls alpn +5|startup u 27 rest:"},
             {"plain where TLS is required", kTlsOnly, {plain}, "refuse 28000"},
             {"cancel", kNoTls, {kCancel}, "cancel 7 abcd"},
             {"cancel in plain where TLS is required", kTlsOnly, {kCancel}, "cancel 7 abcd"},
             {"cancel inside TLS", kTls, {kSslRequest, kCancel}, "S tls|cancel 7 abcd"},
             {"cancel without a key", kNoTls, {"\0\0\0\14\4\xd2\x16\x2e\0\0\0\7"s}, "refuse 08P01"},
             {"bytes behind SSLRequest", kTls, {kSslRequest + plain}, "refuse 08P01"},
             {"bytes behind SSLRequest, TLS not offered", kNoTls, {kSslRequest + plain}, "refuse 08P01"},
             {"bytes behind GSSENCRequest", kTls, {kGssRequest + kSslRequest}, "refuse 08P01"},
             {"SSLRequest twice", kNoTls, {kSslRequest, kSslRequest}, "N|refuse 0A000"},
             {"SSLRequest inside TLS", kTls, {kSslRequest, kSslRequest}, "S tls|refuse 0A000"},
             {"GSSENCRequest twice", kTls, {kGssRequest, kGssRequest}, "N|refuse 0A000"},
             {"GSSENCRequest inside TLS", kTls, {kSslRequest, kGssRequest}, "S tls|refuse 0A000"},
             {"protocol 2.0", kNoTls, {version_only(2, 0)}, "refuse 0A000"},
             {"protocol 4.0", kNoTls, {version_only(4, 0)}, "refuse 0A000"},
             {"length below 8", kNoTls, {"\0\0\0\7\0\3\0"s}, "refuse 08P01"},
             {"length above 10,004", kNoTls, {"\0\1\0\0"s}, "refuse 08P01"},
             {"an HTTP request", kNoTls, {"GET / HTTP/1.1\r\n"s}, "refuse 08P01"},
             {"no terminator", kNoTls, {"\0\0\0\15\0\3\0\0user"s + "\0"s}, "refuse 08P01"},
             {"bytes after the terminator", kNoTls, {"\0\0\0\12\0\3\0\0\0\0"s}, "refuse 08P01"},
         }) {
        CAPTURE(name);
        CHECK(conversation(options, received) == actions);
    }
}

TEST_CASE("startup machine: a startup packet may come in any pieces") {
    const std::string packet = startup_packet() + "rest";
    for (std::size_t one = 0; one <= packet.size(); ++one)
        for (std::size_t two = one; two <= packet.size(); ++two) {
            CAPTURE(one);
            CAPTURE(two);
            StartupMachine machine(kTls);
            std::size_t from = 0;
            std::size_t fed = 0;
            for (const std::size_t to : {one, two, packet.size()}) {
                const auto action = machine.on_bytes(std::string_view(packet).substr(from, to - from));
                from = to;
                const auto* given = std::get_if<startup::HandOver>(&action);
                if (given == nullptr) {
                    CHECK(name(action) == "more");
                    continue;
                }
                fed = to;
                CHECK(given->raw == std::string_view(packet).substr(0, 27));
                CHECK(given->rest == std::string_view(packet).substr(27, to - 27));
                CHECK(given->message.parameter("database") == "d");
                break;
            }
            CHECK(fed >= 27);
        }
}

TEST_CASE("startup machine: refusals use PostgreSQL's words") {
    struct Row {
        std::vector<std::string> received;
        std::string_view text;
    };
    for (const auto& [received, text] : std::vector<Row>{
             {{version_only(2, 0)}, "unsupported frontend protocol 2.0: server supports 3.0 to 3.2"},
             {{kSslRequest, kSslRequest},
              "unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2"},
             {{kSslRequest + "x"}, "received unencrypted data after SSL request"},
             {{kGssRequest + "x"}, "received unencrypted data after GSSAPI encryption request"},
             {{"\0\0\0\4"s}, "invalid length of startup packet"},
             {{"\0\1\0\0"s}, "invalid length of startup packet"},
             {{"\0\0\0\12\0\3\0\0\0\0"s}, "invalid startup packet layout: expected terminator as last byte"},
         }) {
        StartupMachine machine(kNoTls);
        startup::Action action;
        for (const auto& bytes : received) action = machine.on_bytes(bytes);
        REQUIRE(std::holds_alternative<startup::Refuse>(action));
        CHECK(std::get<startup::Refuse>(action).error.text == text);
    }
}
