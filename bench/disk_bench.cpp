// What the disk tier brings, and what it costs those who are answered from memory, end to end.
//
//   build: ninja disk_bench; run: build/disk_bench [memory in MiB] [seconds of latencies] [requests per
//   second]
//
// Two warmfronts stand before one PostgreSQL: `large` with ten times the memory and no disk tier, `tiered`
// with the memory and a disk tier. Rows of some 1.6 kB, as many as fill the large one's budget, are read by
// primary key: all once, then drawn by Zipf (0.8) and evenly; hits are counted by the proxies.
//
// Latencies: one connection reads one row that is always in memory, others keep the proxy busy at a fixed
// rate with rows drawn evenly (from memory in `large`, mostly from disk in `tiered`). The two take turns of
// half a second, so that whatever else the machine does meets both.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/twin/random.h"

using namespace warmfront;
using namespace warmfront::test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kConnections = 4;
constexpr int kValueBytes = 1'600;
constexpr int kChargeBytes = 2'000;  // of such a row in memory, about
constexpr std::chrono::milliseconds kTurn{500};

struct Arguments {
    int memory_mib = 16;
    int seconds = 40;
    int rate = 4'000;
    std::string disk_read = "always";
};

std::string request(int row) {
    std::string bytes;
    const std::string text = std::to_string(row);
    const std::optional<std::string_view> values[] = {text};
    wire::append_parse(bytes, "", "SELECT v FROM t WHERE id = $1", {});
    wire::append_bind(bytes, "", "", {}, values, {});
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    return bytes;
}

void read(RawClient& client, int row) {
    must(client.send(request(row)));
    if (const auto answer = must(client.receive_until_ready()); !sqlstate_of(answer).empty())
        throw std::runtime_error(error_text_of(answer));
}

// Inverse of the continuous approximation of Zipf's distribution.
int zipf(Random& random, int count, double theta) {
    const double u = static_cast<double>(random.below(1U << 30)) / (1U << 30);
    const double top = std::pow(count, 1 - theta);
    const auto rank = static_cast<int>(std::pow(1 + u * (top - 1), 1 / (1 - theta)));
    return std::clamp(rank, 1, count);
}

// Every connection draws `each` rows.
template <typename Draw>
void drive(std::uint16_t port, int each, Draw draw) {
    std::vector<std::thread> threads;
    for (int connection = 0; connection < kConnections; ++connection)
        threads.emplace_back([=] {
            auto client = must(RawClient::connect({.port = port}));
            Random random(static_cast<std::uint64_t>(connection) + 1);
            for (int i = 0; i < each; ++i) read(client, draw(random, connection, i));
        });
    for (auto& thread : threads) thread.join();
}

struct Counts {
    double hits, misses, disk_hits;
    explicit Counts(const WarmfrontProcess& warmfront) {
        const auto metrics = warmfront.metrics();
        hits = metrics.sum(kHitsMetric);
        misses = metrics.sum("warmfront_misses_total");
        disk_hits = metrics.sum(kDiskHitsMetric);
    }
};

struct Ratio {
    double hits = 0, from_disk = 0;
};

template <typename Draw>
Ratio measure(const WarmfrontProcess& warmfront, int each, Draw draw) {
    const Counts before(warmfront);
    drive(warmfront.port(), each, draw);
    const Counts after(warmfront);
    const double all = after.hits - before.hits + after.misses - before.misses;
    return {(after.hits - before.hits) / all, (after.disk_hits - before.disk_hits) / all};
}

void compare_ratios(const WarmfrontProcess& large, const WarmfrontProcess& tiered, int rows_count) {
    const auto in_order = [rows_count](Random&, int connection, int i) {
        return (i * kConnections + connection) % rows_count + 1;
    };
    const auto by_zipf = [rows_count](Random& random, int, int) { return zipf(random, rows_count, 0.8); };
    const auto evenly = [rows_count](Random& random, int, int) {
        return static_cast<int>(random.below(static_cast<std::uint64_t>(rows_count))) + 1;
    };
    const int each = rows_count / kConnections;
    for (const auto* warmfront : {&large, &tiered}) {
        drive(warmfront->port(), each, in_order);
        drive(warmfront->port(), each, by_zipf);
    }
    std::puts("draw    large: hits   tiered: hits   of them from disk   tiered / large");
    const auto line = [&](const char* name, auto draw) {
        const Ratio a = measure(large, 2 * each, draw), b = measure(tiered, 2 * each, draw);
        std::printf("%-7s %11.4f %14.4f %19.4f %16.4f\n", name, a.hits, b.hits, b.from_disk, b.hits / a.hits);
        std::fflush(stdout);
    };
    line("zipf", by_zipf);
    line("evenly", evenly);
}

