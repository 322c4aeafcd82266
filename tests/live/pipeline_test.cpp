// Batches whose messages are all sent before the first answer is read: order, and what a read in the middle
// sees.
#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;

namespace {

void add(std::string& bytes, std::string_view sql, bool sync) {
    wire::append_parse(bytes, "", sql, {});
    wire::append_bind(bytes, "", "", {}, {}, {});
    wire::append_execute(bytes, "", 0);
    if (sync) wire::append_sync(bytes);
}

constexpr std::string_view kRead = "SELECT v FROM counter WHERE k = 1";
constexpr std::string_view kWrite = "UPDATE counter SET v = v + 1 WHERE k = 1";
constexpr std::string_view kTable =
    "CREATE TABLE counter (k int PRIMARY KEY, v int); INSERT INTO counter VALUES (1, 0)";

}  // namespace

TEST_CASE("pipeline: each read sees the writes before it and none after") {
    const PostgresServer server;
    server.sql(kTable);
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    int value = 0;
    for (const bool syncs : {true, false}) {
        for (int round = 0; round < 20; ++round) {
            CAPTURE(syncs);
            CAPTURE(round);
            for (int warm = 0; warm < 2; ++warm) rows(client, kRead);
            std::string bytes;
            std::string expected;
            unsigned statements = 0;
            for (int write = 0; write < 5; ++write, statements += 4) {
                for (int read = 0; read < 3; ++read) {
                    add(bytes, kRead, syncs);
                    expected += std::to_string(value) + "\n";
                }
                add(bytes, kWrite, syncs);
                ++value;
            }
            if (!syncs) wire::append_sync(bytes);
            must(client.send(bytes));
            const auto answer = must(client.receive_until_ready(syncs ? statements : 1));
            REQUIRE(sqlstate_of(answer) == "");
            REQUIRE(rows_of(answer) == expected);
        }
    }
}

TEST_CASE("pipeline: an error ends its batch, undoes it, and spares the next") {
    const PostgresServer server;
    server.sql(kTable);
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    rows(client, kRead);
    std::string bytes;
    add(bytes, kWrite, false);
    add(bytes, kRead, false);
    add(bytes, "SELECT 1 / 0", false);
    add(bytes, kRead, true);
    add(bytes, kRead, true);
    wire::append_query(bytes, kRead);
    must(client.send(bytes));
    const auto answer = must(client.receive_until_ready(3));
    CHECK(sqlstate_of(answer) == "22012");
    CHECK(rows_of(answer) == "1\n0\n0\n");
}

TEST_CASE("pipeline: two thousand batches sent at once are answered one by one") {
    const PostgresServer server;
    server.sql(kTable);
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    std::string bytes;
    for (int i = 0; i < 2000; ++i) {
        if (i % 3 == 0) {
            wire::append_query(bytes, "SELECT " + std::to_string(i) + "; SELECT v FROM counter");
        } else {
            add(bytes, i % 3 == 1 ? kRead : "SELECT '" + std::to_string(i) + "'", true);
        }
    }
    must(client.send(bytes));
    for (int i = 0; i < 2000; ++i) {
        const std::string number = std::to_string(i);
        const std::string expected = i % 3 == 0 ? number + "\n0\n" : i % 3 == 1 ? "0\n" : number + "\n";
        REQUIRE(rows_of(must(client.receive_until_ready())) == expected);
    }
}
