// proxy/control/upstream_target.h: what a libpq connection string says about PostgreSQL: where it is, who we
// are there, how the connection is protected.
//
// Source: PostgreSQL manual, "libpq", "Connection Strings" and "Parameter Key Words"; read by libpq itself,
// so that keyword=value strings, URIs, quoting, the PG... environment variables and the defaults mean what
// they mean to psql. Our own libpq connections use conninfo_for() and so get every parameter; the connections
// that carry clients use what stands here. Plain data; parse() reads the environment and is called while no
// other thread changes it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/result.h"
#include "proxy/io/dial.h"
#include "proxy/io/tls.h"

namespace warmfront::control {

struct UpstreamTarget {
    std::vector<io::Server> servers;  // tried in turn; at least one
    std::string user;                 // never empty
    std::string password;             // empty: none given (libpq may still find one in its password file)
    std::string dbname;               // never empty; the user's name if none is given
    io::TlsClientOptions tls;         // with sslmode
    std::optional<std::chrono::milliseconds> connect_timeout;  // for each server; nullopt: none given
    std::string options;
    std::string application_name;
    std::vector<std::pair<std::string, std::string>> given;  // what the string itself says, in libpq's order

    // Fails with F0000 on what libpq cannot read, and on parameters that ask for something this program
    // cannot do for its clients' connections: requirepeer, service (the PGSERVICE variable works), sslsni=0,
    // gssencmode=require, and target_session_attrs other than any.
    static Result<UpstreamTarget> parse(const std::string& conninfo);

    // For a libpq connection to another database of the same server. Holds the password: not for logs.
    [[nodiscard]] std::string conninfo_for(const std::string& database) const;

    // `tls_context`: io::make_client_context(tls), null only if sslmode is disable. `timeout` where none is
    // given.
    [[nodiscard]] io::DialOptions dial_options(io::TlsContext tls_context,
                                               std::chrono::milliseconds timeout) const;
};

}  // namespace warmfront::control
