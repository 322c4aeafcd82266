// proxy/io/dial.h: a connection to a PostgreSQL server, encrypted as sslmode asks, ready for the startup
// message.
//
// Protocol (PostgreSQL manual, "Message Flow", "SSL Session Encryption"): after an SSLRequest the server
// answers one byte, 'S' (TLS begins) or 'N' (it does not). The servers are tried in turn. As libpq: unix
// sockets never use TLS; `prefer` connects anew without TLS if the handshake fails. `allow` connects without
// TLS; the caller that sees its startup refused dials again with `only` = Tls. Lives on its loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/settings.h"
#include "proxy/io/stream.h"
#include "proxy/io/tls.h"

namespace warmfront::io {

struct Server {
    Address address;
    std::string tls_name;  // for SNI and verify-full; empty: address.host
};

struct DialOptions {
    enum class Only { AsSslmode, Plain, Tls };

    std::vector<Server> servers;  // at least one
    SslMode sslmode = SslMode::Prefer;
    TlsContext tls;                             // null only with SslMode::Disable
    std::chrono::milliseconds timeout{10'000};  // for each server, from look-up to TLS
    Only only = Only::AsSslmode;                // goes before sslmode, except that a unix socket stays plain
};

class Dial {
public:
    // Plain or TLS, not reading, without events.
    using Done = std::function<void(Result<std::unique_ptr<Stream>>)>;

    // `done` is called exactly once, never inside start(), unless the Dial is destroyed first (that cancels).
    // It fails with 08006 and, for every server, its address and the reason.
    static std::unique_ptr<Dial> start(uv_loop_t* loop, DialOptions options, Done done);
    virtual ~Dial() = default;
};

}  // namespace warmfront::io
