// Sockets are made by hand since libuv 1.44 cannot set SO_REUSEPORT before it binds.
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/io/listener.h"

namespace warmfront::io {

static constexpr int kBacklog = 10'000;  // PostgreSQL's PG_SOMAXCONN

static tl::unexpected<Error> cannot_listen(const std::string& where, const std::string& why) {
    return fail("58030", fmt::format("cannot listen on {}: {}", where, why));
}

// The file of a unix socket, removed with its owner unless another process has replaced it meanwhile.
class ListenSocket::SocketFile {
public:
    explicit SocketFile(std::string path) : path_(std::move(path)) {
        ours_ = ::stat(path_.c_str(), &made_) == 0;
    }
    ~SocketFile() {
        struct stat now {};
        if (ours_ && ::stat(path_.c_str(), &now) == 0 && now.st_dev == made_.st_dev &&
            now.st_ino == made_.st_ino)
            ::unlink(path_.c_str());
    }
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;

private:
    std::string path_;
    struct stat made_ {};
    bool ours_ = false;
};

static Fd make_socket(int family) {
    return Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static bool set_option(const Fd& fd, int level, int option) {
    const int on = 1;
    return setsockopt(fd.get(), level, option, &on, sizeof on) == 0;
}

// SO_REUSEPORT lets any process of the same user join silently, so a second warmfront would take half of the
// clients. Binding without it first tells whether the port is taken.
static bool is_port_taken(const SocketAddress& address) {
    if (address.port() == 0) return false;
    const Fd probe = make_socket(address.family());
    if (!probe || !set_option(probe, SOL_SOCKET, SO_REUSEADDR)) return false;
    if (address.family() == AF_INET6) (void)set_option(probe, IPPROTO_IPV6, IPV6_V6ONLY);
    return ::bind(probe.get(), address.raw(), address.length) != 0 && errno == EADDRINUSE;
}

static Result<Fd> listen_tcp(const SocketAddress& address) {
    Fd fd = make_socket(address.family());
    const bool listens =
        fd && set_option(fd, SOL_SOCKET, SO_REUSEADDR) && set_option(fd, SOL_SOCKET, SO_REUSEPORT) &&
        // IPv4 has its own socket, so that "*" means the same whatever the system's default is.
        (address.family() != AF_INET6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
        ::bind(fd.get(), address.raw(), address.length) == 0 && ::listen(fd.get(), kBacklog) == 0;
    if (!listens) return cannot_listen(address.text(), errno_text(errno));
    return fd;
}

static SocketAddress local_address(const Fd& fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage), length);
}

static Result<std::vector<SocketAddress>> resolve_to_listen(const Address& address) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    const bool all = address.host.empty() || address.host == "*";
    addrinfo* found = nullptr;
    const int error = getaddrinfo(all ? nullptr : address.host.c_str(), std::to_string(address.port).c_str(),
                                  &hints, &found);
    if (error != 0) return cannot_listen(text_of(address), gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    std::vector<SocketAddress> addresses;
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next)
        addresses.push_back(SocketAddress::from(info->ai_addr, info->ai_addrlen));
    return addresses;
}

static Result<void> remove_if_stale(const SocketAddress& address, const std::string& path) {
    struct stat file {};
    if (path.front() == '@' || ::lstat(path.c_str(), &file) != 0) return {};
    if (!S_ISSOCK(file.st_mode)) return cannot_listen(path, "the file exists and is no socket");
    const Fd probe = make_socket(AF_UNIX);
    if (::connect(probe.get(), address.raw(), address.length) == 0 || errno != ECONNREFUSED)
        return cannot_listen(path, "another process listens there");
    if (::unlink(path.c_str()) != 0) return cannot_listen(path, "stale socket file: " + errno_text(errno));
    return {};
}

static Result<Fd> listen_unix(const SocketAddress& address, const std::string& path) {
    if (auto removed = remove_if_stale(address, path); !removed) return tl::unexpected(removed.error());
    Fd fd = make_socket(AF_UNIX);
    const bool listens = fd && ::bind(fd.get(), address.raw(), address.length) == 0 &&
                         (path.front() == '@' || ::chmod(path.c_str(), 0777) == 0) &&
                         ::listen(fd.get(), kBacklog) == 0;
    if (!listens) return cannot_listen(path, errno_text(errno));
    return fd;
}

Result<ListenSocket> ListenSocket::open(const Address& address) {
    ListenSocket made;
    if (!address.unix_path.empty()) {
        const auto where = SocketAddress::of_unix_path(address.unix_path);
        if (!where) return cannot_listen(address.unix_path, where.error().text);
        auto fd = listen_unix(*where, address.unix_path);
        if (!fd) return tl::unexpected(fd.error());
        made.is_unix_ = true;
        made.places_.push_back({std::move(*fd), *where});
        if (address.unix_path.front() != '@') made.file_ = std::make_shared<SocketFile>(address.unix_path);
        return made;
    }
    const auto addresses = resolve_to_listen(address);
    if (!addresses) return tl::unexpected(addresses.error());
    std::optional<Error> unsupported;
    for (SocketAddress where : *addresses) {
        // With port 0 the first address finds a free port and the others take the same.
        if (address.port == 0 && !made.places_.empty()) where.set_port(made.port());
        if (is_port_taken(where)) return cannot_listen(where.text(), errno_text(EADDRINUSE));
        auto fd = listen_tcp(where);
        if (!fd) {
            // A machine without IPv6 still resolves "*" and localhost to it.
            if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) return tl::unexpected(fd.error());
            unsupported = fd.error();
            continue;
        }
        where = local_address(*fd);
        made.places_.push_back({std::move(*fd), where});
    }
    if (made.places_.empty()) return tl::unexpected(*unsupported);
    return made;
}

Result<ListenSocket> ListenSocket::for_another_worker() const {
    ListenSocket made;
    made.is_unix_ = is_unix_;
    for (const Place& place : places_) {
        if (is_unix_) {
            Fd fd(::fcntl(place.fd.get(), F_DUPFD_CLOEXEC, 0));
            if (!fd) return cannot_listen(place.address.text(), errno_text(errno));
            made.places_.push_back({std::move(fd), place.address});
        } else {
            auto fd = listen_tcp(place.address);
            if (!fd) return tl::unexpected(fd.error());
            made.places_.push_back({std::move(*fd), place.address});
        }
    }
    return made;
}

std::uint16_t ListenSocket::port() const {
    return places_.front().address.port();
}

std::string ListenSocket::text() const {
    std::string all;
    for (const Place& place : places_) all += (all.empty() ? "" : ", ") + place.address.text();
    return all;
}

}  // namespace warmfront::io
