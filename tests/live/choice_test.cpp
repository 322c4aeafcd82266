// What is kept, for how long, and what the cache finds out about itself. The writes of these tests go past
// warmfront, straight to PostgreSQL, so that what is read shows whether it came from memory.
#include <atomic>
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

bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

std::string console(const WarmfrontProcess& warmfront, std::string_view command) {
    auto client = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
    return rows(client, command);
}

// Of SHOW TEMPLATES, the row of this text; empty if there is none.
std::string template_row(const WarmfrontProcess& warmfront, std::string_view text) {
    const std::string all = console(warmfront, "SHOW TEMPLATES");
    const auto end = all.find("|" + std::string(text) + "\n");
    if (end == std::string::npos) return {};
    const auto begin = all.rfind('\n', end);
    return all.substr(begin == std::string::npos ? 0 : begin + 1,
                      end - (begin == std::string::npos ? 0 : begin + 1));
}

constexpr std::string_view kTables =
    "CREATE TABLE quick (v int); INSERT INTO quick VALUES (1);"
    "CREATE TABLE slow (v int); INSERT INTO slow VALUES (1);"
    "CREATE TABLE never (v int); INSERT INTO never VALUES (1);"
    "CREATE TABLE keyed (k int PRIMARY KEY, v int); INSERT INTO keyed SELECT g, g FROM generate_series(1, "
    "5000) g;"
    "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1'";

}  // namespace

TEST_CASE("choice: answers are kept as long as table, template, hint and settings say") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = R"(cache: {ttl: 1h}
tables:
  - {name: quick, ttl: 400ms}
  - {name: never, cache: off}
templates:
  - {match: "SELECT v + 0 FROM slow", ttl: 400ms}
  - {match: "SELECT v * 1 FROM slow", cache: off}
functions:
  user: [twice]
)"});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    struct Row {
        std::string sql;
        bool at_once, after_a_while;  // shows the new value
    };
    const std::vector<Row> cases{{"SELECT v FROM slow", false, false},
                                 {"SELECT twice(v) / 2 FROM slow", false, false},
                                 {"SELECT v FROM quick", false, true},
                                 {"SELECT quick.v FROM quick, slow", false, true},
                                 {"SELECT v FROM slow /* warmfront: ttl=400ms */", false, true},
                                 {"SELECT v + 9 - 9 FROM slow", false, false},
                                 {"SELECT v + 5 FROM slow", false, true},
                                 {"SELECT v * 7 FROM slow", true, true},
                                 {"SELECT v FROM never", true, true},
                                 {"SELECT v FROM slow /* warmfront: off */", true, true}};
    std::vector<std::string> before;
    for (const auto& each : cases) before.push_back(rows(client, each.sql));
    for (const auto& each : cases) (void)rows(client, each.sql);
    server.sql("UPDATE quick SET v = 2; UPDATE slow SET v = 2; UPDATE never SET v = 2");
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(cases[i].sql);
        if (!cases[i].after_a_while || cases[i].at_once)
            CHECK((rows(client, cases[i].sql) != before[i]) == cases[i].at_once);
    }
    std::this_thread::sleep_for(450ms);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(cases[i].sql);
        CHECK((rows(client, cases[i].sql) != before[i]) == cases[i].after_a_while);
    }
    CHECK(console(warmfront, "EXPLAIN CACHE SELECT v FROM quick").find("kept for|400ms") !=
          std::string::npos);
    CHECK(console(warmfront, "EXPLAIN CACHE SELECT v FROM never").find("which tables turns off") !=
          std::string::npos);
}

TEST_CASE("choice: a reload that chooses otherwise holds for sessions that are there") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\n"});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    const std::string read = "SELECT v FROM slow";
    CHECK(rows(client, read) == "1\n");
    server.sql("UPDATE slow SET v = 2");
    CHECK(rows(client, read) == "1\n");
    warmfront.reload("cache: {ttl: 1h}\ntables: [{name: slow, cache: off}]\n");
    CHECK(eventually([&] { return rows(client, read) == "2\n"; }));
    server.sql("UPDATE slow SET v = 3");
    CHECK(rows(client, read) == "3\n");
    warmfront.reload("cache: {ttl: 1h, mode: observe}\n");
    CHECK(eventually([&] { return warmfront.metrics().sum("warmfront_observing") == 1; }));
    for (int i = 0; i < 3; ++i) CHECK(rows(client, read) == "3\n");
    CHECK(warmfront.metrics().sum("warmfront_would_be_hits_total") >= 1);
}

