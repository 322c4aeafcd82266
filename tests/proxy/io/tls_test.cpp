#include "proxy/io/tls.h"

#include <array>

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "tests/proxy/io/support.h"

using namespace warmfront;
using namespace warmfront::io;
using namespace warmfront::io::test;

namespace {

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// Both ends' errors; nullopt: that end has finished, or waits for ever.
struct Handshakes {
    std::optional<Error> server, client;
    int done = 0;
};

Stream::Handshake note(Handshakes& result, std::optional<Error>& error, Ends& ends) {
    return [&](const Error* failed) {
        ++result.done;
        if (failed == nullptr) return;
        error = *failed;
        ends.left->close();
        ends.right->close();
        result.done = 2;
    };
}

struct Names {
    std::string server_name = "db.example";
    bool verify_name = false;
};

Handshakes shake(SSL_CTX* server, SSL_CTX* client, bool alpn_required = false, const Names& names = {}) {
    Loop loop;
    Ends ends(loop);
    Handshakes result;
    ends.right->start_tls_server(server, alpn_required, {}, note(result, result.server, ends));
    ends.left->start_tls_client(client, names.server_name, names.verify_name,
                                note(result, result.client, ends));
    run_until(loop, [&] { return result.done == 2; });
    return result;
}

// A client as other programs may have it.
TlsContext raw_client() {
    return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
}

// The reason that the end which found the fault gives.
std::string reason(const Handshakes& result) {
    return (result.server ? result.server->text : "") + "|" + (result.client ? result.client->text : "");
}

}  // namespace

TEST_CASE("tls: sslmode decides what of the server's certificate is verified") {
    const Certificates stranger;
    const std::string none = stranger.directory.file("none.crt");
    struct Row {
        SslMode mode;
        std::string root, name, error;
    };
    const auto& ours = certificates();
    for (const auto& [mode, root, name, error] : std::vector<Row>{
             {SslMode::Prefer, none, "other.example", ""},
             {SslMode::Require, none, "other.example", ""},
             {SslMode::Require, ours.root, "other.example", ""},
             {SslMode::Require, stranger.root, "db.example", "certificate verify failed"},
             {SslMode::VerifyCa, ours.root, "other.example", ""},
             {SslMode::VerifyCa, stranger.root, "db.example", "certificate verify failed"},
             {SslMode::VerifyFull, ours.root, "db.example", ""},
             {SslMode::VerifyFull, ours.root, "127.0.0.1", ""},
             {SslMode::VerifyFull, ours.root, "other.example", "is not for \"other.example\""},
             {SslMode::VerifyFull, ours.root, "127.0.0.2", "is not for \"127.0.0.2\""},
             {SslMode::VerifyFull, ours.root, "", "a host name is needed"},
             {SslMode::VerifyFull, stranger.root, "db.example", "certificate verify failed"},
         }) {
        CAPTURE(name_of(mode));
        CAPTURE(root);
        CAPTURE(name);
        TlsClientOptions options;
        options.sslmode = mode;
        options.sslrootcert = root;
        const auto client = make_client_context(options);
        REQUIRE(client);
        const auto result =
            shake(ours.server().get(), client->get(), false, {name, mode == SslMode::VerifyFull});
        CAPTURE(reason(result));
        CHECK(result.client.has_value() == !error.empty());
        if (result.client) {
            CHECK(result.client->sqlstate == "08006");
            CHECK(contains(result.client->text, error));
        }
    }
}

TEST_CASE("tls: direct TLS demands ALPN, and only ever agrees on postgresql") {
    struct Row {
        std::string_view offered;  // as on the wire
        bool required;
        std::string error;  // of either end
    };
    using namespace std::literals;
    for (const auto& [offered, required, error] : std::vector<Row>{
             {"\x0apostgresql"sv, true, ""},
             {"\x02h2\x0apostgresql"sv, true, ""},
             {"\x0apostgresql"sv, false, ""},
             {""sv, false, ""},
             {""sv, true, "direct TLS without the ALPN protocol \"postgresql\""},
             {"\x02h2"sv, true, "no application protocol"},
             {"\x02h2"sv, false, "no application protocol"},
         }) {
        CAPTURE(offered);
        CAPTURE(required);
        const auto client = raw_client();
        SSL_CTX_set_alpn_protos(client.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                                static_cast<unsigned>(offered.size()));
        const auto result = shake(certificates().server().get(), client.get(), required);
        CAPTURE(reason(result));
        CHECK((result.server || result.client) == !error.empty());
        CHECK(contains(reason(result), error));
    }
}

