#include "proxy/io/dial.h"

#include <doctest/doctest.h>

#include "tests/proxy/io/support.h"

using namespace warmfront;
using namespace warmfront::io;
using namespace warmfront::io::test;
using namespace std::chrono_literals;
using Only = DialOptions::Only;

namespace {

// A server that answers each SSLRequest with `answer`; "TLS" stands for an 'S' and the handshake, "bye" for
// closing.
class FakeServer {
public:
    FakeServer(Loop& loop, std::string answer, const Address& address = {"127.0.0.1", 0, {}})
        : loop_(loop), answer_(std::move(answer)), tls_(certificates().server()) {
        auto socket = ListenSocket::open(address).value();
        this->address = address;
        if (!socket.is_unix()) this->address.port = socket.port();
        listener_ = std::move(Listener::start(
                                  loop, std::move(socket),
                                  [this](Fd fd, const Peer& peer) { accept(std::move(fd), peer.is_unix); },
                                  [](const Error&) {})
                                  .value());
    }
    Address address;
    int clients = 0;
    std::string received;  // but for TLS

private:
    struct Client {
        Ear ear;
        std::unique_ptr<Stream> stream;
    };
    void accept(Fd fd, bool is_unix) {
        ++clients;
        auto client = std::make_unique<Client>();
        client->stream = std::move(Stream::adopt(loop_.raw(), fd.release(), is_unix, &client->ear).value());
        client->ear.when_bytes = [this, at = client.get()](std::string_view bytes) {
            received += bytes;
            if (answer_ == "bye") return at->stream->close();
            at->stream->write(answer_ == "TLS" ? "S" : answer_);
            if (answer_ == "TLS") at->stream->start_tls_server(tls_.get(), false, {}, [](const Error*) {});
        };
        client->stream->resume_reading();
        clients_.push_back(std::move(client));
    }

    Loop& loop_;
    std::string answer_;
    TlsContext tls_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::unique_ptr<Listener> listener_;
};

DialOptions options_for(std::vector<Server> servers, SslMode mode, const std::string& root) {
    DialOptions options;
    options.servers = std::move(servers);
    options.sslmode = mode;
    TlsClientOptions tls;
    tls.sslmode = mode;
    tls.sslrootcert = root;
    options.tls = make_client_context(tls).value();
    options.timeout = 30s;
    return options;
}

// "plain", "tls", or the error's text.
std::string dial(Loop& loop, DialOptions options) {
    std::optional<std::string> outcome;
    std::unique_ptr<Dial> dialing;
    dialing = Dial::start(loop.raw(), std::move(options), [&](Result<std::unique_ptr<Stream>> stream) {
        if (!stream) CHECK(stream.error().sqlstate == "08006");
        outcome = !stream ? stream.error().text : (*stream)->is_tls() ? "tls" : "plain";
        dialing.reset();
    });
    CHECK_FALSE(outcome);
    run_until(loop, [&] { return outcome.has_value(); });
    return *outcome;
}

}  // namespace

TEST_CASE("dial: sslmode and the server's answer decide what the connection becomes") {
    const Certificates stranger;
    const auto& ours = certificates();
    struct Row {
        SslMode mode;
        std::string answer, root;
        Only only;
        std::string outcome;
        int connections;
    };
    const auto as = Only::AsSslmode;
    const std::string require_tls = "the server does not support TLS, but TLS was required";
    for (const auto& [mode, answer, root, only, outcome, connections] : std::vector<Row>{
             {SslMode::Disable, "TLS", ours.root, as, "plain", 1},
             {SslMode::Allow, "TLS", ours.root, as, "plain", 1},
             {SslMode::Allow, "TLS", ours.root, Only::Tls, "tls", 1},
             {SslMode::Allow, "N", ours.root, Only::Tls, require_tls, 1},
             {SslMode::Prefer, "TLS", ours.root, as, "tls", 1},
             {SslMode::Prefer, "TLS", ours.root, Only::Plain, "plain", 1},
             {SslMode::Prefer, "N", ours.root, as, "plain", 1},
             {SslMode::Prefer, "TLS", stranger.root, as, "plain", 2},
             {SslMode::Require, "TLS", ours.root, as, "tls", 1},
             {SslMode::Require, "N", ours.root, as, require_tls, 1},
             {SslMode::Require, "TLS", stranger.root, as, "certificate verify failed", 1},
             {SslMode::VerifyCa, "TLS", ours.root, as, "tls", 1},
             {SslMode::VerifyFull, "TLS", ours.root, as, "tls", 1},
             {SslMode::VerifyFull, "N", ours.root, as, require_tls, 1},
             {SslMode::VerifyFull, "TLS", stranger.root, as, "certificate verify failed", 1},
             {SslMode::Prefer, "Sx", ours.root, as, "sent unencrypted data after its answer", 1},
             {SslMode::Prefer, "Nx", ours.root, as, "sent unencrypted data after its answer", 1},
             {SslMode::Prefer, "E", ours.root, as, "answered the TLS request with an error", 1},
             {SslMode::Prefer, "H", ours.root, as, "does not speak PostgreSQL's protocol", 1},
             {SslMode::Prefer, "bye", ours.root, as, "closed the connection during the TLS request", 1},
         }) {
        CAPTURE(name_of(mode));
        CAPTURE(answer);
        CAPTURE(static_cast<int>(only));
        Loop loop;
        FakeServer server(loop, answer);
        auto options = options_for({{server.address, {}}}, mode, root);
        options.only = only;
        const std::string result = dial(loop, std::move(options));
        CAPTURE(result);
        CHECK(result.find(outcome) != std::string::npos);
        CHECK((result == outcome || result.find(std::to_string(server.address.port)) != std::string::npos));
        run_until(loop, [&] { return server.clients == connections; });
    }
}

