// proxy/io/socket.h: file descriptors with one owner, socket addresses, and their text for people.
#pragma once

#include <string>
#include <utility>

#include <sys/socket.h>

#include "config/result.h"
#include "config/settings.h"

namespace warmfront::io {

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }
    void reset();

private:
    int fd_ = -1;
};

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    static SocketAddress from(const sockaddr* address, socklen_t length);
    // A path that begins with '@' is in Linux's abstract namespace, as libpq has it. Fails with 08006 on a
    // path longer than the kernel takes (107 bytes).
    static Result<SocketAddress> of_unix_path(const std::string& path);

    [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
    [[nodiscard]] int family() const { return storage.ss_family; }
    [[nodiscard]] std::uint16_t port() const;  // 0 for a unix socket
    void set_port(std::uint16_t port);
    [[nodiscard]] bool is_loopback() const;  // 127.0.0.0/8, ::1 (also as ::ffff:127.0.0.1)
    [[nodiscard]] std::string text()
        const;  // "127.0.0.1:5432", "[::1]:5432", "/run/postgresql/.s.PGSQL.5432"
};

[[nodiscard]] std::string text_of(const Address& address);
[[nodiscard]] std::string errno_text(int error);  // "Connection refused"

// TCP_NODELAY (a message is complete when it is written) and SO_KEEPALIVE (a peer that vanished is noticed).
void prepare_tcp(int socket);

}  // namespace warmfront::io
