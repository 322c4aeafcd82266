// What clients' own misses suffer from answers that are fetched ahead.
//
//   build: ninja protection_bench; run: build/protection_bench [pairs of phases] [seconds a phase] [users]
//   [prewarm.rate]
//
// Users ask without a pause for what nobody has asked for before: each query is a miss of an index scan over
// 200 rows. In every other phase, prewarming is on (a reload): 900 answers of the same kind are kept warm,
// which a ttl of 2 s makes more work than prewarm.rate allows, so that it is always at work. Pairs of phases,
// off and on, on and off, within one run, because a machine is not as fast in one minute as in the next. The
// first second of each phase does not count.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/twin/random.h"

using namespace warmfront;
using namespace warmfront::test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kSensors = 5'000, kKeptWarm = 900;
constexpr std::string_view kTable =
    "CREATE TABLE readings (sensor int NOT NULL, at int NOT NULL, v int NOT NULL);"
    "INSERT INTO readings SELECT i % 5000, i, i % 97 FROM generate_series(1, 1000000) i;"
    "CREATE INDEX ON readings (sensor); ANALYZE readings";

std::string query(std::uint64_t sensor, std::uint64_t after) {
    return "SELECT count(*), avg(v) FROM readings WHERE sensor = " + std::to_string(sensor) + " AND at > " +
           std::to_string(after);
}

std::string settings(bool prewarm, const std::string& rate) {
    return std::string(
               "cache: {ttl: 2s, break_even: false}\nnext_query: {enabled: false}\nprewarm: {enabled: ") +
           (prewarm ? "true" : "false") + ", roles: all, waste: 1, rate: " + rate + "}\n";
}

double quantile(std::vector<double>& values, double q) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

// The phase under way; latencies go to its number.
struct Run {
    std::atomic<int> phase = -1;  // none: it does not count
    std::atomic<bool> over = false;
    std::atomic<std::uint64_t> next = 1;
};

using Phases = std::vector<std::vector<double>>;

void ask_on(Run& run, std::uint16_t port, std::uint64_t number, Phases& phases) {
    auto client = must(RawClient::connect({.port = port}));
    Random random(number);
    while (!run.over) {
        const int phase = run.phase;
        const auto begun = Clock::now();
        (void)rows(client, query(random.below(kSensors), run.next++));
        const double us = std::chrono::duration<double, std::micro>(Clock::now() - begun).count();
        if (phase >= 0 && phase == run.phase) phases[static_cast<std::size_t>(phase)].push_back(us);
    }
}

struct Kind {
    std::vector<double> all;
    double fetches = 0, seconds = 0;
};

void print(const char* name, Kind& kind) {
    std::printf("| %-3s | %7zu | %6.0f | %6.0f | %6.0f | %6.1f |\n", name, kind.all.size(),
                quantile(kind.all, 0.5), quantile(kind.all, 0.95), quantile(kind.all, 0.99),
                kind.fetches / std::max(1e-9, kind.seconds));
}

}  // namespace

int main(int argc, char** argv) {
    const int pairs = argc > 1 ? std::atoi(argv[1]) : 10;
    const int seconds = argc > 2 ? std::atoi(argv[2]) : 4;
    const int users = argc > 3 ? std::atoi(argv[3]) : 8;
    const std::string rate = argc > 4 ? argv[4] : "100";
    PostgresServer server;
    server.sql(kTable);
    server.sql("VACUUM ANALYZE");  // or autovacuum does, in some phase
    WarmfrontProcess warmfront(server, {.settings = settings(true, rate)});
    auto console = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
    for (int i = 0; i < kKeptWarm; ++i)
        (void)rows(console, R"(PREWARM {"v": 1, "database": "postgres", "statement": ")" +
                                query(static_cast<std::uint64_t>(i), 0) + R"(", "settings": {}})");
    while (warmfront.metrics().sum("warmfront_prewarm_fetches_total") < kKeptWarm)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    Run run;
    std::vector<Phases> of_users(static_cast<std::size_t>(users),
                                 Phases(static_cast<std::size_t>(2 * pairs)));
    std::vector<std::thread> threads;
    for (int i = 0; i < users; ++i)
        threads.emplace_back([&, i] {
            ask_on(run, warmfront.port(), static_cast<std::uint64_t>(i + 1),
                   of_users[static_cast<std::size_t>(i)]);
        });
    const auto is_on = [](int phase) { return (phase % 4 == 1) || (phase % 4 == 2); };  // off, on, on, off
    Kind kinds[2];
    for (int phase = 0; phase < 2 * pairs; ++phase) {
        warmfront.reload(settings(is_on(phase), rate));
        std::this_thread::sleep_for(std::chrono::seconds(1));
        Kind& kind = kinds[is_on(phase)];
        const double before = warmfront.metrics().sum("warmfront_prewarm_fetches_total");
        const auto begun = Clock::now();
        run.phase = phase;
        std::this_thread::sleep_for(std::chrono::seconds(seconds));
        run.phase = -1;
        kind.seconds += std::chrono::duration<double>(Clock::now() - begun).count();
        kind.fetches += warmfront.metrics().sum("warmfront_prewarm_fetches_total") - before;
    }
    run.over = true;
    for (auto& thread : threads) thread.join();

    std::vector<double> ratios;
    for (int pair = 0; pair < pairs; ++pair) {
        double p99[2] = {0, 0};
        for (const int phase : {2 * pair, 2 * pair + 1}) {
            std::vector<double> all;
            for (const Phases& phases : of_users) {
                const auto& one = phases[static_cast<std::size_t>(phase)];
                all.insert(all.end(), one.begin(), one.end());
            }
            p99[is_on(phase)] = quantile(all, 0.99);
            auto& kind = kinds[is_on(phase)].all;
            kind.insert(kind.end(), all.begin(), all.end());
        }
        ratios.push_back(p99[1] / std::max(1e-9, p99[0]));
    }
    std::printf(
        "%d users without a pause, %d pairs of phases of %d s, prewarm.rate %s; microseconds at the client\n",
        users, pairs, seconds, rate.c_str());
    std::printf("| prewarming | misses | p50 | p95 | p99 | fetches a second |\n|---|---|---|---|---|---|\n");
    print("off", kinds[0]);
    print("on", kinds[1]);
    std::ranges::sort(ratios);
    std::printf("p99 on over off: %.3f of all; by pair: median %.3f, %.3f to %.3f\n",
                quantile(kinds[1].all, 0.99) / std::max(1e-9, quantile(kinds[0].all, 0.99)),
                quantile(ratios, 0.5), ratios.front(), ratios.back());
    return 0;
}
