#include "proxy/io/socket.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

namespace warmfront::io {

void Fd::reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

static const sockaddr_in& as_ipv4(const sockaddr_storage& storage) {
    return reinterpret_cast<const sockaddr_in&>(storage);
}

static const sockaddr_in6& as_ipv6(const sockaddr_storage& storage) {
    return reinterpret_cast<const sockaddr_in6&>(storage);
}

SocketAddress SocketAddress::from(const sockaddr* address, socklen_t length) {
    SocketAddress made;
    made.length = std::min<socklen_t>(length, sizeof made.storage);
    std::memcpy(&made.storage, address, made.length);
    return made;
}

Result<SocketAddress> SocketAddress::of_unix_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return fail("08006", fmt::format("unix socket path \"{}\" is {} bytes long, allowed are 1 to {}",
                                         path, path.size(), sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, path.data(), path.size());
    std::size_t length = offsetof(sockaddr_un, sun_path) + path.size();
    if (path.front() == '@')
        address.sun_path[0] = '\0';  // abstract: the length ends the name
    else
        ++length;
    return from(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
}

std::uint16_t SocketAddress::port() const {
    if (family() == AF_INET) return ntohs(as_ipv4(storage).sin_port);
    if (family() == AF_INET6) return ntohs(as_ipv6(storage).sin6_port);
    return 0;
}

void SocketAddress::set_port(std::uint16_t port) {
    if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
    if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
}

bool SocketAddress::is_loopback() const {
    if (family() == AF_INET) return ntohl(as_ipv4(storage).sin_addr.s_addr) >> 24 == 127;
    if (family() != AF_INET6) return false;
    const auto& address = as_ipv6(storage).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

std::string SocketAddress::text() const {
    char host[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET) {
        inet_ntop(AF_INET, &as_ipv4(storage).sin_addr, host, sizeof host);
        return fmt::format("{}:{}", host, port());
    }
    if (family() == AF_INET6) {
        inet_ntop(AF_INET6, &as_ipv6(storage).sin6_addr, host, sizeof host);
        return fmt::format("[{}]:{}", host, port());
    }
    const auto& address = reinterpret_cast<const sockaddr_un&>(storage);
    const std::size_t path_length = length - std::min<std::size_t>(length, offsetof(sockaddr_un, sun_path));
    if (path_length == 0) return "unix socket";
    if (address.sun_path[0] == '\0') return "@" + std::string(address.sun_path + 1, path_length - 1);
    return {address.sun_path, strnlen(address.sun_path, path_length)};
}

std::string text_of(const Address& address) {
    if (!address.unix_path.empty()) return address.unix_path;
    const std::string_view host = address.host.empty() ? std::string_view("*") : address.host;
    if (host.find(':') != std::string_view::npos) return fmt::format("[{}]:{}", host, address.port);
    return fmt::format("{}:{}", host, address.port);
}

std::string errno_text(int error) {
    return std::system_category().message(error);
}

void prepare_tcp(int socket) {
    const int on = 1;
    // Neither can fail on a TCP socket, and a connection without them still works.
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace warmfront::io
