// How precisely writes void answers, and what a write costs, end to end.
//
//   build: ninja precision_bench; run: build/precision_bench [seconds per run] [connections]
//
// A table of 100,000 rows; some connections (4) read rows by primary key (zipf 0.99), every tenth statement
// updates one row by its key (drawn alike). The oracle knows exactly which answers a write changes: it drops
// those, and fills on every miss. Runs: no writes, writes of a column that is read, writes of one that is
// not; latencies of reads are measured at the client.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <unistd.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/twin/random.h"

using namespace warmfront;
using namespace warmfront::test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kRows = 100'000;
int connections = 4;

// Source: J. Gray et al., "Quickly Generating Billion-Record Synthetic Databases", section 4.
class Zipf {
public:
    Zipf(int count, double theta) : count_(count), theta_(theta) {
        for (int i = 1; i <= count; ++i) zeta_ += 1 / std::pow(i, theta);
        const double zeta2 = 1 + std::pow(0.5, theta);
        eta_ = (1 - std::pow(2.0 / count, 1 - theta)) / (1 - zeta2 / zeta_);
    }
    int draw(Random& random) const {
        const double u = static_cast<double>(random.below(1U << 30)) / (1U << 30), uz = u * zeta_;
        if (uz < 1) return 0;
        if (uz < 1 + std::pow(0.5, theta_)) return 1;
        return std::min(count_ - 1,
                        static_cast<int>(count_ * std::pow(eta_ * u - eta_ + 1, 1 / (1 - theta_))));
    }

private:
    int count_;
    double theta_, zeta_ = 0, eta_ = 0;
};

class Oracle {
public:
    bool read(int row) {
        const std::lock_guard lock(mutex_);
        return !kept_.insert(row).second;
    }
    void write(int row) {
        const std::lock_guard lock(mutex_);
        kept_.erase(row);
    }

private:
    std::mutex mutex_;
    std::unordered_set<int> kept_;
};

std::string request(const char* sql, int row) {
    std::string bytes;
    const std::string text = std::to_string(row);
    const std::optional<std::string_view> values[] = {text};
    wire::append_parse(bytes, "", sql, {});
    wire::append_bind(bytes, "", "", {}, values, {});
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    return bytes;
}

struct Outcome {
    double reads = 0, hits = 0, oracle_hits = 0, writes = 0;
    double p50_us = 0, p99_us = 0;
};

struct Writes {
    const char* update = nullptr;
    bool change_answers = false;
};

Outcome run(const WarmfrontProcess& warmfront, const Zipf& zipf, Writes writes_made,
            std::chrono::seconds time, std::uint64_t seed) {
    const char* const update = writes_made.update;
    Oracle oracle;
    std::atomic<std::uint64_t> reads = 0, writes = 0, oracle_hits = 0;
    std::vector<std::vector<double>> latencies(static_cast<std::size_t>(connections));
    const auto hits_before = warmfront.metrics().sum(kHitsMetric);
    {
        std::vector<std::jthread> threads;
        for (int c = 0; c < connections; ++c) {
            threads.emplace_back([&, c] {
                auto client = must(RawClient::connect({.port = warmfront.port()}));
                Random random(seed * 100 + static_cast<std::uint64_t>(c));
                const auto end = Clock::now() + time;
                while (Clock::now() < end) {
                    const int row = zipf.draw(random);
                    if (update != nullptr && random.chance(10)) {
                        must(client.send(request(update, row)));
                        (void)must(client.receive_until_ready());
                        if (writes_made.change_answers) oracle.write(row);
                        ++writes;
                        continue;
                    }
                    const auto bytes = request("SELECT id, shown FROM precise WHERE id = $1", row);
                    const auto sent = Clock::now();
                    must(client.send(bytes));
                    (void)must(client.receive_until_ready());
                    latencies[static_cast<std::size_t>(c)].push_back(
                        std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
                    oracle_hits += oracle.read(row) ? 1 : 0;
                    ++reads;
                }
            });
        }
    }
    std::vector<double> all;
    for (const auto& each : latencies) all.insert(all.end(), each.begin(), each.end());
    std::ranges::sort(all);
    Outcome outcome;
    outcome.reads = static_cast<double>(reads);
    outcome.writes = static_cast<double>(writes);
    outcome.oracle_hits = static_cast<double>(oracle_hits);
    outcome.hits = warmfront.metrics().sum(kHitsMetric) - hits_before;
    outcome.p50_us = all[all.size() / 2];
    outcome.p99_us = all[all.size() * 99 / 100];
    return outcome;
}

void print(const char* name, const Outcome& outcome) {
    std::printf(
        "%-28s %9.0f reads %8.0f writes  hits %6.2f %%  oracle %6.2f %%  p50 %6.0f us  p99 %6.0f us\n", name,
        outcome.reads, outcome.writes, 100 * outcome.hits / outcome.reads,
        100 * outcome.oracle_hits / outcome.reads, outcome.p50_us, outcome.p99_us);
}

// Processor time of a process so far, in seconds.
double cpu_of(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Processor time of warmfront per UPDATE of one row, in microseconds, after reads of all kinds.
double write_cost(WarmfrontProcess& warmfront, int count) {
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    for (const char* read :
         {"SELECT id, shown FROM precise WHERE id = $1", "SELECT hidden FROM precise WHERE id = $1",
          "SELECT id FROM precise WHERE shown = $1", "SELECT count(*) FROM precise WHERE shown > $1",
          "SELECT count(*) FROM precise WHERE hidden = $1"}) {
        must(client.send(request(read, 5)));
        (void)must(client.receive_until_ready());
    }
    Random random(1);
    const double before = cpu_of(warmfront.process().pid());
    for (int i = 0; i < count; ++i) {
        const auto row = static_cast<int>(random.below(kRows));
        must(client.send(request("UPDATE precise SET shown = shown + 1 WHERE id = $1", row)));
        (void)must(client.receive_until_ready());
    }
    return (cpu_of(warmfront.process().pid()) - before) / count * 1e6;
}

}  // namespace

int main(int count, char** arguments) {
    const std::chrono::seconds time{count > 1 ? std::atoi(arguments[1]) : 20};
    if (count > 2) connections = std::atoi(arguments[2]);
    const PostgresServer server({.settings = {"synchronous_commit=off", "autovacuum=off"}});
    server.sql("CREATE TABLE precise (id int PRIMARY KEY, shown int NOT NULL, hidden int NOT NULL)");
    server.sql("INSERT INTO precise SELECT i, 0, 0 FROM generate_series(0, " + std::to_string(kRows - 1) +
               ") i");
    const Zipf zipf(kRows, 0.99);
    for (int round = 0; round < 2; ++round) {
        const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h, memory: 256MiB}\n"});
        auto admin = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
        const auto fresh = [&](const char* name, Writes update) {
            (void)rows(admin, "FLUSH");
            print(name, run(warmfront, zipf, update, time, static_cast<std::uint64_t>(round + 1)));
        };
        fresh("no writes", {});
        fresh("10 % of a column read", {"UPDATE precise SET shown = shown + 1 WHERE id = $1", true});
        fresh("10 % of another column", {"UPDATE precise SET hidden = hidden + 1 WHERE id = $1", false});
    }
    for (int round = 0; round < 2; ++round) {
        WarmfrontProcess with(server, {.settings = "cache: {ttl: 1h}\n"});
        WarmfrontProcess without(server, {.settings = "cache: {enabled: false}\n"});
        std::printf("warmfront's CPU per UPDATE: %.1f us with the cache, %.1f us passed through\n",
                    write_cost(with, 30'000), write_cost(without, 30'000));
    }
    return 0;
}
