// Real clients over TLS with SCRAM: each script in clients/ does the same directly and through warmfront and
// compares. Here: the servers it needs, and whether its repeated reads were hits.
#include <iostream>

#include <doctest/doctest.h>

#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

std::string script(std::string_view name) {
    return WARMFRONT_CLIENTS_DIR "/" + std::string(name);
}

// Debian's own Python, for its packages are Debian's too.
std::string python() {
    return environment("WARMFRONT_PYTHON").value_or("/usr/bin/python3");
}

void check_client(std::vector<std::string> command) {
    const PostgresServer server({.ssl = true, .hba = {"host all app 127.0.0.1/32 scram-sha-256"}});
    server.sql("CREATE ROLE app LOGIN PASSWORD 'a secret' IN ROLE pg_monitor");
    server.sql("CREATE DATABASE app OWNER app");
    const WarmfrontProcess warmfront(server, {.tls = true});
    for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{
             {"--host", "127.0.0.1"},
             {"--direct-port", std::to_string(server.port())},
             {"--through-port", std::to_string(warmfront.port())},
             {"--user", "app"},
             {"--password", "a secret"},
             {"--database", "app"},
             {"--sslmode", direct_mode() ? "prefer" : "require"}}) {
        command.push_back(option);
        command.push_back(value);
    }
    const auto [status, output] = run(
        {.command = command,
         .environment = {{"NODE_PATH", WARMFRONT_LIVE_BUILD_DIR "/node/node_modules"},
                         {"PATH", WARMFRONT_PG_BIN_DIR ":" + environment("PATH").value_or("/usr/bin:/bin")},
                         {"PYTHONDONTWRITEBYTECODE", "1"}}},
        280s);
    INFO(output);
    CHECK(status == 0);
    if (direct_mode()) return;
    const double hits = warmfront.metrics().sum(kHitsMetric);
    std::cout << hits << " hits\n";
    CHECK(hits > 0);
}

}  // namespace

TEST_CASE("client: psql") {
    check_client({python(), script("psql_client.py")});
}
TEST_CASE("client: pgbench") {
    check_client({python(), script("pgbench_client.py")});
}
TEST_CASE("client: psycopg3") {
    check_client({python(), script("psycopg3_client.py")});
}
TEST_CASE("client: psycopg2") {
    check_client({python(), script("psycopg2_client.py")});
}
TEST_CASE("client: asyncpg") {
    check_client({python(), script("asyncpg_client.py")});
}
TEST_CASE("client: node_postgres") {
    check_client({"node", script("node_postgres_client.js")});
}
TEST_CASE("client: pgjdbc") {
    check_client(
        {"java", "-cp",
         "/usr/share/java/postgresql.jar:/usr/share/java/scram-client.jar:/usr/share/java/scram-common.jar:"
         "/usr/share/java/saslprep.jar:/usr/share/java/stringprep.jar",
         script("Pgjdbc.java")});
}
