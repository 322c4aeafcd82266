#include "proxy/io/listener.h"

#include <set>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/proxy/io/support.h"

using namespace warmfront;
using namespace warmfront::io;
using namespace warmfront::io::test;

namespace {

struct Clients {
    std::vector<Fd> fds;
    std::vector<Peer> peers;
    std::vector<Error> errors;
    std::unique_ptr<Listener> listen(Loop& loop, ListenSocket socket) {
        return std::move(Listener::start(
                             loop, std::move(socket),
                             [this](Fd fd, const Peer& peer) {
                                 fds.push_back(std::move(fd));
                                 peers.push_back(peer);
                             },
                             [this](const Error& error) { errors.push_back(error); })
                             .value());
    }
};

Fd connect_to(const std::string& ip, std::uint16_t port) {
    sockaddr_storage storage{};
    if (ip.find(':') == std::string::npos)
        REQUIRE(uv_ip4_addr(ip.c_str(), port, reinterpret_cast<sockaddr_in*>(&storage)) == 0);
    else
        REQUIRE(uv_ip6_addr(ip.c_str(), port, reinterpret_cast<sockaddr_in6*>(&storage)) == 0);
    const auto length = storage.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    Fd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), static_cast<socklen_t>(length)) != 0)
        fd.reset();
    return fd;
}

Fd connect_to_unix(const std::string& path) {
    const auto address = SocketAddress::of_unix_path(path).value();
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), address.raw(), address.length) != 0) fd.reset();
    return fd;
}

bool has_ipv6() {
    return connect_to("::1", ListenSocket::open({"", 0, {}})->port()).get() >= 0;
}

}  // namespace

TEST_CASE("listener: listens on the addresses that its host stands for, and says who came") {
    struct Row {
        std::string host;
        std::vector<std::string> reachable_at;
    };
    const bool ipv6 = has_ipv6();
    for (const auto& [host, reachable_at] : std::vector<Row>{
             {"127.0.0.1", {"127.0.0.1"}},
             {"::1", {"::1"}},
             {"localhost", {"127.0.0.1"}},
             {"*", {"127.0.0.1", "::1"}},
             {"", {"127.0.0.1", "::1"}},
         }) {
        CAPTURE(host);
        if (host == "::1" && !ipv6) continue;
        Loop loop;
        Clients clients;
        auto socket = ListenSocket::open({host, 0, {}});
        REQUIRE(socket);
        const auto port = socket->port();
        CHECK(port != 0);
        CHECK_FALSE(socket->is_unix());
        const auto listener = clients.listen(loop, std::move(*socket));
        for (const auto& ip : reachable_at) {
            if (ip == "::1" && !ipv6) continue;
            CAPTURE(ip);
            const Fd client = connect_to(ip, port);
            REQUIRE(client);
            const std::size_t before = clients.fds.size();
            run_until(loop, [&] { return clients.fds.size() == before + 1; });
            const auto& peer = clients.peers.back();
            CHECK(peer.text.starts_with(ip == "::1" ? "[::1]:" : "127.0.0.1:"));
            CHECK(peer.is_loopback);
            CHECK_FALSE(peer.is_unix);
            CHECK((::fcntl(clients.fds.back().get(), F_GETFL) & O_NONBLOCK) != 0);
            CHECK((::fcntl(clients.fds.back().get(), F_GETFD) & FD_CLOEXEC) != 0);
        }
        CHECK(clients.errors.empty());
    }
}

TEST_CASE(
    "listener: workers share a TCP port, each with its own queue; another process is told it is taken") {
    Loop loop;
    Clients one, two;
    auto first = ListenSocket::open({"127.0.0.1", 0, {}}).value();
    auto second = first.for_another_worker();
    REQUIRE(second);
    const auto port = first.port();
    CHECK(second->port() == port);
    const auto taken = ListenSocket::open({"127.0.0.1", port, {}});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().sqlstate == "58030");
    CHECK(taken.error().text ==
          "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");

    const auto a = one.listen(loop, std::move(first));
    const auto b = two.listen(loop, std::move(*second));
    std::vector<Fd> clients;
    for (int i = 0; i < 64; ++i) clients.push_back(connect_to("127.0.0.1", port));
    run_until(loop, [&] { return one.fds.size() + two.fds.size() == clients.size(); });
    CHECK(one.fds.size() > 0);  // by the kernel's hash: both empty-handed has a chance of 2^-63
    CHECK(two.fds.size() > 0);
}