TEST_CASE("choice: observe mode serves nothing and counts what it would have served") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h, mode: observe}\n"});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    const auto read_all = [&] {
        for (int k = 1; k <= 50; ++k) rows(client, "SELECT v FROM keyed WHERE k = " + std::to_string(k));
    };
    for (int round = 0; round < 4; ++round) read_all();
    server.sql("UPDATE keyed SET v = -1 WHERE k = 1");
    CHECK(rows(client, "SELECT v FROM keyed WHERE k = 1") == "-1\n");
    const auto metrics = warmfront.metrics();
    CHECK(metrics.sum(kHitsMetric) == 0);
    CHECK(metrics.sum("warmfront_would_be_hits_total") == 151);
    CHECK(metrics.sum("warmfront_misses_total") == 50);
    CHECK(metrics.sum("warmfront_saved_seconds_total") > 0);
    const std::string row = template_row(warmfront, "SELECT v FROM keyed WHERE k = ?");
    CAPTURE(row);
    CHECK(row.find("|postgres|read|yes|on||201|0|151|50|0.7512|") != std::string::npos);
    rows(client, "UPDATE keyed SET v = 0");
    read_all();  // all of them misses
    CHECK(warmfront.metrics().sum("warmfront_would_be_hits_total") == 151);
    CHECK(warmfront.metrics().sum("warmfront_misses_total") == 100);
    CHECK(console(warmfront, "SHOW CACHE").find("mode|observe") != std::string::npos);

    warmfront.reload("cache: {ttl: 1h}\n");
    CHECK(eventually([&] { return warmfront.metrics().sum("warmfront_observing") == 0; }));
    read_all();
    read_all();
    CHECK(warmfront.metrics().sum(kHitsMetric) == 50);
}

TEST_CASE("choice: the verifier finds a kept answer that is not PostgreSQL's and switches it off") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\nverify: {sample: 1}\n"});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    const std::string read = "SELECT k, v FROM keyed WHERE k IN (1, 2, 3)";
    for (int i = 0; i < 5; ++i) rows(client, read);
    CHECK(warmfront.metrics().sum("warmfront_verified_total") == 4);
    rows(client, "UPDATE keyed SET v = 7 WHERE k = 1");
    for (int i = 0; i < 3; ++i) rows(client, read);
    CHECK(warmfront.metrics().sum("warmfront_verified_total") == 6);
    CHECK(warmfront.metrics().sum("warmfront_mismatches_total") == 0);

    server.sql("UPDATE keyed SET v = 8 WHERE k = 2");
    CHECK(rows(client, read).find("2|8\n") != std::string::npos);
    CHECK(warmfront.metrics().sum("warmfront_mismatches_total") == 1);
    CHECK(warmfront.metrics().sum("warmfront_templates_off", "reason=\"mismatch\"") == 1);
    CHECK(warmfront.log_tail().find("a kept answer is not what PostgreSQL answers") != std::string::npos);
    const std::string row = template_row(warmfront, "SELECT k, v FROM keyed WHERE k IN (?, ?, ?)");
    CAPTURE(row);
    CHECK(row.find("|off: mismatch|") != std::string::npos);
    CHECK(console(warmfront, "EXPLAIN CACHE " + read).find("state|off: mismatch") != std::string::npos);
    for (int i = 0; i < 3; ++i) rows(client, read);
    CHECK(warmfront.metrics().sum("warmfront_verified_total") == 7);
    console(warmfront, "RESUME TEMPLATE " + row.substr(0, 16));
    for (int i = 0; i < 3; ++i) rows(client, read);
    CHECK(warmfront.metrics().sum("warmfront_verified_total") > 7);
    CHECK(warmfront.metrics().sum("warmfront_mismatches_total") == 1);
}

TEST_CASE("choice: the verifier finds nothing while writes pass through warmfront") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\nverify: {sample: 0.5}\n"});
    std::vector<std::thread> threads;
    std::atomic<bool> over = false;
    for (int reader = 0; reader < 3; ++reader) {
        threads.emplace_back([&] {
            auto client = must(RawClient::connect({.port = warmfront.port()}));
            for (int i = 0; !over; ++i)
                rows(client, "SELECT k, v FROM keyed WHERE k = " + std::to_string(1 + i % 5));
        });
    }
    auto writer = must(RawClient::connect({.port = warmfront.port()}));
    for (int i = 0; i < 300; ++i) {
        rows(writer, "UPDATE keyed SET v = v + 1 WHERE k = " + std::to_string(1 + i % 5));
        std::this_thread::sleep_for(5ms);
    }
    over = true;
    for (auto& thread : threads) thread.join();
    CHECK(warmfront.metrics().sum("warmfront_verified_total") > 100);
    CHECK(warmfront.metrics().sum("warmfront_mismatches_total") == 0);
}

TEST_CASE("choice: a template that is never hit is switched off, with its numbers, and works on") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 100ms}\nthreads: 1\n"});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    const std::string text = "SELECT v FROM keyed WHERE k = ?";
    int k = 0;  // never the same again, most of them not in the table
    const auto is_off = [&] {
        for (int i = 0; i < 300; ++i) {
            rows(client, "SELECT v FROM keyed WHERE k = " + std::to_string(++k));
            rows(client, "SELECT v FROM slow");
        }
        return template_row(warmfront, text).find("|off: break_even|") != std::string::npos;
    };
    CHECK(eventually(is_off));
    CAPTURE(template_row(warmfront, text));
    CHECK(template_row(warmfront, text).find("; tried again after 60 s|") != std::string::npos);
    CHECK(template_row(warmfront, "SELECT v FROM slow").find("|on|") != std::string::npos);
    CHECK(warmfront.metrics().sum("warmfront_templates_off", "reason=\"break_even\"") == 1);
    const double hits = warmfront.metrics().sum(kHitsMetric);
    for (int i = 0; i < 3; ++i) CHECK(rows(client, "SELECT v FROM keyed WHERE k = 1") == "1\n");
    CHECK(warmfront.metrics().sum(kHitsMetric) == hits);
}
