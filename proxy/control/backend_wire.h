// proxy/control/backend_wire.h: a connection to PostgreSQL that libpq logs in, and that is spoken to in
// messages of our own from then on: what comes back are the very bytes that a client would have got.
//
// Blocking, with a deadline for each call; for threads of their own. `stopping` is looked at ten times a
// second, and ends a call with 57P01. After any failure the connection is of no more use.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "config/result.h"
#include "proxy/wire/framer.h"

namespace warmfront::control {

class BackendWire {
public:
    using Deadline = std::chrono::steady_clock::time_point;
    // Fails with 08006 and libpq's reason, with 57014 at the deadline.
    static Result<std::unique_ptr<BackendWire>> open(const std::string& conninfo, Deadline deadline,
                                                     const std::atomic<bool>& stopping);
    ~BackendWire();
    BackendWire(const BackendWire&) = delete;
    BackendWire& operator=(const BackendWire&) = delete;

    [[nodiscard]] std::string user() const;  // whom PostgreSQL took us for
    // Sends the bytes and gives every message, or a piece of a long one, up to and with ReadyForQuery.
    [[nodiscard]] Result<void> exchange(std::string_view bytes, Deadline deadline,
                                        const std::function<void(const wire::Piece&)>& on_piece);

private:
    struct Libpq;
    explicit BackendWire(const std::atomic<bool>& stopping);
    [[nodiscard]] Result<void> log_in(const std::string& conninfo, Deadline deadline);
    [[nodiscard]] Result<void> wait(short events, Deadline deadline) const;
    [[nodiscard]] Result<void> send(std::string_view bytes, Deadline deadline);
    [[nodiscard]] Result<std::string_view> receive(Deadline deadline);

    const std::atomic<bool>& stopping_;
    std::unique_ptr<Libpq> libpq_;
    wire::Framer framer_;
    std::unique_ptr<char[]> buffer_;
};

}  // namespace warmfront::control
