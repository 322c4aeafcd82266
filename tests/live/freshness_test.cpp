// Two writers raise version numbers, eight readers and a reader with an old snapshot look at them through
// warmfront, all at once. Whoever starts to read after a write was acknowledged, or after another has seen a
// version, must not see an older one. The same test against a build whose fill rule is switched off must find
// that this fails.
#include <array>
#include <atomic>
#include <iostream>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/twin/random.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr int kKeys = 6;
constexpr int kWriters = 2;
constexpr int kReaders = 8;

void raise_to(std::atomic<std::int64_t>& number, std::int64_t to) {
    auto now = number.load();
    while (now < to && !number.compare_exchange_weak(now, to)) {
    }
}

// What everybody knows to have happened.
struct World {
    std::array<std::atomic<std::int64_t>, kKeys> known{};  // the newest version acknowledged or seen, by key
    std::atomic<std::uint64_t> reads = 0, writes = 0, violations = 0;
    std::atomic<bool> over = false;
};

// A read that starts now; check() what it returned.
class Read {
public:
    Read(World& world, int key) : world_(world), key_(key), floor_(world.known[key].load()) {}
    void check(const std::string& rows) {
        const auto seen = std::stoll(rows);
        ++world_.reads;
        if (seen < floor_) ++world_.violations;
        raise_to(world_.known[key_], seen);
    }

private:
    World& world_;
    int key_;
    std::int64_t floor_;
};

std::string extended(RawClient& client, const std::string& sql, const std::string& parameter) {
    std::string bytes;
    const std::optional<std::string_view> values[] = {parameter};
    wire::append_parse(bytes, "", sql, {});
    wire::append_bind(bytes, "", "", {}, values, {});
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    must(client.send(bytes));
    const auto answer = must(client.receive_until_ready());
    if (!sqlstate_of(answer).empty()) throw std::runtime_error(error_text_of(answer));
    return rows_of(answer);
}

// Its keys are its own, so it knows every version.
void write(World& world, std::uint16_t port, int writer) {
    auto client = must(RawClient::connect({.port = port}));
    Random random(static_cast<std::uint64_t>(writer));
    std::array<std::int64_t, kKeys> version{};
    while (!world.over) {
        const int key = static_cast<int>(random.below(kKeys / kWriters)) * kWriters + writer;
        const std::string where = " WHERE k = " + std::to_string(key);
        const std::string set = "UPDATE versions SET v = v + 1";
        switch (random.below(6)) {
            case 0: rows(client, "BEGIN; " + set + where + "; COMMIT"); break;
            case 1:
                rows(client, "BEGIN");
                rows(client, set + where);
                rows(client, "COMMIT");
                break;
            case 2:  // what was rolled back must never be seen
                rows(client, "BEGIN; UPDATE versions SET v = -1" + where);
                rows(client, "ROLLBACK");
                continue;
            case 3:
                rows(client, "INSERT INTO versions VALUES (" + std::to_string(key) +
                                 ", 0) ON CONFLICT (k) DO UPDATE SET v = versions.v + 1");
                break;
            case 4: extended(client, set + " WHERE k = $1", std::to_string(key)); break;
            default: rows(client, set + where); break;
        }
        raise_to(world.known[key], ++version[key]);
        ++world.writes;
        std::this_thread::sleep_for(
            std::chrono::microseconds(random.below(3000)));  // or there would be no hits
    }
}

void read(World& world, std::uint16_t port, int reader) {
    auto client = must(RawClient::connect({.port = port}));
    Random random(1000 + static_cast<std::uint64_t>(reader));
    while (!world.over) {
        const int key = static_cast<int>(random.below(kKeys));
        const std::string where = " WHERE k = " + std::to_string(key);
        const std::string quick = "SELECT v FROM versions";
        // A slow answer is on its way for long after its snapshot was taken: a write overtakes it easily.
        const std::string slow = "SELECT v, (SELECT count(*) FROM generate_series(1, 3000)) FROM versions";
        const auto kind = random.below(10);
        if (kind == 0) rows(client, "BEGIN");
        for (auto times = random.between(1, 6); times > 0; --times) {
            Read read(world, key);
            if (kind < 3) {
                read.check(rows(client, quick + where));
            } else if (kind < 6) {
                read.check(extended(client, quick + " WHERE k = $1", std::to_string(key)));
            } else {
                read.check(rows(client, slow + where));
            }
        }
        if (kind == 0) rows(client, "COMMIT");
    }
}

