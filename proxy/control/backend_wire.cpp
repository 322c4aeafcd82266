// libpq knows every way to log in; once it has seen ReadyForQuery it holds nothing back, and its socket (or
// TLS connection) is ours. It is given back to be closed. GSS encryption, which only libpq could go on with,
// is turned off.
#include "proxy/control/backend_wire.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include "proxy/io/borrowed_tls.h"

namespace warmfront::control {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kLook{100};  // at `stopping`

Result<void> lost(std::string_view why) {
    return fail("08006", "the connection to PostgreSQL is lost: " + std::string(why));
}

}  // namespace

struct BackendWire::Libpq {
    PGconn* connection = nullptr;
    int socket = -1;
    void* ssl = nullptr;  // nullptr: plain
    ~Libpq() { PQfinish(connection); }
};

BackendWire::BackendWire(const std::atomic<bool>& stopping)
    : stopping_(stopping),
      libpq_(std::make_unique<Libpq>()),
      framer_(wire::Framer::First::Typed, {}),
      buffer_(std::make_unique<char[]>(kBufferBytes)) {}

BackendWire::~BackendWire() = default;

Result<std::unique_ptr<BackendWire>> BackendWire::open(const std::string& conninfo, Deadline deadline,
                                                       const std::atomic<bool>& stopping) {
    std::unique_ptr<BackendWire> wire(new BackendWire(stopping));
    if (auto logged_in = wire->log_in(conninfo, deadline); !logged_in)
        return tl::unexpected(logged_in.error());
    return wire;
}

Result<void> BackendWire::log_in(const std::string& conninfo, Deadline deadline) {
    PGconn* const connection = libpq_->connection =
        PQconnectStart((conninfo + " gssencmode=disable").c_str());
    if (connection == nullptr) return fail("53200", "out of memory");
    auto step = PGRES_POLLING_WRITING;
    while (PQstatus(connection) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
           step != PGRES_POLLING_FAILED) {
        libpq_->socket = PQsocket(connection);  // another one for each address tried
        if (auto ready = wait(step == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, deadline); !ready)
            return ready;
        step = PQconnectPoll(connection);
    }
    if (PQstatus(connection) != CONNECTION_OK) {
        std::string reason = PQerrorMessage(connection);
        std::erase(reason, '\n');
        return fail("08006", reason);
    }
    libpq_->socket = PQsocket(connection);
    if (PQsslInUse(connection) == 0) return {};
    libpq_->ssl = PQsslStruct(connection, "OpenSSL");
    if (libpq_->ssl == nullptr) return fail("0A000", "libpq's TLS is not OpenSSL's");
    return {};
}

std::string BackendWire::user() const {
    const char* const user = PQuser(libpq_->connection);
    return user == nullptr ? "" : user;
}

Result<void> BackendWire::wait(short events, Deadline deadline) const {
    for (;;) {
        if (stopping_.load(std::memory_order_relaxed)) return fail("57P01", "the process ends");
        const auto now = std::chrono::steady_clock::now();
        if (now >= deadline) return fail("57014", "PostgreSQL took longer than the time allowed");
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
        pollfd polled{libpq_->socket, events, 0};
        const int ready = ::poll(&polled, 1, static_cast<int>(std::min(left, kLook).count()));
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return lost(std::strerror(errno));
    }
}

Result<void> BackendWire::send(std::string_view bytes, Deadline deadline) {
    using enum io::TlsStep::Outcome;
    while (!bytes.empty()) {
        io::TlsStep step;
        if (libpq_->ssl != nullptr) {
            step = io::write_borrowed(libpq_->ssl, bytes);
        } else {
            const ssize_t sent = ::send(libpq_->socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent >= 0)
                step = {Moved, static_cast<std::size_t>(sent)};
            else
                step.outcome = errno == EAGAIN || errno == EINTR ? WantsWrite : Ended;
        }
        bytes.remove_prefix(step.bytes);
        if (step.outcome == Ended) return lost("it cannot be written to");
        if (step.outcome == Moved) continue;
        if (auto ready = wait(step.outcome == WantsRead ? POLLIN : POLLOUT, deadline); !ready) return ready;
    }
    return {};
}

Result<std::string_view> BackendWire::receive(Deadline deadline) {
    using enum io::TlsStep::Outcome;
    for (;;) {
        io::TlsStep step;
        if (libpq_->ssl != nullptr) {
            step = io::read_borrowed(libpq_->ssl, {buffer_.get(), kBufferBytes});
        } else {
            const ssize_t got = ::recv(libpq_->socket, buffer_.get(), kBufferBytes, 0);
            if (got > 0)
                step = {Moved, static_cast<std::size_t>(got)};
            else
                step.outcome = got < 0 && (errno == EAGAIN || errno == EINTR) ? WantsRead : Ended;
        }
        if (step.outcome == Moved) return std::string_view(buffer_.get(), step.bytes);
        if (step.outcome == Ended) return tl::unexpected(lost("PostgreSQL ended it").error());
        if (auto ready = wait(step.outcome == WantsWrite ? POLLOUT : POLLIN, deadline); !ready)
            return tl::unexpected(ready.error());
    }
}

Result<void> BackendWire::exchange(std::string_view bytes, Deadline deadline,
                                   const std::function<void(const wire::Piece&)>& on_piece) {
    if (auto sent = send(bytes, deadline); !sent) return sent;
    for (bool ready = false; !ready;) {
        const auto received = receive(deadline);
        if (!received) return tl::unexpected(received.error());
        framer_.feed(*received);
        for (;;) {
            const auto piece = framer_.next();
            if (!piece) return tl::unexpected(piece.error());
            if (!*piece) break;
            on_piece(**piece);
            ready |= (*piece)->type == 'Z';
        }
        framer_.keep_rest();
    }
    return {};
}

}  // namespace warmfront::control
