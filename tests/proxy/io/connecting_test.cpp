#include <doctest/doctest.h>

#include "proxy/io/socket.h"
#include "proxy/io/stream.h"
#include "tests/proxy/io/support.h"

using namespace warmfront;
using namespace warmfront::io;
using namespace warmfront::io::test;

namespace {

constexpr std::uint64_t kLongMs = 30'000;

// "connected" or the error's text.
std::string connect(Loop& loop, const Address& address, std::uint64_t timeout_ms = kLongMs) {
    std::optional<std::string> outcome;
    std::unique_ptr<Connecting> connecting;
    connecting =
        Connecting::start(loop.raw(), address, timeout_ms, [&](Result<std::unique_ptr<Stream>> stream) {
            if (!stream) CHECK(stream.error().sqlstate == "08006");
            outcome = stream ? "connected" : stream.error().text;
            connecting.reset();
        });
    CHECK_FALSE(outcome);
    run_until(loop, [&] { return outcome.has_value(); });
    return *outcome;
}

// Listens, but its queue is full: the kernel answers nobody any more.
struct FullServer {
    explicit FullServer(const SocketAddress& where) {
        listener = Fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(listener.get(), where.raw(), where.length) == 0);
        REQUIRE(::listen(listener.get(), 0) == 0);
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&storage), &length) == 0);
        address = SocketAddress::from(reinterpret_cast<sockaddr*>(&storage), length);
        for (int i = 0; i < 4; ++i) {
            Fd waiting(::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)::connect(waiting.get(), address.raw(), address.length);
            in_queue.push_back(std::move(waiting));
        }
    }
    Fd listener;
    SocketAddress address;
    std::vector<Fd> in_queue;
};

SocketAddress loopback() {
    sockaddr_storage storage{};
    REQUIRE(uv_ip4_addr("127.0.0.1", 0, reinterpret_cast<sockaddr_in*>(&storage)) == 0);
    return SocketAddress::from(reinterpret_cast<sockaddr*>(&storage), sizeof(sockaddr_in));
}

}  // namespace

TEST_CASE("connecting: reaches TCP by address and by name, and unix sockets") {
    const Directory directory;
    Loop loop;
    const auto tcp = ListenSocket::open({"localhost", 0, {}}).value();
    const auto local = ListenSocket::open({{}, 0, directory.file("socket")}).value();
    CHECK(connect(loop, {"127.0.0.1", tcp.port(), {}}) == "connected");
    CHECK(connect(loop, {"localhost", tcp.port(), {}}) == "connected");
    CHECK(connect(loop, {{}, 0, directory.file("socket")}) == "connected");
}

TEST_CASE("connecting: a name's addresses are tried in turn") {
    // localhost may have ::1 first, where nobody listens.
    Loop loop;
    const auto ipv4_only = ListenSocket::open({"127.0.0.1", 0, {}}).value();
    CHECK(connect(loop, {"localhost", ipv4_only.port(), {}}) == "connected");
}

TEST_CASE("connecting: the error names the address and the reason") {
    const Directory directory;
    Loop loop;
    const auto port = ListenSocket::open({"127.0.0.1", 0, {}})->port();
    const auto text = std::to_string(port);
    CHECK(connect(loop, {"127.0.0.1", port, {}}) == "connection to 127.0.0.1:" + text + " refused");
    const auto by_name = connect(loop, {"localhost", port, {}});
    CHECK(by_name.find("connection to localhost:" + text + " (127.0.0.1:" + text + ") refused") !=
          std::string::npos);
    const auto path = directory.file("none");
    CHECK(connect(loop, {{}, 0, path}) == "connection to " + path + " failed: No such file or directory");
    CHECK(connect(loop, {"no-such-host.invalid", port, {}})
              .starts_with("could not resolve host name \"no-such-host.invalid\": "));
    CHECK(connect(loop, {{}, 0, std::string(200, 'x')}).find("200 bytes long") != std::string::npos);
}

TEST_CASE("connecting: gives up in time on a server that does not answer") {
    Loop loop;
    const FullServer server(loopback());
    const auto port = server.address.port();
    CHECK(connect(loop, {"127.0.0.1", port, {}}, 50) ==
          "connection to 127.0.0.1:" + std::to_string(port) + " timed out (50 ms for all addresses)");
}

TEST_CASE("connecting: waits for room in the queue of a unix socket") {
    const Directory directory;
    Loop loop;
    const auto path = directory.file("socket");
    FullServer server(SocketAddress::of_unix_path(path).value());
    CHECK(connect(loop, {{}, 0, path}, 50) ==
          "connection to " + path + " timed out (50 ms for all addresses)");
    Timer make_room(loop, [&] { REQUIRE(Fd(::accept(server.listener.get(), nullptr, nullptr))); });
    make_room.start_once(std::chrono::milliseconds(30));
    CHECK(connect(loop, {{}, 0, path}) == "connected");
}

TEST_CASE("connecting: destruction cancels, before the look-up, within it and after it") {
    const FullServer server(loopback());
    for (const char* host : {"127.0.0.1", "localhost", "no-such-host.invalid"})
        for (int turns = 0; turns < 3; ++turns) {
            CAPTURE(host);
            CAPTURE(turns);
            Loop loop;
            bool told = false;
            auto connecting = Connecting::start(loop.raw(), {host, server.address.port(), {}}, kLongMs,
                                                [&](const auto&) { told = true; });
            for (int turn = 0; turn < turns; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
            const bool before = told;
            connecting.reset();
            settle(loop);
            CHECK(told == before);
        }
}
