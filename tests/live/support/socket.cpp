#include "tests/live/support/socket.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace warmfront::test {

static tl::unexpected<Error> system_failure(const char* call) {
    const bool waited_too_long = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS;
    return fail(waited_too_long ? "57014" : "08006", std::string(call) + ": " + std::strerror(errno));
}

Result<Socket> Socket::connect(const std::string& host, std::uint16_t port,
                               std::chrono::milliseconds timeout) {
    Socket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (made.fd_ < 0) return system_failure("socket");
    const timeval limit{timeout.count() / 1000, (timeout.count() % 1000) * 1000};
    setsockopt(made.fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(made.fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    setsockopt(made.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
        return fail("08001", host + " is no IPv4 address");
    if (::connect(made.fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return system_failure("connect");
    return made;
}

Socket::~Socket() {
    if (fd_ >= 0) close(fd_);
}

Result<void> Socket::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return system_failure("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<std::size_t> Socket::receive_some(char* into, std::size_t size) const {
    for (;;) {
        const ssize_t got = recv(fd_, into, size, 0);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return system_failure("recv");
    }
}

void Socket::set_receive_buffer(int bytes) const {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

void Socket::reset() {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(std::exchange(fd_, -1));
}

}  // namespace warmfront::test
