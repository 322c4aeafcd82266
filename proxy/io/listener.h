// proxy/io/listener.h: sockets that clients connect to, and the accepting of them on a loop.
//
// Every worker has sockets of its own on the same TCP port (SO_REUSEPORT: the kernel spreads the clients); a
// unix socket is one, shared by all workers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/settings.h"
#include "proxy/io/loop.h"
#include "proxy/io/socket.h"
#include "proxy/io/timer.h"
#include "proxy/io/watch.h"

namespace warmfront::io {

// Bound and listening, not accepting yet: clients that connect wait in the kernel. The queue is as long as
// PostgreSQL asks for at most (10,000; the kernel caps it at net.core.somaxconn).
class ListenSocket {
public:
    // TCP: host empty or "*" is every address, IPv4 and IPv6; a name listens on each of its addresses; port 0
    // takes a free one. Unix: the file gets mode 0777 (who may log in is PostgreSQL's decision), one that
    // nobody listens on is replaced, and it is removed when the ListenSocket that made it is destroyed.
    // Blocks for a name look-up. Fails with 58030 and the address, also if another process listens there
    // already.
    static Result<ListenSocket> open(const Address& address);
    // The same place for one more worker. Fails with 58030.
    [[nodiscard]] Result<ListenSocket> for_another_worker() const;

    ListenSocket(ListenSocket&&) = default;
    ListenSocket& operator=(ListenSocket&&) = default;

    [[nodiscard]] std::uint16_t port() const;  // 0 for a unix socket
    [[nodiscard]] bool is_unix() const { return is_unix_; }
    [[nodiscard]] std::string text() const;  // "127.0.0.1:6432, [::1]:6432"

private:
    friend class Listener;
    class SocketFile;
    struct Place {
        Fd fd;
        SocketAddress address;
    };
    ListenSocket() = default;

    std::vector<Place> places_;
    std::shared_ptr<SocketFile> file_;  // with the one that made the file
    bool is_unix_ = false;
};

struct Peer {
    bool is_unix = false;
    bool is_loopback = false;  // a unix socket counts
    std::string text;          // "127.0.0.1:51234", or the path of the unix socket
};

// Accepts on its loop's thread. Out of descriptors or memory it says so through `on_error` and tries again
// after kPause; clients wait in the kernel meanwhile.
class Listener {
public:
    static constexpr std::chrono::milliseconds kPause{100};
    // `client` is non-blocking and close-on-exec. Both may destroy the Listener.
    using Accept = std::function<void(Fd client, const Peer& peer)>;
    using Report = std::function<void(const Error&)>;

    static Result<std::unique_ptr<Listener>> start(Loop& loop, ListenSocket socket, Accept accept,
                                                   Report report);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

private:
    struct Door {
        Listener* listener;
        std::size_t place;
        std::unique_ptr<Watch> watch;
    };
    Listener(Loop& loop, ListenSocket socket, Accept accept, Report report);
    void open_doors();
    void accept_some(std::size_t place);
    void pause(int error);

    ListenSocket socket_;
    Accept accept_;
    Report report_;
    std::vector<std::unique_ptr<Door>> doors_;
    Timer pause_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace warmfront::io
