#include "proxy/io/stream.h"

#include <array>
#include <random>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "tests/proxy/io/support.h"

using namespace warmfront;
using namespace warmfront::io;
using namespace warmfront::io::test;
using namespace std::literals;

namespace {

// Bytes in which every misplaced, lost or doubled one shows.
std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    std::mt19937 random(1);
    for (auto& byte : bytes) byte = static_cast<char>(random());
    return bytes;
}

}  // namespace

TEST_CASE("stream: what one end writes in pieces comes out at the other, and back") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        ends.right_ear.when_bytes = [&](std::string_view bytes) { ends.right->write(bytes); };
        ends.left->write(std::array{"Q"sv, ""sv, "uery"sv});
        run_until(loop, [&] { return ends.left_ear.bytes == "Query"; });
        CHECK(ends.left->is_tls() == (kind == Kind::Tls));
        CHECK(ends.left->tls_version() == (kind == Kind::Tls ? "TLSv1.3" : ""));
        CHECK(ends.left->queued_bytes() == 0);
    }
}

TEST_CASE("stream: more pieces than one system call takes keep their order") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        const std::string bytes = pattern(3 * 1000);
        std::vector<std::string_view> pieces;
        for (std::size_t i = 0; i < bytes.size(); i += 3)
            pieces.push_back(std::string_view(bytes).substr(i, 3));
        ends.left->write(pieces);
        run_until(loop, [&] { return ends.right_ear.bytes.size() == bytes.size(); });
        CHECK(ends.right_ear.bytes == bytes);
    }
}

TEST_CASE("stream: what the socket does not take is queued, sent in order, and drained once") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        const std::string bytes = pattern(16 << 20);
        ends.right->pause_reading();
        std::string_view rest = bytes;
        std::mt19937 random(2);
        while (!rest.empty()) {
            const auto count = std::min<std::size_t>(rest.size(), random() % 300'000);
            ends.left->write(rest.substr(0, count));
            rest.remove_prefix(count);
        }
        CHECK(ends.left->queued_bytes() > bytes.size() / 4);
        settle(loop);
        CHECK(ends.right_ear.bytes.empty());
        CHECK(ends.left_ear.drained == 0);
        ends.right->resume_reading();
        run_until(loop, [&] { return ends.right_ear.bytes.size() >= bytes.size(); });
        CHECK(ends.right_ear.bytes == bytes);
        CHECK(ends.left_ear.drained == 1);
        CHECK(ends.left->queued_bytes() == 0);
    }
}

TEST_CASE(
    "stream: 64 MiB to a reader that stops after every read, within a bounded queue, whole and in order") {
    constexpr std::size_t kTotal = std::size_t{64} << 20, kQueueMax = 256 * 1024, kChunk = 64 * 1024;
    const std::string chunk = pattern(kChunk);
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        std::size_t written = 0, read = 0, longest_queue = 0;
        bool same = true;
        const auto feed = [&] {
            while (written < kTotal && ends.left->queued_bytes() < kQueueMax) {
                ends.left->write(chunk);
                written += kChunk;
                longest_queue = std::max(longest_queue, ends.left->queued_bytes());
            }
        };
        Deferred go_on(loop, ends.right.get(),
                       [](void* stream) noexcept { static_cast<Stream*>(stream)->resume_reading(); });
        ends.left_ear.when_drained = feed;
        ends.right_ear.when_bytes = [&](std::string_view bytes) {
            for (; !bytes.empty() && same;) {
                const auto expected = std::string_view(chunk).substr(read % kChunk, bytes.size());
                same = bytes.starts_with(expected);
                read += expected.size();
                bytes.remove_prefix(expected.size());
            }
            ends.right->pause_reading();
            go_on.schedule();
        };
        feed();
        run_until(loop, [&] { return read == kTotal || !same; });
        CHECK(same);
        // TLS adds at most 22 bytes and a header of 5 to a record of 16 KiB.
        CHECK(longest_queue <= kQueueMax + kChunk + 1024);
    }
}

TEST_CASE("stream: nothing is shown while reading is paused, and nothing is lost") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        const std::string bytes = pattern(200'000);
        std::string seen;
        ends.right_ear.when_bytes = [&](std::string_view part) {
            seen += part;
            ends.right->pause_reading();
        };
        ends.left->write(bytes);
        while (seen.size() < bytes.size()) {
            const std::size_t before = seen.size();
            ends.right->resume_reading();
            run_until(loop, [&] { return seen.size() > before; });
            const std::size_t after = seen.size();
            settle(loop);
            REQUIRE(seen.size() == after);
        }
        CHECK(seen == bytes);
    }
}

TEST_CASE("stream: the peer's close is told once, after its last bytes") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        ends.left->write("last words");
        ends.left->close();
        run_until(loop, [&] { return ends.right_ear.closed.has_value(); });
        CHECK(ends.right_ear.bytes == "last words");
        CHECK(ends.right_ear.closed->sqlstate == "08003");
        ends.right->write("too late");
        settle(loop);
        CHECK_FALSE(ends.left_ear.closed);
    }
}

