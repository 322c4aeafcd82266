// proxy/wire/startup_machine.h: the first bytes of a client's connection, until it is known what the client
// wants.
//
// A client may ask for encryption first (GSSENCRequest, SSLRequest; each once, in any order), or begin TLS at
// once (a ClientHello, whose first byte is 0x16: PostgreSQL 17's sslnegotiation=direct). Then it sends one
// startup packet or one CancelRequest, and the machine's work is done. Answers and refusals are PostgreSQL's
// own (manual, "Message Flow", sections "SSL Session Encryption" and "GSSAPI Session Encryption"; its
// ProcessStartupPacket):
//
//   GSSENCRequest           'N', go on                       bytes behind it: refused, 08P01
//   SSLRequest              'N', go on, or 'S' and TLS       bytes behind it: refused, 08P01
//   0x16 as the very first  TLS, ALPN is required            TLS not offered: dropped
//   startup packet 3.x      handed over as it came           in plain text where TLS is required: refused,
//   28000 any other major version, a second SSLRequest or GSSENCRequest, one inside TLS:     refused, 0A000
//   not a startup packet                                                               refused, 08P01
//   CancelRequest           handed over, in plain text too: most libpq clients know no other way
//
// Bytes behind an SSLRequest came before the encryption and may be another's (CVE-2021-23214 and
// CVE-2021-23222): they are never read as if the client had sent them under TLS.
//
// Minor versions of protocol 3 are not judged here: the server answers those it does not know itself.
// Pure: no sockets, no clock. Not thread-safe: it lives on its connection's loop. Holds less than one startup
// packet (10,004 bytes).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "config/result.h"
#include "proxy/wire/framer.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {

// What the driver has to do now. Views are valid until the next event, and as long as the bytes given to
// on_bytes().
namespace startup {

struct ReadMore {};             // wait for bytes
struct AnswerNo {};             // send the one byte 'N', then wait for bytes
struct StartTls {               // then on_tls_established(), or close if the handshake fails
    bool answer_yes;            // send the one byte 'S' first, unencrypted
    bool alpn_required;         // direct TLS: the client must offer the protocol "postgresql"
    std::string_view received;  // the beginning of the client's handshake, read already
};
struct Cancel {  // reach that backend, then close without an answer
    CancelRequest request;
};
struct HandOver {
    StartupMessage message;
    std::string_view raw;   // the startup packet as it came, for PostgreSQL
    std::string_view rest;  // what the client sent behind it: the first bytes of the typed stream
};
struct Refuse {  // send it as ErrorResponse of severity FATAL, then close
    Error error;
};
struct Drop {  // close without an answer: there is none that this client would understand
    Error why;
};
using Action = std::variant<ReadMore, AnswerNo, StartTls, Cancel, HandOver, Refuse, Drop>;

}  // namespace startup

class StartupMachine {
public:
    struct Options {
        bool tls_offered = false;   // a certificate is there
        bool tls_required = false;  // refuse startup packets in plain text
    };
    explicit StartupMachine(Options options);

    // Bytes received, decrypted if TLS was started; split anywhere. Not to be called between StartTls and
    // on_tls_established(), nor after Cancel, HandOver, Refuse or Drop.
    [[nodiscard]] startup::Action on_bytes(std::string_view bytes);
    // The handshake asked for by StartTls succeeded. To be called once, after StartTls only.
    void on_tls_established();

private:
    struct InPlainText {
        bool tls_declined = false;  // an SSLRequest was answered with 'N'
        bool gss_declined = false;
    };
    struct InHandshake {};
    struct InTls {};
    struct Finished {};

    startup::Action read_first_message(std::string_view bytes);
    startup::Action decide(const SslRequest& request);
    startup::Action decide(const GssEncRequest& request);
    startup::Action decide(const CancelRequest& request);
    startup::Action decide(StartupMessage message, std::string_view raw);
    startup::Action refuse(Error error);
    [[nodiscard]] bool at_first_byte() const;

    Options options_;
    Framer framer_;
    std::variant<InPlainText, InHandshake, InTls, Finished> state_;
};

}  // namespace warmfront::wire
