// What it brings to fetch a session's next query ahead.
//
//   build: ninja next_query_bench; run: build/next_query_bench [seconds per run] [users]
//   [next_query.confidence] [chains|lists]
//
// chains (if nothing is said):
// A shop of 50,000 products. Each user opens a product (drawn evenly, so hardly one that anybody has seen),
// looks at it, opens its reviews, looks, opens the author of the best one; after each page one of ten goes
// elsewhere (a search). Thinking takes 20 to 60 ms. Two runs, next_query.enabled off and on; the latencies
// are those of the dependent queries (reviews, author) in the second half of the run, at the client.
//
// lists, the same with pages as many frameworks make them ("N+1 queries"): the products of an order, and then
// without a pause a query for each of its eight products; the latencies are those of these queries.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
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

constexpr int kProducts = 50'000, kOrders = 50'000;

constexpr std::string_view kShop =
    "CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL);"
    "CREATE TABLE reviews (id serial PRIMARY KEY, product int NOT NULL, author int NOT NULL, stars int NOT "
    "NULL, body text NOT NULL);"
    "CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);"
    "INSERT INTO products SELECT i, 'product ' || i FROM generate_series(1, 50000) i;"
    "INSERT INTO reviews (product, author, stars, body) SELECT 1 + i % 50000, 1 + i % 20000 * 7919 % 20000, "
    "i * 31 % 5 + 1, repeat('word ', 20) FROM generate_series(1, 500000) i;"
    "INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 20000) i;"
    "CREATE TABLE items (order_id int NOT NULL, product int NOT NULL);"
    "INSERT INTO items SELECT i / 8, 1 + i::bigint * 7919 % 50000 FROM generate_series(0, 399999) i;"
    "CREATE INDEX ON items (order_id);"
    "CREATE INDEX ON reviews (product); CREATE INDEX ON reviews (author); ANALYZE";

struct Latencies {
    std::vector<double> us;
    [[nodiscard]] double quantile(double q) {
        if (us.empty()) return 0;
        std::ranges::sort(us);
        return us[std::min(us.size() - 1, static_cast<std::size_t>(q * static_cast<double>(us.size())))];
    }
};

struct Run {
    std::mutex mutex;
    Latencies dependent, first;
    std::atomic<bool> measuring = false, over = false;
};

class User {
public:
    User(Run& run, std::uint16_t port, std::uint64_t number)
        : run_(run), client_(must(RawClient::connect({.port = port}))), random_(number) {}

    void browse_lists() {
        while (!run_.over) {
            const std::string order = std::to_string(random_.below(kOrders));
            const std::string list = ask("SELECT product FROM items WHERE order_id = " + order, first_);
            for (std::size_t at = 0; at < list.size(); at = list.find('\n', at) + 1)
                (void)ask("SELECT count(*), avg(stars) FROM reviews WHERE product = " +
                              list.substr(at, list.find('\n', at) - at),
                          dependent_);
            (void)leaves();
        }
        give();
    }

