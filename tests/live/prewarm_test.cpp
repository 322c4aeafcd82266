// Answers that are fetched before anybody asks for them, told by PREWARM what to fetch: whoever asks first
// finds them, they are what PostgreSQL would have said byte by byte, and no write hides behind them.
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTables =
    "CREATE TABLE item (id int PRIMARY KEY, name text, price numeric(10,2), at timestamptz, born date,"
    " raw bytea, ok boolean, tags text[]);"
    "INSERT INTO item SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'it''s \\ ' || i END, i * 1.5,"
    " '2026-01-01 12:00:00+00'::timestamptz + i * interval '1 hour', '2026-03-01', '\\xdead', i % 2 = 0,"
    " ARRAY['a', NULL] FROM generate_series(1, 50) AS i;"
    "CREATE TABLE secret (id int); INSERT INTO secret VALUES (1);"
    "CREATE ROLE alice LOGIN; GRANT SELECT ON item TO alice";

bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[static_cast<unsigned char>(c) >> 4];
        text += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

std::string json_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\"";
}

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string settings_json(const Settings& settings) {
    std::string json;
    for (const auto& [name, value] : settings)
        json += (json.empty() ? "" : ", ") + json_text(name) + ": " + json_text(value);
    return "{" + json + "}";
}

// One read, as its client sends it and as PREWARM is told of it.
struct Asked {
    std::string name;
    std::string sql;
    bool extended = false;
    std::vector<std::uint32_t> types = {};
    std::vector<std::uint16_t> formats = {};
    std::vector<std::optional<std::string_view>> values = {};
    std::vector<std::uint16_t> result_formats = {};
    std::uint32_t row_limit = 0;
    std::string user = "postgres";
    Settings startup = {};   // of the client
    Settings settings = {};  // the same, as a session's settings

    [[nodiscard]] std::string bind() const {
        std::string bytes;
        wire::append_bind(bytes, "", "", formats, values, result_formats);
        return bytes;
    }
    [[nodiscard]] std::string request() const {
        std::string bytes;
        if (!extended) {
            wire::append_query(bytes, sql);
            return bytes;
        }
        wire::append_parse(bytes, "", sql, types);
        bytes += bind();
        wire::append_describe(bytes, 'P', "");
        wire::append_execute(bytes, "", row_limit);
        wire::append_sync(bytes);
        return bytes;
    }
    [[nodiscard]] std::string replay() const {
        Settings all = settings;
        if (user != "postgres") {
            all.emplace_back("session_user", user);
            all.emplace_back("current_user", user);
        }
        std::string json = R"({"v": 1, "database": "postgres", "statement": )" + json_text(sql) +
                           R"(, "settings": )" + settings_json(all);
        if (!extended) return json + "}";
        std::string type_bytes;
        for (const std::uint32_t type : types)
            for (int shift = 24; shift >= 0; shift -= 8)
                type_bytes += static_cast<char>(type >> shift & 0xff);
        json += R"(, "kind": "extended", "types": ")" + hex(type_bytes) + R"(", "bind": ")" +
                hex(bind().substr(7)) + "\"";
        if (row_limit != 0) json += R"(, "row_limit": )" + std::to_string(row_limit);
        return json + "}";
    }
    [[nodiscard]] RawClient client(std::uint16_t port) const {
        return must(RawClient::connect({.port = port, .user = user, .parameters = startup}));
    }
    // As the first request of a client of its own.
    [[nodiscard]] Messages answer(std::uint16_t port) const {
        auto asking = client(port);
        must(asking.send(request()));
        return must(asking.receive_until_ready());
    }
};

double stored(const WarmfrontProcess& warmfront, std::string_view reason = {}) {
    const std::string label = reason.empty() ? "" : "reason=\"" + std::string(reason) + "\"";
    return warmfront.metrics().sum("warmfront_prewarm_stored_total", label);
}

double came_to(const WarmfrontProcess& warmfront, std::string_view outcome) {
    return warmfront.metrics().sum("warmfront_prewarm_fetches_total",
                                   "outcome=\"" + std::string(outcome) + "\"");
}

RawClient console_of(const WarmfrontProcess& warmfront) {
    return must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
}

void prewarm(RawClient& console, const Asked& asked) {
    const auto answer = must(console.query("PREWARM " + asked.replay()));
    REQUIRE_MESSAGE(sqlstate_of(answer).empty(), show(answer));
}