TEST_CASE("dial: the request is PostgreSQL's, and nothing else is sent before the answer") {
    Loop loop;
    FakeServer server(loop, "N");
    CHECK(dial(loop, options_for({{server.address, {}}}, SslMode::Prefer, "none")) == "plain");
    CHECK(server.received == std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8));
}

TEST_CASE("dial: verify-full checks the name that was asked for, not the address") {
    Loop loop;
    FakeServer server(loop, "TLS");
    const auto& root = certificates().root;
    CHECK(dial(loop, options_for({{server.address, "db.example"}}, SslMode::VerifyFull, root)) == "tls");
    const auto wrong = dial(loop, options_for({{server.address, "evil.example"}}, SslMode::VerifyFull, root));
    CHECK(wrong.find("is not for \"evil.example\"") != std::string::npos);
    CHECK(dial(loop, options_for({{server.address, "evil.example"}}, SslMode::VerifyCa, root)) == "tls");
}

TEST_CASE("dial: a unix socket is never encrypted, whatever sslmode says") {
    const Directory directory;
    Loop loop;
    FakeServer server(loop, "TLS", {{}, 0, directory.file("socket")});
    for (const auto mode : {SslMode::Prefer, SslMode::Require, SslMode::VerifyFull})
        CHECK(dial(loop, options_for({{server.address, {}}}, mode, certificates().root)) == "plain");
}

TEST_CASE("dial: servers are tried in turn, and the error tells of each") {
    Loop loop;
    const Address closed{"127.0.0.1", ListenSocket::open({"127.0.0.1", 0, {}})->port(), {}};
    FakeServer plain(loop, "N"), encrypted(loop, "TLS");
    const auto& root = certificates().root;
    const std::string refused = "connection to 127.0.0.1:" + std::to_string(closed.port) + " refused";
    CHECK(dial(loop, options_for({{closed, {}}, {plain.address, {}}, {encrypted.address, {}}},
                                 SslMode::Require, root)) == "tls");
    CHECK(dial(loop, options_for({{closed, {}}, {plain.address, {}}}, SslMode::Require, root)) ==
          refused + "; connection to 127.0.0.1:" + std::to_string(plain.address.port) +
              " failed: the server does not support TLS, but TLS was required");
}

TEST_CASE("dial: a server that never answers is given up in time") {
    Loop loop;
    FakeServer server(loop, "");
    auto options = options_for({{server.address, {}}}, SslMode::Require, "none");
    options.timeout = 50ms;
    CHECK(dial(loop, std::move(options)) == "connection to 127.0.0.1:" + std::to_string(server.address.port) +
                                                " timed out during the TLS handshake (50 ms)");
}

TEST_CASE("dial: destruction cancels at every stage") {
    for (const std::string answer : {"", "TLS", "N"})
        for (int turns = 0; turns < 12; ++turns) {
            CAPTURE(answer);
            CAPTURE(turns);
            Loop loop;
            FakeServer server(loop, answer);
            bool told = false;
            auto dialing =
                Dial::start(loop.raw(), options_for({{server.address, {}}}, SslMode::Require, "none"),
                            [&](const auto&) { told = true; });
            for (int turn = 0; turn < turns && !told; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
            const bool before = told;
            dialing.reset();
            settle(loop);
            CHECK(told == before);
        }
}
