// What the history says was asked for is what clients asked for, and it is there after the proxy has ended,
// in whatever way.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTables =
    "CREATE TABLE orders (id int PRIMARY KEY, v text, customer int);"
    "CREATE TABLE users (id int PRIMARY KEY, name text);"
    "CREATE TABLE audit (id serial, what text);"
    "CREATE VIEW open_orders AS SELECT o.id, o.v, u.name FROM orders o JOIN users u ON u.id = o.customer;"
    "INSERT INTO users SELECT g, 'user ' || g FROM generate_series(1, 10) g;"
    "INSERT INTO orders SELECT g, 'order ' || g, 1 + g % 10 FROM generate_series(1, 100) g;";
const WarmfrontProcess::Options kSecondBuckets{.settings = "forecast: {bucket: 1s}\n"};

// What `warmfront history export` says; sums over all times.
struct Exported {
    struct Load {
        long requests = 0, hits = 0, rows = 0, reads = 0, writes = 0;
    };
    std::map<std::string, Load> subjects;           // "table public.orders", "template <label>", "database"
    std::map<std::string, std::vector<long>> keys;  // requests by label of the template, most first
};

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            fields.emplace_back();
        else
            fields.back() += c;
    }
    return fields;
}

std::string command(const WarmfrontProcess& warmfront, std::vector<std::string> arguments) {
    std::vector<std::string> all{WARMFRONT_BINARY_PATH, "history"};
    std::ranges::move(arguments, std::back_inserter(all));
    all.insert(all.end(), {"--state-dir", warmfront.state_dir()});
    return run_or_throw({.command = all}, 60s);
}

Exported exported(const WarmfrontProcess& warmfront) {
    Exported seen;
    std::map<std::string, std::string> labels;
    std::map<std::string, std::map<std::string, long>> keys;
    std::istringstream lines(command(warmfront, {"export"}));
    for (std::string line; std::getline(lines, line);) {
        const auto fields = fields_of(line);
        REQUIRE(fields.size() == 17);
        const std::string subject = fields[4] + (fields[6].empty() ? "" : " ") + fields[6];
        if (fields[0] == "subject" && fields[4] == "template") labels[subject] = "template " + fields[7];
        const std::string name = labels.contains(subject) ? labels[subject] : subject;
        if (fields[0] == "load") {
            auto& load = seen.subjects[name];
            load.requests += std::stol(fields[10]);
            load.hits += std::stol(fields[11]);
            load.rows += std::stol(fields[12]);
            load.reads += std::stol(fields[15]);
            load.writes += std::stol(fields[16]);
        }
        if (fields[0] == "key_load") keys[name][fields[8]] += std::stol(fields[10]);
    }
    for (const auto& [name, counts] : keys) {
        for (const auto& [key, count] : counts) seen.keys[name].push_back(count);
        std::ranges::sort(seen.keys[name], std::greater());
    }
    return seen;
}

void ask_often(RawClient& client, const std::string& sql, int times) {
    for (int i = 0; i < times; ++i) (void)rows(client, sql);
}

long requests_in(const WarmfrontProcess& warmfront) {
    return exported(warmfront).subjects["database"].requests;
}

}  // namespace

TEST_CASE("history: what was counted is what was sent, by statement, table and key") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, kSecondBuckets);
    {
        auto client = must(RawClient::connect({.port = warmfront.port()}));
        auto other = must(RawClient::connect({.port = warmfront.port()}));
        for (int id = 1; id <= 10; ++id)  // the first key 20 times, the last twice
            for (RawClient* each : {&client, &other})
                ask_often(*each, "SELECT v FROM orders WHERE id = " + std::to_string(id), 11 - id);
        ask_often(client, "SELECT name FROM open_orders WHERE id = 5", 7);
        ask_often(client, "SELECT id FROM users WHERE id < 4", 5);
        for (int id = 0; id < 6; ++id)
            (void)rows(client, "UPDATE users SET name = 'x' WHERE id = " + std::to_string(id));
        ask_often(other, "INSERT INTO audit (what) SELECT v FROM orders", 3);
        ask_often(client, "SELECT random() > 2", 4);
    }
    REQUIRE(warmfront.stop() == 0);
    auto seen = exported(warmfront);
    std::string labels;
    for (const auto& [name, load] : seen.subjects) labels += name + "\n";
    CAPTURE(labels);

    CHECK(seen.subjects["database"].requests == 110 + 7 + 5 + 6 + 3 + 4);
    const auto load_of = [&](const std::string& part) {
        for (const auto& [name, load] : seen.subjects)
            if (name.starts_with("template ") && name.find(part) != std::string::npos) return load;
        return Exported::Load{};
    };
    CHECK(load_of("FROM orders WHERE").requests == 110);
    CHECK(load_of("FROM orders WHERE").rows == 110);
    CHECK(load_of("FROM orders WHERE").hits == 100);  // each key is a miss once
    CHECK(load_of("FROM open_orders").requests == 7);
    CHECK(load_of("FROM users WHERE id <").rows == 15);
    CHECK(load_of("UPDATE users").requests == 6);
    CHECK(load_of("UPDATE users").rows == 5);  // there is no user 0
    CHECK(load_of("INSERT INTO audit").rows == 300);
    CHECK(load_of("random()").requests == 4);
    CHECK(load_of("random()").hits == 0);

    CHECK(seen.subjects["table public.orders"].reads == 110 + 7 + 3);
    CHECK(seen.subjects["table public.orders"].writes == 0);
    CHECK(seen.subjects["table public.users"].reads == 7 + 5);
    CHECK(seen.subjects["table public.users"].writes == 6);
    CHECK(seen.subjects["table public.audit"].writes == 3);
    CHECK_FALSE(seen.subjects.contains("table public.open_orders"));

    for (const auto& [name, counts] : seen.keys)
        if (name.find("FROM orders WHERE") != std::string::npos) {
            // Keys count from the moment that they were asked for more than once of late: within one bucket
            // all of it, across buckets the first request alone may be missing.
            REQUIRE(counts.size() >= 9);
            CHECK(counts[0] >= 19);
            CHECK(counts[0] <= 20);
            for (std::size_t i = 0; i < counts.size(); ++i) CHECK(counts[i] <= 20 - 2 * static_cast<long>(i));
        }
    CHECK(warmfront.log_tail().find("history") == std::string::npos);
}