// Until a fetch came to that once more than before.
[[nodiscard]] bool prewarmed(const WarmfrontProcess& warmfront, const Asked& asked,
                             std::string_view outcome = "stored") {
    auto console = console_of(warmfront);
    const double before = came_to(warmfront, outcome);
    prewarm(console, asked);
    return eventually([&] { return came_to(warmfront, outcome) > before; });
}

const std::string kWhole = "SELECT * FROM item WHERE id <= 20 ORDER BY id";
const std::string kByPrice = "SELECT id, name, at, price FROM item WHERE id = $1 AND price > $2";

std::vector<Asked> kinds_of_reads() {
    const std::vector<std::uint16_t> binary{1}, mixed{0, 1, 1, 0};
    static const std::string seven("\0\0\0\7", 4);
    return {
        {.name = "simple", .sql = kWhole},
        {.name = "simple, literals of all sorts",
         .sql = "SELECT id, 'it''s \"q\"' AS t, 1.5e3, $$d$$, -7, B'01' FROM item "
                " WHERE name <> 'it''s' /* who */ AND id < 10 ORDER BY id"},
        {.name = "extended, text", .sql = kByPrice, .extended = true, .values = {"7", "1.5"}},
        {.name = "extended, types given",
         .sql = kByPrice,
         .extended = true,
         .types = {23, 1700},
         .values = {"7", "1.5"}},
        {.name = "extended, binary both ways",
         .sql = "SELECT * FROM item WHERE id = $1",
         .extended = true,
         .types = {23},
         .formats = {1},
         .values = {seven},
         .result_formats = binary},
        {.name = "extended, formats column by column",
         .sql = kByPrice,
         .extended = true,
         .values = {"8", "1"},
         .result_formats = mixed},
        {.name = "extended, a row limit", .sql = kWhole + " -- some", .extended = true, .row_limit = 3},
        {.name = "extended, NULL",
         .sql = "SELECT id FROM item WHERE name IS NOT DISTINCT FROM $1::text ORDER BY id",
         .extended = true,
         .values = {std::nullopt}},
        {.name = "no rows", .sql = "SELECT * FROM item WHERE id = -1"},
        {.name = "another role", .sql = kWhole, .user = "alice"},
        {.name = "another role's own name",
         .sql = "SELECT session_user, current_user, id FROM item WHERE id = 1",
         .user = "alice"},
        {.name = "another time zone",
         .sql = kWhole,
         .startup = {{"TimeZone", "Asia/Tokyo"}},
         .settings = {{"TimeZone", "Asia/Tokyo"}}},
        {.name = "another role in many other settings",
         .sql = kWhole,
         .user = "alice",
         .startup = {{"DateStyle", "German, DMY"},
                     {"bytea_output", "escape"},
                     {"extra_float_digits", "3"},
                     {"client_encoding", "LATIN1"},
                     {"search_path", "public, \"Odd, name\""}},
         .settings = {{"DateStyle", "German, DMY"},
                      {"bytea_output", "escape"},
                      {"extra_float_digits", "3"},
                      {"client_encoding", "LATIN1"},
                      {"search_path", "public, \"Odd, name\""}}},
    };
}

}  // namespace

TEST_CASE("prewarm: the first request finds what was fetched, and it is PostgreSQL's answer byte by byte") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(
        server, {.settings = "cache: {ttl: 1h}\nprewarm: {roles: all, rate: 1000}\ncatalog.refresh: 1h\n"});
    for (const Asked& asked : kinds_of_reads()) {
        CAPTURE(asked.name);
        const bool stored_it = prewarmed(warmfront, asked);
        auto console = console_of(warmfront);
        CAPTURE(rows(console, "SHOW HOT"));
        REQUIRE(stored_it);
        const auto before = warmfront.metrics();
        const Messages answer = asked.answer(warmfront.port());
        const auto after = warmfront.metrics();
        CHECK(after.sum(kHitsMetric) == before.sum(kHitsMetric) + 1);
        CHECK(after.sum("warmfront_misses_total") == before.sum("warmfront_misses_total"));
        CHECK(show(answer) == show(asked.answer(server.port())));
        CHECK(answer == asked.answer(server.port()));
    }
}