TEST_CASE("stream: a reset is told as a failure, after the bytes that came before it") {
    Loop loop;
    auto [a, b] = tcp_sockets();
    Ear ear;
    const auto stream = Stream::adopt(loop.raw(), b.release(), false, &ear).value().release();
    const std::unique_ptr<Stream> owner(stream);
    REQUIRE(::send(a.get(), "FATAL", 5, 0) == 5);
    const linger reset{1, 0};
    REQUIRE(::setsockopt(a.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    a.reset();
    SUBCASE("found by reading") {
        stream->resume_reading();
    }
    SUBCASE("found by writing") {
        stream->resume_reading();
        stream->write("x");
    }
    run_until(loop, [&] { return ear.closed.has_value(); });
    CHECK(ear.closed->sqlstate == "08006");
    CHECK(ear.bytes == "FATAL");
}

TEST_CASE("stream: a write that fails is told even when nobody reads, and never inside write()") {
    for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
        CAPTURE(name_of(kind));
        Loop loop;
        auto [a, b] = kind == Kind::Tcp ? tcp_sockets() : unix_sockets();
        Ear ear;
        const auto made = Stream::adopt(loop.raw(), b.release(), kind == Kind::Unix, &ear);
        const auto& stream = *made;
        a.reset();
        for (int i = 0; i < 3; ++i) {
            stream->write("anybody?");
            CHECK_FALSE(ear.closed);
            if (kind == Kind::Tcp && i == 0) settle(loop);  // until the peer's reset is here
            if (ear.closed) break;
        }
        run_until(loop, [&] { return ear.closed.has_value(); });
        CHECK(ear.closed->sqlstate == "08006");
        CHECK(stream->queued_bytes() == 0);
    }
}

TEST_CASE("stream: every event may close or destroy its stream") {
    enum class Act { Close, Destroy, CloseAfterWriting, WriteAndDestroy };
    enum class When { Bytes, Closed, Drained, Handshake };
    const std::string large = pattern(8 << 20);
    for (const Kind kind : kKinds)
        for (const When when : {When::Bytes, When::Closed, When::Drained, When::Handshake})
            for (const Act act : {Act::Close, Act::Destroy, Act::CloseAfterWriting, Act::WriteAndDestroy}) {
                if (when == When::Handshake && kind != Kind::Tcp) continue;
                CAPTURE(name_of(kind));
                CAPTURE(static_cast<int>(when));
                CAPTURE(static_cast<int>(act));
                Loop loop;
                Ends ends(loop, kind);
                int acted = 0;
                const auto do_it = [&] {
                    ++acted;
                    if (act == Act::WriteAndDestroy) ends.right->write("bye");
                    if (act == Act::Close) ends.right->close();
                    if (act == Act::CloseAfterWriting) ends.right->close_after_writing();
                    if (act == Act::Destroy || act == Act::WriteAndDestroy) ends.right.reset();
                };
                switch (when) {
                    case When::Bytes:
                        ends.right_ear.when_bytes = [&](std::string_view) { do_it(); };
                        ends.left->write(large);
                        break;
                    case When::Closed:
                        ends.right_ear.when_closed = do_it;
                        ends.left->close();
                        break;
                    case When::Drained:
                        ends.right_ear.when_drained = do_it;
                        ends.right->write(large);
                        break;
                    case When::Handshake:
                        ends.right->start_tls_server(certificates().server().get(), false, {},
                                                     [&](const Error* error) {
                                                         CHECK(error == nullptr);
                                                         do_it();
                                                     });
                        ends.left->start_tls_client(certificates().client().get(), "db.example", false,
                                                    [](const Error*) {});
                        break;
                }
                run_until(loop, [&] { return acted == 1; });
                if (when != When::Closed) run_until(loop, [&] { return ends.left_ear.closed.has_value(); });
                settle(loop);
                CHECK(acted == 1);
            }
}

TEST_CASE("stream: a closed one can still be asked, told and destroyed") {
    for (const Kind kind : kKinds) {
        Loop loop;
        Ends ends(loop, kind);
        ends.left->close();
        settle(loop);
        ends.left->close();
        ends.left->close_after_writing();
        ends.left->write("nothing");
        ends.left->resume_reading();
        ends.left->pause_reading();
        CHECK(ends.left->queued_bytes() == 0);
    }
}

TEST_CASE(
    "stream: close_after_writing sends everything, though the stream is destroyed and input was not read") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        const std::string bytes = pattern(8 << 20);
        ends.right->pause_reading();
        ends.left->write("a pipelined message that nobody reads");
        settle(loop);
        ends.left->pause_reading();
        ends.right->write(bytes);
        CHECK(ends.right->queued_bytes() > 0);
        ends.right->close_after_writing();
        ends.right.reset();
        settle(loop);
        ends.left->resume_reading();
        run_until(loop, [&] { return ends.left_ear.closed.has_value(); });
        CHECK(ends.left_ear.bytes == bytes);
        CHECK(ends.left_ear.closed->sqlstate == "08003");
        CHECK(ends.right_ear.drained == 0);
    }
}

TEST_CASE("stream: the loop's end cuts a close that still waits for its peer") {
    for (const Kind kind : kKinds) {
        auto loop = std::make_unique<Loop>();
        auto ends = std::make_unique<Ends>(*loop, kind);
        ends->left->pause_reading();
        ends->right->write(pattern(8 << 20));
        ends->right->close_after_writing();
        ends.reset();
        CHECK_NOTHROW(loop.reset());
    }
}

TEST_CASE("stream: a socket that cannot be watched is refused") {
    Loop loop;
    const Directory directory;
    directory.write("file", "");
    const int file = ::open(directory.file("file").c_str(), O_RDONLY | O_CLOEXEC);
    const auto refused = Stream::adopt(loop.raw(), file, true, nullptr);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().sqlstate == "58030");
    CHECK(::fcntl(file, F_GETFD) == -1);
}