double quantile(std::vector<double>& sorted, double q) {
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

// One warmfront's load and probe, which work while it is its turn.
class Turns {
public:
    Turns(std::uint16_t port, int rows_count, int rate) {
        for (int connection = 0; connection < kConnections; ++connection)
            threads_.emplace_back([this, port, rows_count, rate, connection] {
                auto client = must(RawClient::connect({.port = port}));
                Random random(static_cast<std::uint64_t>(connection) + 77);
                paced(rate / kConnections, [&] {
                    read(client, static_cast<int>(random.below(static_cast<std::uint64_t>(rows_count))) + 1);
                });
            });
        threads_.emplace_back([this, port] {
            auto client = must(RawClient::connect({.port = port}));
            read(client, 1);
            paced(1'000, [&] {
                const auto begun = Clock::now();
                read(client, 1);
                took_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
            });
        });
    }
    void work(bool now) { working_ = now; }
    void end() {
        over_ = true;
        for (auto& thread : threads_) thread.join();
        std::ranges::sort(took_us);
    }
    std::vector<double> took_us;

private:
    // At a fixed rate: what is late is not made up for.
    template <typename Work>
    void paced(int per_second, Work work) {
        const auto step = std::chrono::nanoseconds(1'000'000'000 / per_second);
        auto next = Clock::now();
        while (!over_) {
            next = std::max(next + step, Clock::now() - step);
            std::this_thread::sleep_until(next);
            if (working_) work();
        }
    }
    std::atomic<bool> working_ = false, over_ = false;
    std::vector<std::thread> threads_;
};

void compare_latencies(const WarmfrontProcess& large, const WarmfrontProcess& small,
                       const WarmfrontProcess& tiered, int rows_count, const Arguments& given) {
    Turns turns[] = {{large.port(), rows_count, given.rate},
                     {small.port(), rows_count, given.rate},
                     {tiered.port(), rows_count, given.rate}};
    constexpr std::size_t kCount = std::size(turns);
    const Counts before(tiered);
    const auto until = Clock::now() + std::chrono::seconds(given.seconds);
    for (std::size_t turn = 0; Clock::now() < until; turn = (turn + 1) % kCount) {
        turns[turn].work(true);
        std::this_thread::sleep_for(kTurn);
        turns[turn].work(false);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    for (Turns& each : turns) each.end();
    const Counts after(tiered);
    std::printf("\nreads from disk per second, while it was tiered's turn: %.0f\n",
                (after.disk_hits - before.disk_hits) / given.seconds * kCount);
    std::puts("a hit in memory    large, us   small, us   tiered, us   tiered / large   tiered / small");
    for (const auto& [name, q] : {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}}) {
        const double a = quantile(turns[0].took_us, q), b = quantile(turns[1].took_us, q),
                     c = quantile(turns[2].took_us, q);
        std::printf("%-14s %13.0f %11.0f %12.0f %16.2f %16.2f\n", name, a, b, c, c / a, c / b);
    }
}

std::string settings_of(int memory_mib, int disk_mib, const std::string& disk_read) {
    return "cache: {memory: " + std::to_string(memory_mib) +
           "MiB, ttl: 1h, break_even: off, disk: {size: " + std::to_string(disk_mib) +
           "MiB, read: " + disk_read + "}}\n";
}

}  // namespace

int main(int argc, char** argv) {
    Arguments given;
    if (argc > 1) given.memory_mib = std::atoi(argv[1]);
    if (argc > 2) given.seconds = std::atoi(argv[2]);
    if (argc > 3) given.rate = std::atoi(argv[3]);
    if (argc > 4) given.disk_read = argv[4];
    const int rows_count = given.memory_mib * 10 * ((1 << 20) / kChargeBytes);
    const PostgresServer server;
    server.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, left(repeat(md5(g::text), " +
        std::to_string(kValueBytes / 32 + 1) + "), " + std::to_string(kValueBytes) +
        ") FROM generate_series(1, " + std::to_string(rows_count) + ") g; ANALYZE t");
    const WarmfrontProcess large(server,
                                 {.settings = settings_of(given.memory_mib * 10, 0, given.disk_read)});
    const WarmfrontProcess tiered(
        server, {.settings = settings_of(given.memory_mib, given.memory_mib * 20, given.disk_read)});
    std::printf("%d MiB of memory, %d rows of %d bytes\n", given.memory_mib, rows_count, kValueBytes);
    compare_ratios(large, tiered, rows_count);
    const WarmfrontProcess small(server, {.settings = settings_of(given.memory_mib, 0, given.disk_read)});
    compare_latencies(large, small, tiered, rows_count, given);
    auto console = must(RawClient::connect({.port = tiered.port(), .database = "warmfront"}));
    std::printf("\nSHOW CACHE of tiered:\n%s", rows(console, "SHOW CACHE").c_str());
    return 0;
}
