// What a stream costs: no allocation for an answered request, little memory while idle.
#include <array>

#include <doctest/doctest.h>

#include "tests/allocations.h"
#include "tests/proxy/io/support.h"

using namespace warmfront::io;
using namespace warmfront::io::test;
using namespace std::literals;

namespace {

// Answers every request in three pieces, as a cached result is.
struct Echo final : StreamEvents {
    Stream* stream = nullptr;
    void on_bytes(std::string_view bytes) noexcept override {
        const auto third = bytes.size() / 3;
        stream->write(
            std::array{bytes.substr(0, third), bytes.substr(third, third), bytes.substr(2 * third)});
    }
    void on_closed(const warmfront::Error&) noexcept override {}
    void on_drained() noexcept override {}
};

struct Asker final : StreamEvents {
    static constexpr std::string_view kRequest = "0123456789abcdefghijklmnopqrstuvwxyz";
    Loop* loop = nullptr;
    Stream* stream = nullptr;
    std::size_t answered = 0;
    int rounds_left = 0;
    void on_bytes(std::string_view bytes) noexcept override {
        answered += bytes.size();
        if (answered < kRequest.size()) return;
        answered = 0;
        if (--rounds_left == 0) return loop->stop();
        stream->write(kRequest);
    }
    void on_closed(const warmfront::Error&) noexcept override {}
    void on_drained() noexcept override {}
    void ask(int rounds) {
        rounds_left = rounds;
        stream->write(kRequest);
        loop->run();
    }
};

}  // namespace

TEST_CASE("stream cost: an answered request allocates nothing") {
    for (const Kind kind : kKinds) {
        CAPTURE(name_of(kind));
        Loop loop;
        Ends ends(loop, kind);
        Echo echo;
        echo.stream = ends.right.get();
        ends.right->set_events(&echo);
        Asker asker;
        asker.loop = &loop;
        asker.stream = ends.left.get();
        ends.left->set_events(&asker);
        asker.ask(10);  // libuv's and TLS's tables reach their size
        const std::size_t before = warmfront::test::allocations();
        asker.ask(2000);
        CHECK(warmfront::test::allocations() == before);
    }
}

TEST_CASE("stream cost: an idle plain stream holds less than 1 KiB") {
    constexpr std::size_t kEnds = 500;
    Loop loop;
    std::vector<std::unique_ptr<Ends>> all;
    all.reserve(kEnds);
    const std::size_t before = warmfront::test::allocated_bytes();
    for (std::size_t i = 0; i < kEnds; ++i) {
        all.push_back(std::make_unique<Ends>(loop));
        all.back()->left->write("hello");
    }
    settle(loop);
    for (const auto& ends : all) REQUIRE(ends->right_ear.bytes == "hello");
    const std::size_t per_stream = (warmfront::test::allocated_bytes() - before) / (2 * kEnds);
    CAPTURE(per_stream);
    CHECK(per_stream < 1024 + sizeof(Ends) / 2);
}