TEST_CASE("prewarm: over TLS, after a password, and with an answer of many packets") {
    if (direct_mode()) return;
    PostgresServer server(
        {.ssl = true, .hba = {"hostssl all warm all scram-sha-256", "host all warm all reject"}});
    server.sql(kTables);
    server.sql("CREATE ROLE warm LOGIN PASSWORD 'secret'; GRANT SELECT ON item TO warm");
    std::string upstream = server.conninfo();
    upstream.replace(upstream.find("user=postgres"), 13, "user=warm password=secret");
    upstream.replace(upstream.find("sslmode=disable"), 15, "sslmode=require");
    const WarmfrontProcess warmfront(
        server, {.settings = "cache: {ttl: 1h}\nprewarm.roles: all\n", .upstream = upstream});
    // As warmfront's own account, which the clients of this test are not: the fetch is what is looked at.
    for (const Asked& asked :
         {Asked{.name = "", .sql = kWhole},
          Asked{.name = "", .sql = "SELECT repeat('x', 1000), id FROM item, generate_series(1, 10)"}}) {
        CAPTURE(asked.sql);
        CHECK(prewarmed(warmfront, asked));
    }
    CHECK(warmfront.metrics().sum("warmfront_cache_bytes") > 500'000);
}

TEST_CASE("prewarm: a statement prepared before is served too") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\nprewarm.roles: all\n"});
    const Asked asked{.name = "", .sql = kByPrice, .extended = true, .values = {"7", "1.5"}};
    const Asked other{.name = "", .sql = kByPrice, .extended = true, .values = {"8", "1.5"}};
    auto client = asked.client(warmfront.port());
    const auto run = [&](const Asked& each) {
        std::string bytes;
        wire::append_bind(bytes, "", "named", {}, each.values, {});
        wire::append_execute(bytes, "", 0);
        wire::append_sync(bytes);
        must(client.send(bytes));
        return rows_of(must(client.receive_until_ready()));
    };
    std::string parse;
    wire::append_parse(parse, "named", kByPrice, {});
    wire::append_sync(parse);
    must(client.send(parse));
    (void)must(client.receive_until_ready());
    const std::string first = run(other);  // PostgreSQL runs it once
    REQUIRE(prewarmed(warmfront, asked));
    const double hits = warmfront.metrics().sum(kHitsMetric);
    CHECK(run(asked) != first);
    CHECK(warmfront.metrics().sum(kHitsMetric) == hits + 1);
}

TEST_CASE("prewarm: no read is older than what was acknowledged, with fetches in between all the time") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(
        "CREATE TABLE counter (id int PRIMARY KEY, v int NOT NULL); INSERT INTO counter VALUES (1, 0)");
    const WarmfrontProcess warmfront(server,
                                     {.settings = "prewarm: {roles: all, rate: 100000, concurrency: 4}\n"});
    const Asked asked{.name = "", .sql = "SELECT v FROM counter WHERE id = 1"};
    std::atomic<bool> over{false};
    std::thread fetching([&] {
        auto console = console_of(warmfront);
        while (!over) (void)console.query("PREWARM " + asked.replay());
    });
    auto writer = asked.client(warmfront.port()), reader = asked.client(warmfront.port());
    const int writes = long_form() ? 50'000 : 3'000;
    int stale = 0;
    for (int i = 1; i <= writes; ++i) {
        (void)must(writer.query("UPDATE counter SET v = " + std::to_string(i) + " WHERE id = 1"));
        for (int again = 0; again < 2; ++again)
            if (rows(reader, asked.sql) != std::to_string(i) + "\n") ++stale;
    }
    over = true;
    fetching.join();
    CHECK(stale == 0);
    CHECK(stored(warmfront) > 0);
}

TEST_CASE("prewarm: what a write voids is fetched anew, and what is about to expire as well") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    const Asked asked{.name = "", .sql = "SELECT name FROM item WHERE id = 5"};
    SUBCASE("a write") {
        const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\nprewarm.roles: all\n"});
        REQUIRE(prewarmed(warmfront, asked));
        auto console = console_of(warmfront);
        const auto watched = [&] { return rows(console, "SHOW HOT").find("|there|") != std::string::npos; };
        REQUIRE(eventually(watched));
        auto client = asked.client(warmfront.port());
        (void)must(client.query("UPDATE item SET name = 'new' WHERE id = 5"));
        REQUIRE(eventually([&] { return stored(warmfront, "write") >= 1; }));
        const double hits = warmfront.metrics().sum(kHitsMetric);
        CHECK(rows(client, asked.sql) == "new\n");
        CHECK(warmfront.metrics().sum(kHitsMetric) == hits + 1);
    }
    SUBCASE("the end of its ttl") {
        const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1s}\nprewarm.roles: all\n"});
        REQUIRE(prewarmed(warmfront, asked));
        CHECK(eventually([&] { return stored(warmfront, "expiry") >= 2; }));
    }
}

