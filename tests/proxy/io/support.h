// tests/proxy/io/support.h: two ends of a connection on one loop, events as functions, and certificates.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "proxy/io/listener.h"
#include "proxy/io/loop.h"
#include "proxy/io/stream.h"
#include "proxy/io/timer.h"
#include "proxy/io/tls.h"

namespace warmfront::io::test {

// Turns the loop until `holds`. What never comes true ends the test after a minute.
void run_until(Loop& loop, const std::function<bool()>& holds);
// Turns the loop as often as it takes for everything that is ready to be handled.
void settle(Loop& loop);

// Records, and does what a test asks for.
struct Ear final : StreamEvents {
    std::string bytes;
    std::optional<Error> closed;
    int drained = 0;
    std::function<void(std::string_view)> when_bytes;
    std::function<void()> when_closed;
    std::function<void()> when_drained;
    void on_bytes(std::string_view received) noexcept override;
    void on_closed(const Error& why) noexcept override;
    void on_drained() noexcept override;
};

enum class Kind { Tcp, Unix, Tls };
inline std::string name_of(Kind kind) {
    return kind == Kind::Tcp ? "tcp" : kind == Kind::Unix ? "unix" : "tls";
}
inline constexpr Kind kKinds[] = {Kind::Tcp, Kind::Unix, Kind::Tls};

// Two connected sockets, blocking.
std::pair<Fd, Fd> tcp_sockets();
std::pair<Fd, Fd> unix_sockets();

// Two ends, connected, both reading; of Kind::Tls with the handshake done.
struct Ends {
    explicit Ends(Loop& loop, Kind kind = Kind::Tcp);
    Ear left_ear, right_ear;
    std::unique_ptr<Stream> left, right;
};

// A directory of its own, removed at the end.
struct Directory {
    Directory();
    ~Directory();
    [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
    void write(const std::string& name, std::string_view text) const;
    std::filesystem::path path;
};

// An authority and a server's certificate that it signed, as PEM files. The certificate is for names like
// "DNS:db.example,IP:127.0.0.1".
struct Certificates {
    explicit Certificates(const std::string& names = "DNS:db.example,IP:127.0.0.1");
    Directory directory;
    std::string root = directory.file("root.crt");
    std::string cert = directory.file("server.crt");
    std::string key = directory.file("server.key");
    [[nodiscard]] TlsContext server() const;
    [[nodiscard]] TlsContext client(SslMode mode = SslMode::VerifyCa) const;
};
// One for all tests that need any: making keys takes a while.
const Certificates& certificates();

}  // namespace warmfront::io::test
