// PostgreSQL goes away under idle sessions of which some answers may be stale.
#include <functional>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTables =
    "CREATE TABLE lasting (k int PRIMARY KEY, v int); INSERT INTO lasting VALUES (1, 10), (2, 20);"
    "CREATE TABLE strict (v int); INSERT INTO strict VALUES (1)";
constexpr std::string_view kMayBeStale =
    "cache: {ttl: 1h}\ntables:\n  - {name: lasting, stale_if_error: 10m}\n";
const std::string kRead = "SELECT v FROM lasting WHERE k = 1";

bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

// How many clients are connected of which PostgreSQL's side is lost.
int orphans(const WarmfrontProcess& warmfront) {
    auto console = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
    const std::string all = rows(console, "SHOW CONNECTIONS");
    int count = 0;
    for (auto at = all.find("PostgreSQL lost"); at != std::string::npos;
         at = all.find("PostgreSQL lost", at + 1))
        ++count;
    return count;
}

// Rows of a stale answer; what else came, if it was none.
std::string stale(RawClient& client, std::string_view sql) {
    auto answer = client.query(sql);
    if (!answer) return answer.error().sqlstate;
    const auto of_dying_backend = [](const Message& message) {
        return message.type == 'N' && message.body.find("C57P02") != std::string::npos;
    };
    std::erase_if(*answer, of_dying_backend);
    if (answer->empty() || answer->front().type != 'N') return "no notice: " + show(*answer);
    const std::string& notice = answer->front().body;
    if (notice.find("C01000") == std::string::npos) return "another notice: " + notice;
    if (notice.find(" s old: PostgreSQL cannot be reached") == std::string::npos) return notice;
    return rows_of(*answer);
}

// The SQLSTATE that the client is told before its connection ends.
std::string farewell(RawClient& client) {
    auto last = client.receive();
    while (last && last->type == 'N') last = client.receive();  // a backend's, when it sees another die
    return last ? sqlstate_of({*last}) : "nothing: " + last.error().sqlstate;
}

std::string end_of(RawClient& client, std::string_view sql) {
    std::string request;
    wire::append_query(request, sql);
    must(client.send(request));
    return farewell(client);
}

}  // namespace

TEST_CASE("stale: while PostgreSQL is away, idle sessions read what is kept, and nothing else") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = std::string(kMayBeStale)});
    const auto connect = [&] { return must(RawClient::connect({.port = warmfront.port()})); };
    auto reader = connect(), writer = connect(), asks_more = connect(), listener = connect(),
         last = connect();
    for (auto* client : {&reader, &writer, &asks_more, &listener, &last}) {
        CHECK(rows(*client, kRead) == "10\n");
        CHECK(rows(*client, "SELECT v FROM strict") == "1\n");
        CHECK(rows(*client, "SELECT v FROM lasting WHERE k = 2") == "20\n");
    }
    rows(writer, "UPDATE lasting SET v = 21 WHERE k = 2");
    must(listener.query("LISTEN news"));
    bool crash = false;
    SUBCASE("crash") {
        crash = true;
    }
    SUBCASE("orderly") {}
    crash ? server.kill9() : server.stop();
    const std::string lost = crash ? "08006" : "57P01";

    CHECK(farewell(listener) == lost);
    REQUIRE(eventually([&] { return orphans(warmfront) == 4; }));
    for (int i = 0; i < 3; ++i) CHECK(stale(reader, kRead) == "10\n");
    CHECK(warmfront.metrics().sum("warmfront_stale_answers_total") == 3);
    CHECK(end_of(writer, "UPDATE lasting SET v = 22 WHERE k = 1") == lost);
    CHECK(stale(asks_more, kRead) == "10\n");
    CHECK(end_of(asks_more, "SELECT v FROM strict") == lost);
    CHECK(stale(reader, kRead) == "10\n");
    CHECK_FALSE(RawClient::connect({.port = warmfront.port()}).has_value());
    CHECK(warmfront.log_tail().find("PostgreSQL cannot be reached") != std::string::npos);
    // Overtaken by a write before.
    CHECK(end_of(reader, "SELECT v FROM lasting WHERE k = 2") == lost);

    server.start();
    CHECK(farewell(last) == lost);
    server.sql("UPDATE lasting SET v = 30");
    auto fresh = connect();
    CHECK(rows(fresh, kRead) == "30\n");
    CHECK(rows(fresh, "SELECT v FROM lasting WHERE k = 2") == "30\n");
    CHECK(eventually([&] { return http_get(warmfront.http_port(), "/readyz").status == 200; }));
    CHECK(rows(fresh, kRead) == "30\n");
    CHECK(warmfront.metrics().sum("warmfront_stale_answers_total") == 5);
    CHECK(orphans(warmfront) == 0);
}

TEST_CASE("stale: one backend's end is told at once PostgreSQL has been seen since") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = std::string(kMayBeStale)});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    CHECK(rows(client, kRead) == "10\n");
    server.sql("SELECT pg_terminate_backend(" + std::to_string(client.process_id()) + ")");
    CHECK(farewell(client) == "57P01");
}

TEST_CASE("stale: nothing is given after its time, nor where nothing was chosen") {
    if (direct_mode()) return;
    for (const std::string_view settings :
         {"cache: {ttl: 1h}\n", "cache: {ttl: 1h}\ntables: [{name: lasting, stale_if_error: 1s}]\n"}) {
        PostgresServer server;
        server.sql(kTables);
        const WarmfrontProcess warmfront(server, {.settings = std::string(settings)});
        auto client = must(RawClient::connect({.port = warmfront.port()}));
        CHECK(rows(client, kRead) == "10\n");
        server.kill9();
        CHECK(farewell(client) == "08006");
        CHECK(warmfront.metrics().sum("warmfront_stale_answers_total") == 0);
    }
}

TEST_CASE("stale: EXPLAIN CACHE and a reload know of it") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\n"});
    const auto explained = [&] {
        auto console = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
        return rows(console, "EXPLAIN CACHE " + kRead);
    };
    CHECK(explained().find("stale if error") == std::string::npos);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    CHECK(rows(client, kRead) == "10\n");
    warmfront.reload(std::string(kMayBeStale));
    REQUIRE(eventually([&] { return explained().find("stale if error|10m") != std::string::npos; }));
    CHECK(rows(client, kRead) == "10\n");
    server.kill9();
    REQUIRE(eventually([&] { return orphans(warmfront) == 1; }));
    CHECK(stale(client, kRead) == "10\n");
    CHECK(warmfront.stop() == 0);
}