TEST_CASE("prewarm: rights stay what they are") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    server.sql(
        "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';"
        "CREATE ROLE warm LOGIN; CREATE ROLE bob LOGIN; GRANT SELECT ON item TO bob; GRANT alice TO warm");
    const Asked hidden{.name = "", .sql = "SELECT id FROM secret", .user = "alice"};
    const Asked open{.name = "", .sql = "SELECT id FROM item WHERE id = 3", .user = "alice"};
    const Asked of_bob{.name = "", .sql = "SELECT id FROM item WHERE id = 3", .user = "bob"};
    const Asked calls{.name = "", .sql = "SELECT twice(id) FROM item WHERE id = 3", .user = "alice"};
    const Asked who{.name = "", .sql = "SELECT current_user, id FROM item WHERE id = 3", .user = "alice"};
    SUBCASE("nobody is fetched for by command unless it was told so") {
        const WarmfrontProcess warmfront(server);
        auto console = console_of(warmfront);
        CHECK(sqlstate_of(must(console.query("PREWARM " + open.replay()))) == "42501");
    }
    SUBCASE("as everybody") {
        const WarmfrontProcess warmfront(server, {.settings = "prewarm.roles: all\n"});
        CHECK(prewarmed(warmfront, hidden, "failed"));
        CHECK(sqlstate_of(hidden.answer(warmfront.port())) == "42501");
        CHECK(prewarmed(warmfront, calls, "refused"));
        REQUIRE(prewarmed(warmfront, open));
        auto owner = Asked{}.client(warmfront.port());
        (void)must(owner.query("REVOKE SELECT ON item FROM alice"));
        CHECK(sqlstate_of(open.answer(warmfront.port())) == "42501");
    }
    SUBCASE("as roles that were granted") {
        std::string upstream = server.conninfo();
        upstream.replace(upstream.find("user=postgres"), 13, "user=warm");
        const WarmfrontProcess warmfront(
            server, {.settings = "cache: {ttl: 1h}\nprewarm.roles: all\n", .upstream = upstream});
        REQUIRE(prewarmed(warmfront, open));
        const double hits = warmfront.metrics().sum(kHitsMetric);
        CHECK(rows_of(open.answer(warmfront.port())) == "3\n");
        CHECK(warmfront.metrics().sum(kHitsMetric) == hits + 1);
        CHECK(prewarmed(warmfront, of_bob, "refused"));
        CHECK(prewarmed(warmfront, who, "refused"));
        CHECK(prewarmed(warmfront, calls, "refused"));
    }
}

TEST_CASE("prewarm: what was fetched for nothing is counted, statement by statement") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\nprewarm.roles: all\n"});
    const auto of = [](int id) {
        return Asked{.name = "", .sql = "SELECT price FROM item WHERE id = " + std::to_string(id)};
    };
    for (int id = 1; id <= 3; ++id) REQUIRE(prewarmed(warmfront, of(id)));
    CHECK(rows_of(of(1).answer(warmfront.port())) == "1.50\n");
    CHECK(rows_of(of(1).answer(warmfront.port())) == "1.50\n");
    auto console = console_of(warmfront);
    (void)must(console.query("FLUSH"));
    const auto metrics = warmfront.metrics();
    CHECK(metrics.sum("warmfront_prewarm_used_total") == 1);
    CHECK(metrics.sum("warmfront_prewarm_unused_total") >= 2);
    CHECK(metrics.sum("warmfront_prewarm_spent_seconds_total") > 0);
    CHECK(metrics.sum("warmfront_prewarm_saved_seconds_total") > 0);
    CHECK(rows(console, "SHOW PREWARM").find("SELECT price FROM item WHERE id = ?") != std::string::npos);
    REQUIRE(eventually([&] {
        return rows(console, "SHOW HOT").find("SELECT price FROM item WHERE id = ?") != std::string::npos;
    }));
}
