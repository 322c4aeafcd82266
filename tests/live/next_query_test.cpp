// Users browse: a product, its reviews, the author of the first of them; each query needs what the one before
// brought. Once warmfront has learnt that, the second and third come from memory, also for what nobody has
// asked for yet; and writes in between are seen as ever.
#include <array>
#include <atomic>
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

constexpr std::string_view kShop =
    "CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, maker int NOT NULL);"
    "CREATE TABLE reviews (id int PRIMARY KEY, product int NOT NULL, author text NOT NULL, body text);"
    "CREATE TABLE authors (id text PRIMARY KEY, name text NOT NULL, version int NOT NULL DEFAULT 0);"
    "INSERT INTO products SELECT i, 'product ' || i, i % 20 FROM generate_series(1, 2000) i;"
    "INSERT INTO reviews SELECT i, (i + 1) / 2, 'author of ' || (i + 1) / 2, 'it''s fine'"
    "    FROM generate_series(1, 4000) i;"
    "INSERT INTO authors SELECT 'author of ' || i, 'A. ' || i FROM generate_series(1, 2000) i;"
    "INSERT INTO authors SELECT i, 'maker ' || i FROM generate_series(0, 19) i;"
    "CREATE INDEX ON reviews (product); ANALYZE";
constexpr std::string_view kSettings =
    "threads: 1\ncache: {ttl: 1h, break_even: false}\nprewarm: {rate: 10000}\n"
    "next_query: {enabled: true, window: 1m}\n";

constexpr std::string_view kProduct = "SELECT id, name, maker FROM products WHERE id = ";
constexpr std::string_view kReviews = "SELECT id, author, body FROM reviews WHERE product = ";
constexpr std::string_view kAuthor = "SELECT name, version FROM authors WHERE id = ";

std::string extended(RawClient& client, std::string_view sql, std::string_view parameter) {
    std::string bytes;
    const std::optional<std::string_view> values[] = {parameter};
    wire::append_parse(bytes, "", std::string(sql) + "$1", {});
    wire::append_bind(bytes, "", "", {}, values, {});
    wire::append_describe(bytes, 'P', "");
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    must(client.send(bytes));
    const auto answer = must(client.receive_until_ready());
    if (!sqlstate_of(answer).empty()) throw std::runtime_error(error_text_of(answer));
    return rows_of(answer);
}

enum class Protocol { Simple, Extended };
std::string ask(Protocol protocol, RawClient& client, std::string_view sql, const std::string& value) {
    if (protocol == Protocol::Extended) return extended(client, sql, value);
    const bool number = sql != kAuthor;
    return rows(client, std::string(sql) + (number ? value : "'" + value + "'"));
}

// The column'th value of the first row.
std::string value_of(const std::string& rows, std::size_t column) {
    std::size_t begin = 0;
    for (; column > 0; --column) begin = rows.find('|', begin) + 1;
    return rows.substr(begin, rows.find_first_of("|\n", begin) - begin);
}

// The user looks at the page until what was to be fetched is there, or came to nothing. Whether there is
// something to be fetched is counted before the answer is sent that it depends on.
bool look_at_the_page(const WarmfrontProcess& warmfront) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    for (;;) {
        const Metrics metrics = warmfront.metrics();
        if (metrics.sum("warmfront_prewarm_fetches_total") ==
            metrics.sum("warmfront_next_query_prefetched_total"))
            return true;
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(2ms);
    }
}

// A shop, and a client of it beside one who asks PostgreSQL itself.
struct Visit {
    explicit Visit(std::string_view more = "")
        : warmfront((server.sql(std::string(kShop) + ";" + std::string(more)), server),
                    {.settings = std::string(kSettings)}),
          client(must(RawClient::connect({.port = warmfront.port()}))),
          direct(must(RawClient::connect({.port = server.port()}))) {}
    PostgresServer server;
    const WarmfrontProcess warmfront;
    RawClient client, direct;
};

}  // namespace

TEST_CASE("next query: what depends on an answer is in memory before it is asked for") {
    if (direct_mode()) return;
    Protocol protocol = Protocol::Simple;
    SUBCASE("simple queries") {}
    SUBCASE("extended queries") {
        protocol = Protocol::Extended;
    }
    Visit visit;
    auto& [server, warmfront, client, direct] = visit;
    constexpr int kLearning = 60, kAfterwards = 40;
    for (int id = 1; id <= kLearning; ++id) {
        (void)ask(protocol, client, kProduct, std::to_string(id));
        REQUIRE(look_at_the_page(warmfront));
        const std::string reviews = ask(protocol, client, kReviews, std::to_string(id));
        REQUIRE(look_at_the_page(warmfront));
        (void)ask(protocol, client, kAuthor, value_of(reviews, 1));
    }
    REQUIRE(look_at_the_page(warmfront));
    const Metrics before = warmfront.metrics();
    for (int id = kLearning + 1; id <= kLearning + kAfterwards; ++id) {
        CAPTURE(id);
        const std::string product = ask(protocol, client, kProduct, std::to_string(id));
        CHECK(product == rows(direct, std::string(kProduct) + std::to_string(id)));
        REQUIRE(look_at_the_page(warmfront));
        const std::string reviews = ask(protocol, client, kReviews, std::to_string(id));
        CHECK(reviews == rows(direct, std::string(kReviews) + std::to_string(id)));
        REQUIRE(look_at_the_page(warmfront));
        const std::string author = ask(protocol, client, kAuthor, value_of(reviews, 1));
        CHECK(author == rows(direct, std::string(kAuthor) + "'" + value_of(reviews, 1) + "'"));
    }
    const Metrics metrics = warmfront.metrics();
    const auto more = [&](std::string_view name, std::string_view label = {}) {
        return metrics.sum(name, label) - before.sum(name, label);
    };
    CHECK(more(kHitsMetric) == 2 * kAfterwards);
    CHECK(more("warmfront_next_query_fetches_total", "outcome=\"used\"") == 2 * kAfterwards);
    CHECK(metrics.sum("warmfront_next_query_fetches_total", "outcome=\"wasted\"") == 0);
    auto console = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
    const std::string shown = rows(console, "SHOW NEXT_QUERY");
    CHECK(shown.find("column 2") != std::string::npos);
    CHECK(shown.find("|on|") != std::string::npos);
}