    void browse() {
        while (!run_.over) {
            const std::string id = std::to_string(1 + random_.below(kProducts));
            (void)ask("SELECT id, name FROM products WHERE id = " + id, first_);
            if (leaves()) continue;
            const std::string reviews =
                ask("SELECT r.id, r.author, r.stars, a.name, (SELECT avg(o.stars) FROM reviews o WHERE "
                    "o.author = "
                    "r.author) FROM reviews r JOIN authors a ON a.id = r.author WHERE r.product = " +
                        id + " ORDER BY r.stars DESC, r.id LIMIT 10",
                    dependent_);
            if (leaves()) continue;
            const auto begin = reviews.find('|') + 1;
            const std::string author = reviews.substr(begin, reviews.find('|', begin) - begin);
            (void)ask(
                "SELECT a.name, count(*), avg(r.stars) FROM authors a JOIN reviews r ON r.author = a.id "
                "WHERE a.id = " +
                    author + " GROUP BY a.name",
                dependent_);
            (void)leaves();
        }
        give();
    }

private:
    void give() {
        const std::lock_guard lock(run_.mutex);
        run_.dependent.us.insert(run_.dependent.us.end(), dependent_.us.begin(), dependent_.us.end());
        run_.first.us.insert(run_.first.us.end(), first_.us.begin(), first_.us.end());
    }
    std::string ask(const std::string& sql, Latencies& latencies) {
        const auto begun = Clock::now();
        std::string answer = rows(client_, sql);
        if (run_.measuring)
            latencies.us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
        return answer;
    }
    bool leaves() {
        std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random_.below(40'000)));
        if (random_.below(10) != 0) return false;
        (void)rows(client_, "SELECT count(*) FROM products WHERE name = 'product " +
                                std::to_string(random_.below(kProducts)) + "' AND id < 100");
        return true;
    }
    Run& run_;
    RawClient client_;
    Random random_;
    Latencies dependent_, first_;
};

double hit_share(const Metrics& from, const Metrics& to) {
    const double hits = to.sum(kHitsMetric) - from.sum(kHitsMetric);
    const double misses = to.sum("warmfront_misses_total") - from.sum("warmfront_misses_total");
    return hits + misses == 0 ? 0 : hits / (hits + misses);
}

void measure(const PostgresServer& server, bool enabled, int seconds, int users,
             const std::string& confidence, bool lists) {
    const WarmfrontProcess warmfront(
        server, {.settings = std::string("cache: {ttl: 10m}\nprewarm: {rate: 2000}\nnext_query: {enabled: ") +
                             (enabled ? "true" : "false") + ", confidence: " + confidence + "}\n"});
    Run run;
    std::vector<std::thread> threads;
    for (int i = 0; i < users; ++i)
        threads.emplace_back([&run, &warmfront, i, lists] {
            User user(run, warmfront.port(), static_cast<std::uint64_t>(i + 1));
            lists ? user.browse_lists() : user.browse();
        });
    std::this_thread::sleep_for(std::chrono::seconds(seconds) / 2);
    const Metrics begun = warmfront.metrics();
    run.measuring = true;
    std::this_thread::sleep_for(std::chrono::seconds(seconds) / 2);
    run.measuring = false;
    const Metrics ended = warmfront.metrics();
    run.over = true;
    for (auto& thread : threads) thread.join();
    const auto more = [&](std::string_view name, std::string_view label = {}) {
        return ended.sum(name, label) - begun.sum(name, label);
    };
    const double used = more("warmfront_next_query_fetches_total", "outcome=\"used\"");
    const double late = more("warmfront_next_query_fetches_total", "outcome=\"late\"");
    const double wasted = more("warmfront_next_query_fetches_total", "outcome=\"wasted\"");
    const auto dependent = static_cast<double>(run.dependent.us.size());
    std::printf(
        "| %-3s | %6.0f | %5.1f %% | %6.0f | %6.0f | %6.0f | %6.0f | %6.0f | %4.0f | %6.0f | %5.1f %% |\n",
        enabled ? "on" : "off", dependent, 100 * used / std::max(1.0, dependent), run.dependent.quantile(0.5),
        run.dependent.quantile(0.99), run.first.quantile(0.5), run.first.quantile(0.99), used, late, wasted,
        100 * wasted / std::max(1.0, used + late + wasted));
    std::printf(
        "      all reads that may be kept: %.1f %% from memory; PostgreSQL: %.2f s for fetching ahead, "
        "%.2f s saved\n",
        100 * hit_share(begun, ended), more("warmfront_prewarm_spent_seconds_total"),
        more("warmfront_next_query_saved_seconds_total"));
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 30;
    const int users = argc > 2 ? std::atoi(argv[2]) : 16;
    const std::string confidence = argc > 3 ? argv[3] : "0.7";
    const bool lists = argc > 4 && std::string_view(argv[4]) == "lists";
    PostgresServer server;
    server.sql(kShop);
    server.sql("VACUUM ANALYZE");  // or autovacuum does, in the second run
    std::printf("%d users, %d s a run; microseconds at the client\n", users, seconds);
    std::printf(
        "| next_query | dependent | of which fetched ahead | p50 | p99 | product p50 | p99 | used | late | "
        "wasted | wasted share |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (const bool enabled : {false, true}) measure(server, enabled, seconds, users, confidence, lists);
    return 0;
}
