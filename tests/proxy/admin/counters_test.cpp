#include "proxy/admin/counters.h"

#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/admin/worker_meter.h"

using namespace warmfront;
using namespace warmfront::admin;

TEST_CASE("counters: a database's totals are the sums of its workers'") {
    Counters counters(2);
    for (unsigned worker = 0; worker < 2; ++worker) {
        DatabaseCounters& mine = counters.of(worker, "shop");
        mine.hits.add(10 + worker);
        mine.misses.add(1);
        mine.refusals.add("volatile_function");
        mine.connections_opened.add(3);
        mine.connections_closed.add(1);
        mine.hit_latency.add(5);
    }
    counters.of(0, "blog").hits.add(1);
    counters.count_invalidation("shop", session::DropCause::Flush);
    const Totals totals = counters.totals();
    REQUIRE(totals.size() == 2);
    const DatabaseTotals& shop = totals.at("shop");
    CHECK(shop.hits == 21);
    CHECK(shop.misses == 2);
    CHECK(shop.hit_ratio() == doctest::Approx(21.0 / 23));
    CHECK(shop.refusals.at("volatile_function") == 2);
    CHECK(shop.connections == 4);
    CHECK(shop.connections_total == 6);
    CHECK(shop.hit_latency.count() == 2);
    CHECK(shop.hit_latency.sum_us == 10);
    CHECK(shop.invalidations[static_cast<std::size_t>(session::DropCause::Flush)] == 1);
    CHECK(totals.at("blog").hits == 1);
    CHECK(totals.at("blog").hit_ratio() == 1.0);
}

TEST_CASE("counters: the same worker and database give the same counters") {
    Counters counters(2);
    CHECK(&counters.of(0, "a") == &counters.of(0, "a"));
    CHECK(&counters.of(0, "a") != &counters.of(1, "a"));
    CHECK(&counters.of(0, "a") != &counters.of(0, "b"));
}

TEST_CASE("counters: databases beyond the bound are counted together") {
    Counters counters(1);
    for (int i = 0; i < 1'000; ++i) counters.of(0, "db" + std::to_string(i)).hits.add(1);
    const Totals totals = counters.totals();
    CHECK(totals.size() == kDatabasesMax + 1);
    CHECK(totals.at("db0").hits == 1);
    CHECK(totals.at("other").hits == 1'000 - kDatabasesMax);
}

TEST_CASE("counters: labels beyond the bound are counted together") {
    LabelCounters counters;
    std::vector<std::string> labels;
    for (int i = 0; i < 100; ++i) labels.push_back("label" + std::to_string(i));
    for (int round = 0; round < 2; ++round) {
        for (const std::string& label : labels) counters.add(label);
    }
    std::map<std::string_view, std::uint64_t> sum;
    counters.add_to(sum);
    CHECK(sum.size() == kLabelsMax + 1);
    CHECK(sum.at("label0") == 2);
    CHECK(sum.at("other") == 2 * (100 - kLabelsMax));
}

TEST_CASE("latencies: a bucket holds what is at most its bound") {
    struct Row {
        std::uint64_t us;
        std::size_t bucket;
    };
    for (const auto& [us, bucket] : std::vector<Row>{{0, 0},
                                                     {1, 0},
                                                     {2, 1},
                                                     {3, 2},
                                                     {4, 2},
                                                     {5, 3},
                                                     {1'024, 10},
                                                     {1'025, 11},
                                                     {1U << 24, 24},
                                                     {(1U << 24) + 1, 25},
                                                     {~std::uint64_t{0}, 25}}) {
        CAPTURE(us);
        CHECK(Latencies::bucket_of(us) == bucket);
    }
}

TEST_CASE("latencies: a quantile is the bound of the bucket it falls into") {
    Latencies latencies;
    CHECK(latencies.quantile_us(0.99) == 0);
    latencies.counts[3] = 98;  // at most 8 us
    latencies.counts[10] = 2;  // at most 1,024 us
    struct Row {
        double q;
        std::uint64_t us;
    };
    for (const auto& [q, us] : std::vector<Row>{{0, 8}, {0.5, 8}, {0.98, 8}, {0.981, 1'024}, {1, 1'024}}) {
        CAPTURE(q);
        CHECK(latencies.quantile_us(q) == us);
    }
}

TEST_CASE("worker meter: puts what a session reports where it belongs") {
    Counters counters(1);
    SimulatedClock clock(1'000);
    WorkerMeter meter(counters.of(0, "db"), clock);
    meter.connected();
    meter.hit(990);
    meter.stale();
    meter.forwarded(sql::QueryClass::Read, true, 900);
    meter.forwarded(sql::QueryClass::Write, false, 0);
    meter.forwarded(sql::QueryClass::Opaque, false, 2'000);  // from a clock that was read later
    meter.refused("too_large");
    meter.filled(true);
    meter.filled(false);
    meter.dropped(session::DropCause::Write);
    meter.client_bytes(7, 0);
    meter.client_bytes(0, 9);
    const DatabaseTotals totals = counters.totals().at("db");
    const auto queries = [&](sql::QueryClass each) { return totals.queries[static_cast<std::size_t>(each)]; };
    CHECK(queries(sql::QueryClass::Read) == 2);
    CHECK(queries(sql::QueryClass::Write) == 1);
    CHECK(queries(sql::QueryClass::Opaque) == 1);
    CHECK(totals.queries_total() == 4);
    CHECK(totals.hits == 1);
    CHECK(totals.stales == 1);
    CHECK(totals.misses == 1);
    CHECK(totals.hit_latency.sum_us == 10);
    CHECK(totals.miss_latency.sum_us == 100);
    CHECK(totals.forwarded_latency.sum_us == 1'000);
    CHECK(totals.forwarded_latency.count() == 2);
    CHECK(totals.fills == 1);
    CHECK(totals.fills_refused == 1);
    CHECK(totals.invalidations[static_cast<std::size_t>(session::DropCause::Write)] == 1);
    CHECK(totals.received_bytes == 7);
    CHECK(totals.sent_bytes == 9);
    CHECK(totals.connections == 1);
    meter.disconnected();
    CHECK(counters.totals().at("db").connections == 0);
}

TEST_CASE("counters: may be summed while workers count") {
    Counters counters(2);
    static constexpr std::string_view kLabels[] = {"a", "b", "c", "d", "e"};
    std::atomic<int> working{2};
    {
        std::vector<std::jthread> threads;
        for (unsigned worker = 0; worker < 2; ++worker) {
            threads.emplace_back([&, worker] {
                for (int i = 0; i < 20'000; ++i) {
                    DatabaseCounters& mine = counters.of(worker, i % 2 == 0 ? "even" : "odd");
                    mine.hits.add(1);
                    mine.refusals.add(kLabels[i % 5]);
                    mine.hit_latency.add(static_cast<std::uint64_t>(i));
                }
                --working;
            });
        }
        std::uint64_t last = 0;
        while (working > 0) {
            const Totals totals = counters.totals();
            if (!totals.contains("even")) continue;
            CHECK(totals.at("even").hits >= last);
            last = totals.at("even").hits;
        }
    }
    const Totals totals = counters.totals();
    CHECK(totals.at("even").hits == 20'000);
    CHECK(totals.at("odd").refusals.at("b") == 4'000);
}