TEST_CASE("history: what was recorded is there after kill -9 in the middle of writing, and after a restart") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, kSecondBuckets);
    while (warmfront.metrics().sum("warmfront_history_buckets_written_total") < 1)
        std::this_thread::sleep_for(10ms);
    long recorded = 0;
    for (int round = 0; round < 3; ++round) {
        CAPTURE(round);
        std::atomic<long> sent{0};
        std::thread load([&sent, client = must(RawClient::connect({.port = warmfront.port()}))]() mutable {
            for (int id = 0;; ++id) {
                if (!client.query("SELECT v FROM orders WHERE id = " + std::to_string(id % 90))) return;
                ++sent;
            }
        });
        long before_kill = recorded;
        while (before_kill <= recorded) before_kill = requests_in(warmfront);
        warmfront.kill9();
        load.join();
        const long after_kill = requests_in(warmfront);
        CHECK(after_kill >= before_kill);
        CHECK(after_kill <= recorded + sent + 1);
        warmfront.start();
        CHECK(warmfront.log_tail().find("set aside") == std::string::npos);
        recorded = requests_in(warmfront);
        CHECK(recorded >= after_kill);
    }
    REQUIRE(warmfront.stop() == 0);
    CHECK(requests_in(warmfront) >= recorded);
}

TEST_CASE("history: a damaged file is set aside with a word, and recording goes on") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, kSecondBuckets);
    REQUIRE(warmfront.stop() == 0);
    const std::string path = warmfront.state_dir() + "/history.sqlite";
    write_file(path, std::string(50'000, 'x'));
    std::filesystem::remove(path + "-wal");  // or SQLite mends the file from it
    std::filesystem::remove(path + "-shm");
    warmfront.start();
    {
        auto client = must(RawClient::connect({.port = warmfront.port()}));
        ask_often(client, "SELECT v FROM orders WHERE id = 1", 5);
    }
    REQUIRE(warmfront.stop() == 0);
    CHECK(warmfront.log_tail().find("a damaged history was set aside") != std::string::npos);
    CHECK(requests_in(warmfront) == 5);
}

TEST_CASE("history: it can be taken to another place, and a line that is wrong is named") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, kSecondBuckets), other(server);
    {
        auto client = must(RawClient::connect({.port = warmfront.port()}));
        ask_often(client, "SELECT v FROM orders WHERE id = 1", 5);
    }
    REQUIRE(warmfront.stop() == 0);
    REQUIRE(other.stop() == 0);
    const TemporaryDirectory directory("exported");
    const std::string file = directory.path() + "/history.csv";
    (void)command(warmfront, {"export", "--format", "csv", "--output", file});
    std::filesystem::remove(other.state_dir() + "/history.sqlite");
    (void)command(other, {"import", "--input", file});
    CHECK(command(other, {"export"}) == read_file(file));

    write_file(file, read_file(file) + "load,1\n");
    const auto failed = run({.command = {WARMFRONT_BINARY_PATH, "history", "import", "--input", file,
                                         "--state-dir", other.state_dir()}},
                            60s);
    CHECK(failed.status == 1);
    CHECK(failed.output.find("2 fields instead of 17") != std::string::npos);
    CHECK(failed.output.find("line ") != std::string::npos);
}

TEST_CASE("history: switched off, nothing is recorded") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    WarmfrontProcess warmfront(server, {.settings = "forecast: {enabled: false}\n"});
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    ask_often(client, "SELECT v FROM orders WHERE id = 1", 5);
    REQUIRE(warmfront.stop() == 0);
    CHECK_FALSE(std::filesystem::exists(warmfront.state_dir() + "/history.sqlite"));
}
