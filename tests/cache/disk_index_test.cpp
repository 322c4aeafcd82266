#include "cache/disk_index.h"

#include <algorithm>
#include <deque>
#include <random>

#include <doctest/doctest.h>

#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;
using State = DiskIndex::State;

static constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_CASE("disk index: finds what was added, until it is void, expired, forgotten or replaced") {
    WriteLog log;
    Line* const lines[] = {&log.line("db", sql::Oid{}), &log.line("db", sql::Oid{1})};
    DiskIndex index({kMiB, kMiB});
    const auto add = [&](std::uint64_t hash, std::uint64_t number, sql::Lifetime lifetime = {}) {
        index.add({hash, number, 100, 1'000, lifetime}, observe(lines).seen);
    };
    add(7, 1);
    CHECK(index.look(7, 1'000, 50) == State::Good);
    CHECK(index.look(8, 1'000, 50) == State::Absent);
    REQUIRE(index.find(7));
    CHECK(index.find(7)->number == 1);
    CHECK(index.find(7)->lines == std::vector<const Line*>{lines[0], lines[1]});
    add(7, 2);
    CHECK(index.find(7)->number == 2);
    CHECK(index.entries() == 1);
    index.forget(7, 1);
    CHECK(index.entries() == 1);
    index.forget(7, 2);
    CHECK(index.look(7, 1'000, 50) == State::Absent);

    add(9, 3);
    CHECK(index.look(9, 1'049, 50) == State::Good);
    CHECK(index.look(9, 999, 50) == State::Good);  // another thread's clock is a little behind
    CHECK(index.look(9, 1'050, 50) == State::Expired);
    CHECK(index.look(9, 1'000, 50) == State::Absent);
    add(9, 4, {10, true, 0});
    CHECK(index.look(9, 1'010, 50) == State::Expired);
    add(9, 5, {500, false, 0});
    CHECK(index.look(9, 1'499, 50) == State::Good);

    add(10, 6);
    begin({&lines[1], 1});
    CHECK(index.look(10, 1'000, 50) == State::Void);
    CHECK(index.look(10, 1'000, 50) == State::Absent);
    end({&lines[1], 1});
    index.clear();
    CHECK(index.look(9, 1'000, 50) == State::Absent);
    CHECK(index.entries() == 0);
    CHECK(index.disk_bytes() == 0);
}

TEST_CASE("disk index: agrees with a list of records, within its bounds, over many chunks") {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        WriteLog log;
        const std::size_t memory_max = 300'000 + seed * 100'000;
        const std::uint64_t disk_max = 400'000 * seed;
        DiskIndex index({memory_max, disk_max});
        struct Known {
            std::uint64_t hash, number, bytes;
        };
        std::deque<Known> known;  // the newest of each hash is the one that counts
        std::uint64_t number = 0, found = 0, forgotten_early = 0;
        for (int step = 0; step < 60'000; ++step) {
            const std::uint64_t hash = random() % 3'000;
            const auto newest = std::find_if(known.rbegin(), known.rend(),
                                             [&](const Known& each) { return each.hash == hash; });
            const std::uint64_t dice = random() % 1'000;
            if (dice < 500) {
                const auto at = index.find(hash);
                if (at) {
                    REQUIRE(newest != known.rend());
                    REQUIRE(at->number == newest->number);
                    REQUIRE(at->lines.size() == newest->number % 40);
                    ++found;
                } else if (newest != known.rend()) {
                    ++forgotten_early;  // beyond a bound
                }
            } else if (dice < 950) {
                std::vector<Seen> seen(++number % 40, Seen{&log.line("db", sql::Oid{1}), number});
                const auto bytes = static_cast<std::uint32_t>(random() % 1'000);
                index.add({hash, number, bytes, number, {}}, seen);
                known.push_back({hash, number, bytes});
                if (known.size() > 20'000) known.pop_front();
                REQUIRE(index.memory_bytes() <= memory_max);
                REQUIRE(index.disk_bytes() <= disk_max);
                REQUIRE(index.find(hash)->number == number);
            } else if (dice < 999) {
                index.forget(hash);
                std::erase_if(known, [&](const Known& each) { return each.hash == hash; });
                REQUIRE_FALSE(index.find(hash));
            } else if (random() % 8 == 0) {
                index.clear();
                known.clear();
            }
        }
        CHECK(found > 1'000);
        CHECK(forgotten_early > 0);
    }
}

TEST_CASE("disk index: the oldest go first, and young is the younger half") {
    DiskIndex index({kMiB, 1'000});
    for (std::uint64_t hash = 1; hash <= 10; ++hash) index.add({hash, hash, 100, hash, {}}, {});
    CHECK_FALSE(index.holds_young(2, 2));
    CHECK(index.holds_young(9, 9));
    CHECK_FALSE(index.holds_young(9, 8));
    for (std::uint64_t hash = 11; hash <= 14; ++hash) index.add({hash, hash, 100, hash, {}}, {});
    for (std::uint64_t hash = 1; hash <= 14; ++hash) {
        CAPTURE(hash);
        CHECK(index.find(hash).has_value() == (hash > 4));
    }
}
