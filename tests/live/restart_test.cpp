// PostgreSQL crashes under a running warmfront. Its clients learn of it, new ones are served as soon as
// PostgreSQL is, and nothing is answered from before the crash: commits without a synchronous flush may be
// gone, unlogged tables are empty.
#include <functional>
#include <thread>

#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTables =
    "CREATE TABLE lasting (k int PRIMARY KEY, v int); INSERT INTO lasting SELECT g, 0 FROM "
    "generate_series(1, 20) g;"
    "CREATE UNLOGGED TABLE fleeting (k int PRIMARY KEY, v int); INSERT INTO fleeting SELECT g, 0 FROM "
    "generate_series(1, 20) g";
const std::vector<std::string> kReads = {
    "SELECT k, v FROM lasting ORDER BY k", "SELECT k, v FROM fleeting ORDER BY k",
    "SELECT v FROM lasting WHERE k = 7", "SELECT count(*) FROM fleeting"};

// A client that reads until its connection breaks, and says how.
std::string read_until_broken(RawClient& client) {
    for (;;) {
        const auto answer = client.query(kReads[0]);
        if (!answer) return answer.error().sqlstate;
        if (const auto state = sqlstate_of(*answer); !state.empty()) return state;
    }
}

// Asynchronous commits, and their results in the cache.
void write_and_warm(std::uint16_t port) {
    auto client = must(RawClient::connect({.port = port}));
    rows(client, "SET synchronous_commit = off");
    for (int round = 1; round <= 30; ++round) {
        rows(client, "UPDATE lasting SET v = " + std::to_string(round));
        rows(client, "UPDATE fleeting SET v = " + std::to_string(round));
    }
    auto reader = must(RawClient::connect({.port = port}));
    for (int round = 0; round < 3; ++round)
        for (const auto& read : kReads) rows(reader, read);
}

void check_reads_agree(const PostgresServer& server, std::uint16_t port) {
    auto through = RawClient::connect({.port = port});
    REQUIRE_MESSAGE(through.has_value(), "a new connection after the restart");
    auto direct = must(RawClient::connect({.port = server.port()}));
    for (const auto& read : kReads) {
        CAPTURE(read);
        CHECK(rows(*through, read) == rows(direct, read));
    }
    CHECK(rows(*through, "SELECT count(*) FROM fleeting") == "0\n");
}

void check_after_crash(PostgresServer& server, const WarmfrontProcess& warmfront,
                       const std::function<void()>& crash) {
    write_and_warm(warmfront.port());
    std::vector<std::string> endings(4);
    std::vector<std::thread> readers;
    for (auto& ending : endings) {
        readers.emplace_back(
            [&ending, client = must(RawClient::connect({.port = warmfront.port()}))]() mutable {
                ending = read_until_broken(client);
            });
    }
    auto idle = must(RawClient::connect({.port = warmfront.port()}));
    crash();
    for (auto& reader : readers) reader.join();
    server.wait_until_ready();  // it may not have noticed the crash when it was asked before
    for (const auto& ending : endings) {
        CAPTURE(ending);  // PostgreSQL's own farewell, or the end of the connection
        CHECK((ending.starts_with("57P0") || ending.starts_with("08")));
    }
    check_reads_agree(server, warmfront.port());
    if (!direct_mode())
        CHECK(warmfront.metrics().sum("warmfront_invalidations_total", "cause=\"upstream_lost\"") > 0);
    const auto dead = idle.query("SELECT 1");
    CHECK((!dead.has_value() || !sqlstate_of(*dead).empty()));
}

}  // namespace

TEST_CASE("restart: kill -9 of PostgreSQL and all its processes leaves nothing stale") {
    PostgresServer server({.settings = {"wal_writer_delay=10s"}});
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache:\n  ttl: 1h\n"});
    check_after_crash(server, warmfront, [&] {
        server.kill9();
        server.start();
    });
}

TEST_CASE("restart: kill -9 of one backend, after which PostgreSQL restarts itself, leaves nothing stale") {
    PostgresServer server({.settings = {"wal_writer_delay=10s"}});
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache:\n  ttl: 1h\n"});
    check_after_crash(server, warmfront, [&] {
        auto victim = must(RawClient::connect({.port = warmfront.port()}));
        const auto pid = static_cast<pid_t>(std::stol(rows(victim, "SELECT pg_backend_pid()")));
        kill(pid, SIGKILL);
        const auto last = victim.receive();  // the end, or warmfront's word that PostgreSQL's was the end
        CHECK((!last.has_value() || last->type == 'E'));
        server.wait_until_ready();
    });
}

TEST_CASE("restart: after an orderly restart of PostgreSQL new connections work and read what it holds") {
    PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache:\n  ttl: 1h\n"});
    write_and_warm(warmfront.port());
    server.stop();
    server.start();
    server.sql("UPDATE lasting SET v = 1000");  // past warmfront, while it had lost sight of PostgreSQL
    auto client = RawClient::connect({.port = warmfront.port()});
    REQUIRE(client.has_value());
    CHECK(rows(*client, "SELECT v FROM lasting WHERE k = 7") == "1000\n");
}
