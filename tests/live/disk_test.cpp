// A warmfront with answers on disk ends, or is killed, and starts again over what it left.
#include <filesystem>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr int kRows = 400;
constexpr std::string_view kTable =
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat(md5(g::text), 100) FROM "
    "generate_series(1, 400) g";

std::string read_of(int id) {
    return "SELECT v FROM t WHERE id = " + std::to_string(id);
}

// All rows through warmfront, compared with PostgreSQL's own.
void check_all(const PostgresServer& server, const WarmfrontProcess& warmfront) {
    auto through = must(RawClient::connect({.port = warmfront.port()}));
    auto direct = must(RawClient::connect({.port = server.port()}));
    for (int id = 1; id <= kRows; ++id) {
        CAPTURE(id);
        REQUIRE(rows(through, read_of(id)) == rows(direct, read_of(id)));
    }
}

double metric(const WarmfrontProcess& warmfront, std::string_view name) {
    return warmfront.metrics().sum(name);
}

// A few rounds, until the disk holds files and has answered.
void warm(const PostgresServer& server, const WarmfrontProcess& warmfront) {
    for (int round = 0; round < 3; ++round) check_all(server, warmfront);
    REQUIRE(metric(warmfront, kDiskHitsMetric) > kRows);
    REQUIRE(metric(warmfront, "warmfront_disk_bytes") > 0);
}

}  // namespace

TEST_CASE("disk: after an end and after kill -9 it starts empty over what it left, and serves") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTable);
    WarmfrontProcess warmfront(server, {.settings = "cache.ttl: 1h\n" + std::string(kOnDisk)});
    warm(server, warmfront);
    for (const bool killed : {false, true}) {
        CAPTURE(killed);
        // Past warmfront, while it is away: what is on disk from before must not be given.
        if (killed) {
            warmfront.kill9();
            (void)warmfront.process().wait(10s);
        } else {
            CHECK(warmfront.stop() == 0);
        }
        server.sql(std::string("UPDATE t SET v = v || '") + (killed ? "k" : "e") + "'");
        warmfront.start();
        CHECK(metric(warmfront, "warmfront_disk_up") == 1);
        CHECK(metric(warmfront, "warmfront_disk_entries") == 0);
        CHECK(metric(warmfront, "warmfront_disk_set_aside_total") == 0);
        warm(server, warmfront);
    }
}

TEST_CASE("disk: a foreign file, and one in the way, are set aside at the start") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTable);
    WarmfrontProcess warmfront(server, {.settings = std::string(kOnDisk)});
    REQUIRE(warmfront.stop() == 0);
    const std::filesystem::path place = warmfront.state_directory() + "/cache";
    std::ofstream(place / "thesis.txt") << "mine";
    warmfront.start();
    CHECK(metric(warmfront, "warmfront_disk_set_aside_total") == 1);
    CHECK(metric(warmfront, "warmfront_disk_up") == 1);
    CHECK(read_file(place.string() + ".aside/thesis.txt") == "mine");
    CHECK(warmfront.log_tail().find("files of the disk tier were set aside") != std::string::npos);
    warm(server, warmfront);

    REQUIRE(warmfront.stop() == 0);
    std::filesystem::remove_all(place.string() + ".aside");
    std::filesystem::remove_all(place);
    std::ofstream(place) << "in the way";
    std::filesystem::create_directory(place.string() + ".aside");
    warmfront.start();
    CHECK(metric(warmfront, "warmfront_disk_set_aside_total") == 1);
    CHECK(metric(warmfront, "warmfront_disk_up") == 1);
    check_all(server, warmfront);
}

TEST_CASE("disk: broken files under its feet are never served; queries flow") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTable);
    const WarmfrontProcess warmfront(server, {.settings = "cache.ttl: 1h\n" + std::string(kOnDisk)});
    warm(server, warmfront);
    std::size_t broken = 0;
    for (const auto& file : std::filesystem::directory_iterator(warmfront.state_directory() + "/cache")) {
        if (file.path().extension() != ".sst") continue;
        std::filesystem::resize_file(file.path(), 100);
        ++broken;
    }
    REQUIRE(broken > 0);
    for (int round = 0; round < 3; ++round) check_all(server, warmfront);
    CHECK(metric(warmfront, "warmfront_disk_set_aside_total") >= 1);
}
