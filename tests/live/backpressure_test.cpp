// One side is slow: warmfront stops reading the other and holds little.
#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/activity.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kRow = 8192;  // bytes of a CopyData message's body
std::size_t total_bytes() {
    return (long_form() ? 1024 : 256) * kMiB;
}

class MemoryWatch {
public:
    explicit MemoryWatch(const WarmfrontProcess& warmfront) : warmfront_(warmfront) {
        if (direct_mode()) return;
        warmfront_.reset_peak_rss();
        before_ = warmfront_.peak_rss_bytes();
    }
    [[nodiscard]] std::size_t growth() const {
        return direct_mode() ? 0 : warmfront_.peak_rss_bytes() - before_;
    }

private:
    const WarmfrontProcess& warmfront_;
    std::size_t before_ = 0;
};

}  // namespace

TEST_CASE(
    "backpressure: a COPY out through a client that stops reading costs little memory and loses nothing") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    client.socket().set_receive_buffer(64 * 1024);
    const MemoryWatch memory(warmfront);

    std::string bytes;
    wire::append_query(bytes, "COPY (SELECT repeat('x', " + std::to_string(kRow - 1) +
                                  ") FROM generate_series(1, " + std::to_string(total_bytes() / kRow) +
                                  ")) TO STDOUT");
    must(client.send(bytes));
    wait_until_stuck(server, "COPY (SELECT%", "ClientWrite");
    std::size_t received = 0;
    for (auto message = must(client.receive()); message.type != 'Z'; message = must(client.receive())) {
        REQUIRE(message.type != 'E');
        if (message.type == 'd') received += message.body.size();
    }
    CHECK(received == total_bytes());
    CHECK(memory.growth() < 64 * kMiB);
}

TEST_CASE(
    "backpressure: rows for a client that stops reading cost little memory, though they might have been "
    "kept") {
    const PostgresServer server;
    server.sql(
        "CREATE TABLE wide AS SELECT g AS id, repeat('x', 8000) AS body FROM generate_series(1, 16384) g");
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    client.socket().set_receive_buffer(64 * 1024);
    const MemoryWatch memory(warmfront);
    std::string bytes;
    wire::append_query(bytes, "SELECT id, body FROM wide");
    must(client.send(bytes));
    wait_until_stuck(server, "SELECT id, body FROM wide", "ClientWrite");
    std::size_t count = 0;
    for (auto message = must(client.receive()); message.type != 'Z'; message = must(client.receive()))
        count += message.type == 'D' ? 1 : 0;
    CHECK(count == 16384);
    CHECK(memory.growth() < 64 * kMiB);
}

TEST_CASE(
    "backpressure: a COPY in to a server that does not read yet costs little memory and loses nothing") {
    const PostgresServer server;
    server.sql("CREATE UNLOGGED TABLE target (body text)");
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    auto keeper = must(RawClient::connect({.port = server.port()}));
    rows(keeper, "BEGIN; LOCK TABLE target");  // COPY waits for it, and so does all that is sent after it
    const MemoryWatch memory(warmfront);

    std::atomic<std::size_t> sent = 0;
    std::thread sender([&] {
        std::string bytes;
        wire::append_query(bytes, "COPY target FROM STDIN");
        must(client.send(bytes));
        bytes.clear();
        wire::append_copy_data(bytes, std::string(kRow - 1, 'x') + '\n');
        for (std::size_t row = 0; row < total_bytes() / kRow; ++row, ++sent) must(client.send(bytes));
        bytes.clear();
        wire::append_copy_done(bytes);
        must(client.send(bytes));
    });
    wait_until_stuck(server, "COPY target%", "relation");
    CHECK(sent * kRow < total_bytes());  // the sender was made to wait
    rows(keeper, "COMMIT");
    const auto answer = must(client.receive_until_ready());
    sender.join();
    CHECK(tag_of(answer) == "COPY " + std::to_string(total_bytes() / kRow));
    CHECK(server.value("SELECT sum(length(body) + 1) FROM target") == std::to_string(total_bytes()));
    CHECK(memory.growth() < 64 * kMiB);
}