TEST_CASE("tls: protocols older than 1.2 are refused") {
    const auto client = raw_client();
    SSL_CTX_set_security_level(client.get(), 0);
    SSL_CTX_set_min_proto_version(client.get(), TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(client.get(), TLS1_1_VERSION);
    const auto result = shake(certificates().server().get(), client.get());
    CHECK(reason(result).size() > 1);

    SSL_CTX_set_min_proto_version(client.get(), TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(client.get(), TLS1_2_VERSION);
    CHECK(reason(shake(certificates().server().get(), client.get())) == "|");
}

TEST_CASE("tls: the first bytes of a direct client may have been read already") {
    Loop loop;
    Ends ends(loop);
    ends.right_ear.when_bytes = [&](std::string_view hello) {
        ends.right->start_tls_server(certificates().server().get(), false, hello,
                                     [](const Error* error) { CHECK(error == nullptr); });
    };
    ends.left->start_tls_client(certificates().client().get(), "db.example", true, [&](const Error* error) {
        CHECK(error == nullptr);
        ends.right_ear.when_bytes = nullptr;
        ends.left->write("in secret");
    });
    run_until(loop, [&] { return ends.right_ear.bytes == "in secret"; });
}

TEST_CASE("tls: what is written during the handshake follows it") {
    Loop loop;
    Ends ends(loop);
    ends.right->start_tls_server(certificates().server().get(), false, {}, [](const Error*) {});
    ends.left->start_tls_client(certificates().client().get(), "", false, [](const Error*) {});
    ends.left->write("early");
    CHECK(ends.left->queued_bytes() == 5);
    run_until(loop, [&] { return ends.right_ear.bytes == "early"; });
    CHECK(ends.left->queued_bytes() == 0);
}

TEST_CASE("tls: a peer that does not speak TLS, or leaves, fails the handshake") {
    struct Row {
        std::string bytes, error;
    };
    for (const auto& [bytes, error] : std::vector<Row>{
             {"this is plain text, more than five bytes of it", "the TLS handshake failed: "},
             {"", "the peer closed the connection during the TLS handshake"},
         }) {
        CAPTURE(bytes);
        for (const bool as_server : {true, false}) {
            CAPTURE(as_server);
            Loop loop;
            Ends ends(loop);
            std::optional<Error> failed;
            const auto done = [&](const Error* why) {
                REQUIRE(why != nullptr);
                failed = *why;
            };
            if (as_server)
                ends.right->start_tls_server(certificates().server().get(), false, {}, done);
            else
                ends.right->start_tls_client(certificates().client().get(), "db.example", true, done);
            if (!bytes.empty())
                ends.left->write(bytes);
            else if (as_server)
                ends.left->close();
            else  // after it took the ClientHello; before, the client would see a reset
                ends.left_ear.when_bytes = [&](std::string_view) { ends.left->close(); };
            run_until(loop, [&] { return failed.has_value(); });
            CHECK(failed->sqlstate == "08006");
            CHECK(failed->text.starts_with(error));
            CHECK_FALSE(contains(failed->text, "unknown reason"));
            settle(loop);
            CHECK_FALSE(ends.right_ear.closed);
        }
    }
}

TEST_CASE("tls: an end without good-bye is a failure, since anybody could have cut the stream") {
    Loop loop;
    Ends ends(loop);
    auto [ours, theirs] = tcp_sockets();
    Ear ear;
    const auto stream = std::move(Stream::adopt(loop.raw(), ours.release(), false, &ear).value());
    const auto peer_fd = ::dup(theirs.get());
    const auto peer = std::move(Stream::adopt(loop.raw(), theirs.release(), false, nullptr).value());
    int done = 0;
    stream->start_tls_server(certificates().server().get(), false, {}, [&](const Error*) { ++done; });
    peer->start_tls_client(certificates().client().get(), "", false, [&](const Error*) { ++done; });
    run_until(loop, [&] { return done == 2; });
    stream->resume_reading();
    ::shutdown(peer_fd, SHUT_WR);
    run_until(loop, [&] { return ear.closed.has_value(); });
    CHECK(ear.closed->sqlstate == "08006");
    ::close(peer_fd);
}

TEST_CASE("tls: bytes that are not what the peer encrypted end the connection") {
    Loop loop;
    Ends ends(loop);
    auto [ours, theirs] = tcp_sockets();
    Ear ear;
    const auto stream = std::move(Stream::adopt(loop.raw(), ours.release(), false, &ear).value());
    const int peer_fd = ::dup(theirs.get());
    const auto peer = std::move(Stream::adopt(loop.raw(), theirs.release(), false, nullptr).value());
    int done = 0;
    stream->start_tls_server(certificates().server().get(), false, {}, [&](const Error*) { ++done; });
    peer->start_tls_client(certificates().client().get(), "", false, [&](const Error*) { ++done; });
    run_until(loop, [&] { return done == 2; });
    stream->resume_reading();
    peer->write("good");
    const char forged[] = "\x17\x03\x03\x00\x20 a record that nobody has encrypted";
    REQUIRE(::send(peer_fd, forged, 5 + 32, 0) == 5 + 32);
    run_until(loop, [&] { return ear.closed.has_value(); });
    CHECK(ear.bytes == "good");
    CHECK(ear.closed->sqlstate == "08006");
    CHECK_FALSE(contains(ear.closed->text, "forged"));
    ::close(peer_fd);
}

TEST_CASE("tls: a certificate or key that cannot be used is named, with the reason") {
    const Certificates mine, other;
    const auto& dir = mine.directory;
    dir.write("empty.crt", "");
    dir.write("text.key", "no key");
    ::chmod(dir.file("text.key").c_str(), 0600);
    struct Row {
        std::string cert, key, error;
    };
    for (const auto& [cert, key, error] : std::vector<Row>{
             {dir.file("none.crt"), mine.key,
              "certificate file \"" + dir.file("none.crt") + "\": No such file"},
             {dir.file("empty.crt"), mine.key,
              "certificate file \"" + dir.file("empty.crt") + "\": no start line"},
             {mine.cert, dir.file("none.key"),
              "private key file \"" + dir.file("none.key") + "\": No such file"},
             {mine.cert, dir.file("text.key"), "private key file \"" + dir.file("text.key") + "\": "},
             {mine.cert, other.key, "private key file \"" + other.key + "\": key values mismatch"},
         }) {
        CAPTURE(cert);
        CAPTURE(key);
        const auto context = make_server_context(cert, key);
        REQUIRE_FALSE(context);
        CAPTURE(context.error().text);
        CHECK(context.error().sqlstate == "F0000");
        CHECK(contains(context.error().text, error));
        CHECK_FALSE(contains(context.error().text, "unknown reason"));
    }
    REQUIRE(make_server_context(mine.cert, mine.key));
    ::chmod(mine.key.c_str(), 0644);
    const auto open_to_all = make_server_context(mine.cert, mine.key);
    REQUIRE_FALSE(open_to_all);
    CHECK(contains(open_to_all.error().text, "has group or world access"));
}

TEST_CASE("tls: client options that cannot be met are refused with the setting or file") {
    const auto& ours = certificates();
    const std::string none = ours.directory.file("none");
    struct Row {
        TlsClientOptions options;
        std::string error;
    };
    std::vector<Row> rows;
    const auto row = [&](std::string error, auto change) {
        TlsClientOptions options;
        options.sslrootcert = ours.root;
        change(options);
        rows.push_back({options, std::move(error)});
    };
    row("", [](auto&) {});
    row("", [&](auto& o) { o.sslrootcert = none; });
    row("root certificate file \"" + none + "\": does not exist",
        [&](auto& o) { o.sslmode = SslMode::VerifyCa, o.sslrootcert = none; });
    row("root certificate file \"" + ours.key + "\"", [&](auto& o) { o.sslrootcert = ours.key; });
    row("needs sslmode=verify-full, not require",
        [](auto& o) { o.sslmode = SslMode::Require, o.sslrootcert = "system"; });
    row("", [](auto& o) { o.sslmode = SslMode::VerifyFull, o.sslrootcert = "system"; });
    row("certificate file \"" + none + "\": No such file", [&](auto& o) { o.sslcert = none; });
    row("private key file \"" + none + "\": No such file",
        [&](auto& o) { o.sslcert = ours.cert, o.sslkey = none; });
    row("", [&](auto& o) { o.sslcert = ours.cert, o.sslkey = ours.key; });
    row("certificate revocation list \"" + none + "\"", [&](auto& o) { o.sslcrl = none; });
    row("ssl_min_protocol_version=\"2\"", [](auto& o) { o.ssl_min_protocol_version = "2"; });
    row("above",
        [](auto& o) { o.ssl_min_protocol_version = "TLSv1.3", o.ssl_max_protocol_version = "TLSv1.2"; });
    row("", [](auto& o) { o.ssl_min_protocol_version = "TLSv1", o.ssl_max_protocol_version = "TLSv1.3"; });
    for (const auto& [options, error] : rows) {
        CAPTURE(error);
        const auto context = make_client_context(options);
        CHECK(context.has_value() == error.empty());
        if (context) continue;
        CAPTURE(context.error().text);
        CHECK(context.error().sqlstate == "F0000");
        CHECK(contains(context.error().text, error));
    }
}

TEST_CASE("tls: names of sslmode are libpq's") {
    for (const auto mode : {SslMode::Disable, SslMode::Allow, SslMode::Prefer, SslMode::Require,
                            SslMode::VerifyCa, SslMode::VerifyFull})
        CHECK(sslmode_of(name_of(mode)) == mode);
    CHECK_FALSE(sslmode_of("verify"));
}
