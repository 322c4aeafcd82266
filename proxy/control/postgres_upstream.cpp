#include "proxy/control/postgres_upstream.h"

#include <utility>

#include "proxy/io/socket.h"

namespace warmfront::control {

Result<PostgresUpstream> PostgresUpstream::make(UpstreamTarget target) {
    io::TlsContext tls;
    if (target.tls.sslmode != io::SslMode::Disable) {
        auto context = io::make_client_context(target.tls);
        if (!context) return tl::unexpected(context.error());
        tls = std::move(*context);
    }
    return PostgresUpstream(std::move(target), std::move(tls));
}

PostgresUpstream::PostgresUpstream(UpstreamTarget target, io::TlsContext tls)
    : target_(std::move(target)), tls_(std::move(tls)) {}

std::unique_ptr<io::Dial> PostgresUpstream::dial(io::Loop& loop, std::chrono::milliseconds timeout,
                                                 io::DialOptions::Only only, io::Dial::Done done) {
    io::DialOptions options = target_.dial_options(tls_, timeout);
    options.only = only;
    return io::Dial::start(loop.raw(), std::move(options), std::move(done));
}

bool PostgresUpstream::retries_with_tls() const {
    return target_.tls.sslmode == io::SslMode::Allow;
}

std::string PostgresUpstream::text() const {
    std::string text;
    for (const io::Server& server : target_.servers)
        text += (text.empty() ? "" : ", ") + io::text_of(server.address);
    return text;
}

}  // namespace warmfront::control
