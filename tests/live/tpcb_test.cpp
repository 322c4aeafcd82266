// pgbench through warmfront: no failed transaction, the books balance, and reads are hits once all is warm.
#include <chrono>
#include <iostream>
#include <thread>

#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

// The default TTL is for other people's writes, of which there are none here; with it a key that is read
// every ten seconds would never be warm.
constexpr std::string_view kSettings = "cache:\n  ttl: 1h\n";

std::string pgbench(const WarmfrontProcess& warmfront, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WARMFRONT_PG_BIN_DIR "/pgbench");
    arguments.insert(arguments.end(), {"-h", "127.0.0.1", "-p", std::to_string(warmfront.port()), "-U",
                                       "postgres", "postgres"});
    return run_or_throw({.command = arguments}, 1200s);
}

void check_no_failures(const std::string& report) {
    CAPTURE(report);
    CHECK(report.find("number of failed transactions: 0 (") != std::string::npos);
    CHECK(report.find("aborted") == std::string::npos);
}

// "number of transactions actually processed: 1234", with "/6250" behind it when pgbench was given a number
double transactions(const std::string& report) {
    constexpr std::string_view kLabel = "actually processed: ";
    return std::stod(report.substr(report.find(kLabel) + kLabel.size()));
}

std::string seconds() {
    return long_form() ? "20" : "5";
}

}  // namespace

TEST_CASE("tpcb: no transaction fails and the four sums are equal") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server, {.settings = std::string(kSettings)});
    pgbench(warmfront, {"-i", "-q", "-s", "2"});
    for (const std::string mode : {"simple", "extended", "prepared"}) {
        CAPTURE(mode);
        check_no_failures(pgbench(warmfront, {"-n", "-M", mode, "-c", "16", "-j", "2", "-T", seconds()}));
        CHECK(server.value(
                  "SELECT count(DISTINCT s) FROM (SELECT sum(abalance) s FROM pgbench_accounts UNION ALL "
                  "SELECT sum(tbalance) FROM pgbench_tellers UNION ALL SELECT sum(bbalance) FROM "
                  "pgbench_branches "
                  "UNION ALL SELECT sum(delta) FROM pgbench_history) sums") == "1");
    }
}

// After definitions nothing is kept before the catalog has been read again.
static void wait_until_kept(const WarmfrontProcess& warmfront) {
    if (direct_mode()) return;
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    const double hits = warmfront.metrics().sum(kHitsMetric);
    for (int tries = 0; tries < 600 && warmfront.metrics().sum(kHitsMetric) == hits; ++tries) {
        (void)rows(client, "SELECT bbalance FROM pgbench_branches WHERE bid = 1");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

TEST_CASE("tpcb: select-only is answered from the cache once it is warm") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server, {.settings = std::string(kSettings)});
    pgbench(warmfront, {"-i", "-q", "-s", "1"});
    wait_until_kept(warmfront);
    const TemporaryDirectory directory("pgbench");
    // Every account once, in the words of the built-in script.
    write_file(directory.path() + "/warm.sql",
               "\\set n :n + 1\n\\set aid (:n * 16 + :client_id) % 100000 + 1\n"
               "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n");
    for (const std::string mode : {"simple", "extended", "prepared"}) {
        CAPTURE(mode);
        pgbench(warmfront, {"-n", "-M", mode, "-c", "16", "-j", "2", "-t", "6250", "-D", "n=0", "-f",
                            directory.path() + "/warm.sql"});
        const double hits_before = direct_mode() ? 0 : warmfront.metrics().sum(kHitsMetric);
        const auto report =
            pgbench(warmfront, {"-n", "-S", "-M", mode, "-c", "16", "-j", "2", "-T", seconds()});
        check_no_failures(report);
        if (direct_mode()) continue;
        const double share = (warmfront.metrics().sum(kHitsMetric) - hits_before) / transactions(report);
        std::cout << "tpcb: -S -M " << mode << ": " << transactions(report) << " queries, " << 100 * share
                  << " % hits\n";
        CHECK(share > 0.99);
    }
}
