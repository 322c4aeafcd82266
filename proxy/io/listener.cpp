#include "proxy/io/listener.h"

#include <cerrno>

#include <fmt/format.h>

namespace warmfront::io {

// Clients accepted in one turn of the loop, so that a storm of them does not starve the ones that are
// connected.
static constexpr int kAcceptsPerTurn = 16;

Listener::Listener(Loop& loop, ListenSocket socket, Accept accept, Report report)
    : socket_(std::move(socket)),
      accept_(std::move(accept)),
      report_(std::move(report)),
      pause_(loop, [this] { open_doors(); }) {}

Listener::~Listener() {
    *alive_ = false;
}

Result<std::unique_ptr<Listener>> Listener::start(Loop& loop, ListenSocket socket, Accept accept,
                                                  Report report) {
    std::unique_ptr<Listener> made(
        new Listener(loop, std::move(socket), std::move(accept), std::move(report)));
    for (std::size_t place = 0; place < made->socket_.places_.size(); ++place) {
        auto door = std::make_unique<Door>(Door{made.get(), place, nullptr});
        auto watch = Watch::open(loop.raw(), made->socket_.places_[place].fd.get(), door.get(),
                                 [](void* owner, int, int) noexcept {
                                     const auto* at = static_cast<Door*>(owner);
                                     at->listener->accept_some(at->place);
                                 });
        if (!watch) return tl::unexpected(watch.error());
        door->watch = std::move(*watch);
        made->doors_.push_back(std::move(door));
    }
    made->open_doors();
    return made;
}

void Listener::open_doors() {
    for (const auto& door : doors_) door->watch->start(UV_READABLE);
}

void Listener::accept_some(std::size_t place) {
    const auto alive = alive_;  // a callback may destroy the Listener
    for (int count = 0; count < kAcceptsPerTurn; ++count) {
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        Fd client(::accept4(socket_.places_[place].fd.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!client) {
            // The client is gone already, or another worker was faster: nothing to say. Linux passes errors
            // of the new connection's network on too (accept(2)), hence only a list of what lasts.
            const int error = errno;
            if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) pause(error);
            break;
        }
        const auto from = SocketAddress::from(reinterpret_cast<sockaddr*>(&storage), length);
        const bool is_unix = socket_.is_unix_;
        const Peer peer{is_unix, is_unix || from.is_loopback(),
                        is_unix ? socket_.places_[place].address.text() : from.text()};
        accept_(std::move(client), peer);
        if (!*alive) return;
    }
}

void Listener::pause(int error) {
    // The waiting clients would wake the loop again at once, for ever.
    for (const auto& door : doors_) door->watch->stop();
    pause_.start_once(kPause);
    report_(Error{"53000", fmt::format("cannot accept clients on {}: {}; trying again in {} ms",
                                       socket_.text(), errno_text(error), kPause.count())});
}

}  // namespace warmfront::io
