// proxy/control/postgres_upstream.h: session::Upstream for the PostgreSQL that a connection string names.
//
// Immutable once made; thread-safe.
#pragma once

#include "config/result.h"
#include "proxy/control/upstream_target.h"
#include "proxy/io/tls.h"
#include "proxy/session/shared.h"

namespace warmfront::control {

class PostgresUpstream final : public session::Upstream {
public:
    // Fails with F0000 if a certificate that the connection string names cannot be read.
    [[nodiscard]] static Result<PostgresUpstream> make(UpstreamTarget target);

    [[nodiscard]] std::unique_ptr<io::Dial> dial(io::Loop& loop, std::chrono::milliseconds timeout,
                                                 io::DialOptions::Only only, io::Dial::Done done) override;
    [[nodiscard]] bool retries_with_tls() const override;
    [[nodiscard]] std::string text() const override;
    [[nodiscard]] std::string admin_database() const override { return target_.dbname; }
    [[nodiscard]] const UpstreamTarget& target() const { return target_; }

private:
    PostgresUpstream(UpstreamTarget target, io::TlsContext tls);
    UpstreamTarget target_;
    io::TlsContext tls_;
};

}  // namespace warmfront::control