// A page as many frameworks make them: a list, then one query for each of its rows, without a pause.
TEST_CASE("next query: a query for each row of a list comes from memory") {
    if (direct_mode()) return;
    Protocol protocol = Protocol::Simple;
    SUBCASE("simple queries") {}
    SUBCASE("extended queries") {
        protocol = Protocol::Extended;
    }
    Visit visit(
        "CREATE TABLE carts (product int, cart int); CREATE INDEX ON carts (cart);"
        "INSERT INTO carts SELECT i, (i - 1) / 8 FROM generate_series(1, 2000) i; ANALYZE carts");
    auto& [server, warmfront, client, direct] = visit;
    constexpr int kRows = 8, kLearning = 60, kAfterwards = 30;
    constexpr std::string_view kCart = "SELECT product FROM carts WHERE cart = ";
    const auto page = [&](int cart, bool compare) {
        const std::string list = ask(protocol, client, kCart, std::to_string(cart));
        REQUIRE(look_at_the_page(warmfront));  // so that how fast fetches are decides nothing here
        for (std::size_t at = 0; at < list.size(); at = list.find('\n', at) + 1) {
            const std::string id = list.substr(at, list.find('\n', at) - at);
            const std::string product = ask(protocol, client, kProduct, id);
            if (compare) CHECK(product == rows(direct, std::string(kProduct) + id));
        }
        (void)ask(protocol, client, kReviews, std::to_string(1'999 - cart));
    };
    for (int cart = 0; cart < kLearning; ++cart) page(cart, false);
    const Metrics before = warmfront.metrics();
    for (int cart = kLearning; cart < kLearning + kAfterwards; ++cart) page(cart, true);
    const Metrics metrics = warmfront.metrics();
    const auto more = [&](std::string_view name, std::string_view label = {}) {
        return metrics.sum(name, label) - before.sum(name, label);
    };
    CHECK(more("warmfront_next_query_fetches_total", "outcome=\"used\"") == kRows * kAfterwards);
    CHECK(more("warmfront_next_query_fetches_total", "outcome=\"wasted\"") == 0);
}

TEST_CASE("next query: what is fetched ahead is never older than an acknowledged write") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kShop);
    const WarmfrontProcess warmfront(server, {.settings = std::string(kSettings)});
    constexpr int kMakers = 20, kReaders = 3, kReads = 400;
    std::array<std::atomic<int>, kMakers> known{};  // the newest version acknowledged
    std::atomic<bool> over = false;
    std::atomic<int> violations = 0, unequal = 0;
    std::thread writer([&] {
        auto client = must(RawClient::connect({.port = warmfront.port()}));
        Random random(1);
        while (!over) {
            const auto maker = random.below(kMakers);
            rows(client,
                 "UPDATE authors SET version = version + 1 WHERE id = '" + std::to_string(maker) + "'");
            known[maker].fetch_add(1);
            std::this_thread::sleep_for(std::chrono::microseconds(random.below(2'000)));
        }
    });
    std::vector<std::thread> readers;
    for (int number = 0; number < kReaders; ++number) {
        readers.emplace_back([&, number] {
            auto client = must(RawClient::connect({.port = warmfront.port()}));
            Random random(100 + static_cast<std::uint64_t>(number));
            for (int i = 0; i < kReads; ++i) {
                const std::string id = std::to_string(1 + random.below(2'000));
                const std::string maker = value_of(rows(client, std::string(kProduct) + id), 2);
                // Some wait for what is fetched, some overtake it.
                if (i % 4 == 0)
                    (void)look_at_the_page(warmfront);
                else
                    std::this_thread::sleep_for(std::chrono::microseconds(random.below(1'500)));
                const int floor = known[std::stoul(maker)].load();
                const std::string seen = rows(client, std::string(kAuthor) + "'" + maker + "'");
                if (std::stoi(value_of(seen, 1)) < floor) ++violations;
                if (value_of(seen, 0) != "maker " + maker) ++unequal;
            }
        });
    }
    for (auto& reader : readers) reader.join();
    over = true;
    writer.join();
    CHECK(violations == 0);
    CHECK(unequal == 0);
    // Or nothing was tried here.
    CHECK(warmfront.metrics().sum("warmfront_next_query_fetches_total", "outcome=\"used\"") > 50);
}