TEST_CASE("listener: a unix socket is open to all, shared by workers, and gone afterwards") {
    const Directory directory;
    const std::string path = directory.file(".s.PGSQL.6432");
    Loop loop;
    Clients one, two;
    {
        auto first = ListenSocket::open({{}, 0, path}).value();
        CHECK(first.is_unix());
        CHECK(first.text() == path);
        struct stat file {};
        REQUIRE(::stat(path.c_str(), &file) == 0);
        CHECK((file.st_mode & 07777) == 0777);
        const auto taken = ListenSocket::open({{}, 0, path});
        REQUIRE_FALSE(taken);
        CHECK(taken.error().text == "cannot listen on " + path + ": another process listens there");
        // The refused one's look at the door is a client too, gone already.
        const auto a = one.listen(loop, first.for_another_worker().value());
        const auto b = two.listen(loop, std::move(first));
        const Fd client = connect_to_unix(path);
        REQUIRE(client);
        run_until(loop, [&] { return one.fds.size() + two.fds.size() == 2; });
        const auto& peer = one.peers.empty() ? two.peers.back() : one.peers.back();
        CHECK(peer.is_unix);
        CHECK(peer.is_loopback);
        CHECK(peer.text == path);
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("listener: a stale unix socket is replaced, any other file is left alone") {
    const Directory directory;
    const std::string stale = directory.file("stale"), file = directory.file("file");
    {
        const auto address = SocketAddress::of_unix_path(stale).value();
        const Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
        REQUIRE(::bind(dead.get(), address.raw(), address.length) == 0);
    }
    CHECK(ListenSocket::open({{}, 0, stale}));
    directory.write("file", "precious");
    const auto refused = ListenSocket::open({{}, 0, file});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text == "cannot listen on " + file + ": the file exists and is no socket");
    CHECK(std::filesystem::exists(file));
    CHECK_FALSE(ListenSocket::open({{}, 0, directory.file(std::string(200, 'x'))}));
}

TEST_CASE("listener: a socket file that another process has put in its place is not removed") {
    const Directory directory;
    const std::string path = directory.file("socket");
    std::optional<ListenSocket> first = std::move(ListenSocket::open({{}, 0, path}).value());
    REQUIRE(::rename(path.c_str(), directory.file("moved").c_str()) == 0);
    const auto second = ListenSocket::open({{}, 0, path});
    REQUIRE(second);
    first.reset();
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("listener: out of descriptors it reports, rests, and accepts once there are some again") {
    Loop loop;
    Clients clients;
    auto socket = ListenSocket::open({"127.0.0.1", 0, {}}).value();
    const auto port = socket.port();
    const auto listener = clients.listen(loop, std::move(socket));
    const Fd client = connect_to("127.0.0.1", port);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    int turns = 0;
    run_until(loop, [&] { return ++turns > 100 || clients.errors.size() == 2; });
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(turns < 10);  // one turn for each report, not a spin between
    REQUIRE(clients.errors.size() == 2);
    CHECK(clients.errors[0].sqlstate == "53000");
    CHECK(clients.errors[0].text.find("Too many open files") != std::string::npos);
    run_until(loop, [&] { return clients.fds.size() == 1; });
}

TEST_CASE("listener: may be destroyed by the client it accepts") {
    Loop loop;
    auto socket = ListenSocket::open({"127.0.0.1", 0, {}}).value();
    const auto port = socket.port();
    std::unique_ptr<Listener> listener;
    int accepted = 0;
    listener = std::move(Listener::start(
                             loop, std::move(socket),
                             [&](Fd, const Peer&) {
                                 ++accepted;
                                 listener.reset();
                             },
                             [](const Error&) {})
                             .value());
    const Fd a = connect_to("127.0.0.1", port), b = connect_to("127.0.0.1", port);
    loop.run();
    CHECK(accepted == 1);
}