// Its answers are old by right, and must not become anybody else's.
void read_the_past(World& world, std::uint16_t port) {
    auto client = must(RawClient::connect({.port = port}));
    while (!world.over) {
        rows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM versions");
        for (int round = 0; round < 20; ++round) {
            for (int key = 0; key < kKeys; ++key)
                rows(client, "SELECT v FROM versions WHERE k = " + std::to_string(key));
            std::this_thread::sleep_for(1ms);
        }
        rows(client, "COMMIT");
    }
}

// A thread that fails ends the test, and its words are the test's.
template <typename Work>
std::thread start(World& world, std::atomic<int>& failures, Work work) {
    return std::thread([&world, &failures, work] {
        try {
            work();
        } catch (const std::exception& failure) {
            std::cerr << "freshness: " << failure.what() << std::endl;
            ++failures;
            world.over = true;
        }
    });
}

void play(World& world, std::uint16_t port, std::chrono::seconds length) {
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int writer = 0; writer < kWriters; ++writer)
        threads.push_back(start(world, failures, [&world, port, writer] { write(world, port, writer); }));
    for (int reader = 0; reader < kReaders; ++reader)
        threads.push_back(start(world, failures, [&world, port, reader] { read(world, port, reader); }));
    threads.push_back(start(world, failures, [&world, port] { read_the_past(world, port); }));
    const auto until = std::chrono::steady_clock::now() + length;
    while (!world.over && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(50ms);
    world.over = true;
    for (auto& thread : threads) thread.join();
    CHECK(failures == 0);
}

void play_behind(const WarmfrontProcess& warmfront, World& world, std::chrono::seconds length) {
    play(world, warmfront.port(), length);
    std::cout << "freshness: " << world.reads << " reads, " << world.writes << " writes, " << world.violations
              << " violations";
    if (!direct_mode()) std::cout << ", " << warmfront.metrics().sum(kHitsMetric) << " hits";
    std::cout << std::endl;
    REQUIRE(world.reads > 1000);
    REQUIRE(world.writes > 100);
}

constexpr std::string_view kVersions =
    "CREATE TABLE versions (k int PRIMARY KEY, v bigint NOT NULL); INSERT INTO versions SELECT g, 0 FROM "
    "generate_series(0, 9) g";

}  // namespace

TEST_CASE("freshness: no read returns less than what was acknowledged or seen before it began") {
    const PostgresServer server;
    server.sql(kVersions);
    const WarmfrontProcess warmfront(server);
    World world;
    play_behind(warmfront, world, long_form() ? 600s : 20s);
    CHECK(world.violations == 0);
    if (!direct_mode()) CHECK(warmfront.metrics().sum(kHitsMetric) > 0.1 * static_cast<double>(world.reads));
}

TEST_CASE("freshness: no read returns less where the answers lie on disk") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kVersions);
    const WarmfrontProcess warmfront(server, {.settings = std::string(kOnDisk)});
    World world;
    play_behind(warmfront, world, long_form() ? 300s : 10s);
    CHECK(world.violations == 0);
    const auto metrics = warmfront.metrics();
    std::cout << "freshness: " << metrics.sum(kDiskHitsMetric) << " hits from disk, "
              << metrics.sum("warmfront_disk_reads_total") << " reads" << std::endl;
    CHECK(metrics.sum(kDiskHitsMetric) > 0.05 * static_cast<double>(world.reads));
    CHECK(metrics.sum(kDiskHitsMetric) > 0.3 * metrics.sum(kHitsMetric));
    CHECK(metrics.sum("warmfront_disk_reads_total") > 100);
    CHECK(metrics.sum("warmfront_disk_up") == 1);
}

TEST_CASE("freshness: without the fill rule the same play finds violations") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kVersions);
    const WarmfrontProcess warmfront(server, {.binary = WARMFRONT_BINARY_PATH "_without_fill_rule"});
    World world;
    play_behind(warmfront, world, 20s);
    CHECK(world.violations > 0);
}
