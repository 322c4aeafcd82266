// Traps that need messages in a certain order or at a certain time: portals that stop half way, names that
// are used again, answers that a write overtakes, writes that wait, batches without an end.
//
// Each compares with PostgreSQL asked directly at the same moment.
#include <bit>

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/activity.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;

namespace {

constexpr std::string_view kTable =
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, "
    "5) g";
constexpr std::string_view kRead = "SELECT v FROM t WHERE id = 1";
// Some hundred milliseconds in PostgreSQL, all of them after its snapshot was taken.
constexpr std::string_view kSlowRead =
    "SELECT v, (SELECT count(*) FROM generate_series(1, 2000000)) FROM t WHERE id = 1";

// PostgreSQL with the table, warmfront in front of it, and sessions by both ways.
struct Scene {
    PostgresServer server;
    WarmfrontProcess warmfront;
    explicit Scene(std::string_view sql = "") : warmfront(prepared(sql)) {}
    [[nodiscard]] RawClient through() const { return must(RawClient::connect({.port = warmfront.port()})); }
    [[nodiscard]] RawClient direct() const { return must(RawClient::connect({.port = server.port()})); }
    [[nodiscard]] double hits() const { return direct_mode() ? 0 : warmfront.metrics().sum(kHitsMetric); }

private:
    const PostgresServer& prepared(std::string_view sql) {
        server.sql(kTable);
        if (!sql.empty()) server.sql(sql);
        return server;
    }
};

void warm(const Scene& scene, RawClient& client, std::string_view sql) {
    for (int i = 0; i < 3; ++i) rows(client, sql);
    if (direct_mode()) return;
    const auto before = scene.hits();
    rows(client, sql);
    REQUIRE(scene.hits() == before + 1);
}

void add_bind(std::string& bytes, std::string_view portal, std::string_view statement,
              std::span<const std::optional<std::string_view>> values = {}) {
    wire::append_bind(bytes, portal, statement, {}, values, {});
}

Messages converse(RawClient& client, const std::string& bytes, unsigned ready = 1) {
    must(client.send(bytes));
    return must(client.receive_until_ready(ready));
}

// An Execute of everything, of the unnamed portal of a named statement.
Messages run(RawClient& client, std::string_view statement) {
    std::string bytes;
    add_bind(bytes, "", statement);
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    return converse(client, bytes);
}

void prepare(RawClient& client, std::string_view name, std::string_view sql) {
    std::string bytes;
    wire::append_parse(bytes, name, sql, {});
    wire::append_sync(bytes);
    REQUIRE(sqlstate_of(converse(client, bytes)) == "");
}

}  // namespace

TEST_CASE("trap orders: an Execute with a row limit is no whole answer") {
    const Scene scene;
    auto client = scene.through();
    auto twin = scene.direct();
    const std::string_view sql = "SELECT v FROM t ORDER BY id";
    for (auto* session : {&client, &twin}) prepare(*session, "s", sql);
    const auto limited = [](std::uint32_t first, std::uint32_t second) {
        std::string bytes;
        add_bind(bytes, "p", "s");
        wire::append_execute(bytes, "p", first);
        wire::append_execute(bytes, "p", second);
        wire::append_sync(bytes);
        return bytes;
    };
    const auto same = [&](const std::string& bytes) {
        CHECK(converse(client, bytes) == converse(twin, bytes));
    };
    std::string one;
    add_bind(one, "", "s");
    wire::append_execute(one, "", 1);
    wire::append_sync(one);
    for (int round = 0; round < 4; ++round) {
        CAPTURE(round);
        same(one);
        CHECK(run(client, "s") == run(twin, "s"));  // may be kept: the next limit must not be
        same(limited(2, 0));
        CHECK(run(client, "s") == run(twin, "s"));
        same(limited(2, 1));
        same(limited(0, 1));
        same(limited(5, 5));
        CHECK(must(client.query(sql)) == must(twin.query(sql)));
        if (round == 1) rows(client, "UPDATE t SET v = 'new' WHERE id = 2");
        if (round == 2) rows(client, "DELETE FROM t WHERE id = 1");
    }
}

TEST_CASE("trap orders: a portal that stops half way outlives a write in its block") {
    const Scene scene;
    auto client = scene.through();
    auto twin = scene.direct();
    auto writer = scene.through();
    warm(scene, client, "SELECT v FROM t ORDER BY id");
    for (auto* session : {&client, &twin}) {
        rows(*session, "BEGIN");
        prepare(*session, "s", "SELECT v FROM t ORDER BY id");
    }
    const auto step = [&](auto add) {
        std::string bytes;
        add(bytes);
        wire::append_sync(bytes);
        CHECK(converse(client, bytes) == converse(twin, bytes));
    };
    step([](std::string& bytes) {
        add_bind(bytes, "p", "s");
        wire::append_execute(bytes, "p", 2);
    });
    rows(writer, "UPDATE t SET v = 'new'");
    step([](std::string& bytes) { wire::append_execute(bytes, "p", 2); });
    CHECK(rows(client, "SELECT v FROM t ORDER BY id") == rows(twin, "SELECT v FROM t ORDER BY id"));
    step([](std::string& bytes) { wire::append_execute(bytes, "p", 0); });
    for (auto* session : {&client, &twin}) rows(*session, "COMMIT");
    CHECK(rows(client, "SELECT v FROM t ORDER BY id") == rows(twin, "SELECT v FROM t ORDER BY id"));
}

TEST_CASE("trap orders: a name is prepared anew, and another session's name is another statement") {
    const Scene scene;
    auto one = scene.through();
    auto two = scene.through();
    prepare(one, "s", "SELECT v FROM t WHERE id = 1");
    prepare(two, "s", "SELECT v FROM t WHERE id = 2");
    for (int i = 0; i < 3; ++i) {
        CHECK(rows_of(run(one, "s")) == "v1\n");
        CHECK(rows_of(run(two, "s")) == "v2\n");
    }
    rows(one, "DEALLOCATE s");
    CHECK(sqlstate_of(run(one, "s")) == "26000");
    prepare(one, "s", "UPDATE t SET v = v || '+' WHERE id = 2");
    CHECK(sqlstate_of(run(one, "s")) == "");
    CHECK(rows_of(run(two, "s")) == "v2+\n");
    CHECK(sqlstate_of(run(one, "s")) == "");  // Bind without Parse, of a write
    CHECK(rows_of(run(two, "s")) == "v2++\n");
    std::string bytes;
    wire::append_close(bytes, 'S', "s");
    wire::append_parse(bytes, "s", "DELETE FROM t WHERE id = 2", {});
    add_bind(bytes, "", "s");
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    CHECK(sqlstate_of(converse(one, bytes)) == "");
    CHECK(rows_of(run(two, "s")) == "");
    // The unnamed statement is replaced by each Parse, and by each simple query.
    prepare(two, "", "SELECT v FROM t WHERE id = 3");
    CHECK(rows_of(run(two, "")) == "v3\n");
    prepare(two, "", "UPDATE t SET v = 'unnamed' WHERE id = 1");
    rows(one, kRead);
    CHECK(sqlstate_of(run(two, "")) == "");
    CHECK(rows(one, kRead) == "unnamed\n");
    rows(two, "SELECT 1");
    CHECK(sqlstate_of(run(two, "")) == "26000");
}

TEST_CASE("trap orders: a portal that is bound before a write and run after it") {
    const Scene scene;
    auto client = scene.through();
    auto twin = scene.direct();
    auto writer = scene.through();
    warm(scene, client, kRead);
    for (const bool inside :
         {false, true}) {  // another writes between Bind and Execute, or the session itself does
        CAPTURE(inside);
        std::string first, second;
        wire::append_parse(first, "", kRead, {});
        add_bind(first, "p", "");
        wire::append_sync(first);
        wire::append_execute(second, "p", 0);
        wire::append_sync(second);
        for (auto* session : {&client, &twin}) {
            rows(*session, "BEGIN");
            (void)converse(*session, first);
        }
        rows(inside ? client : writer, "UPDATE t SET v = v || '!' WHERE id = 1");
        CHECK(converse(client, second) == converse(twin, second));  // its snapshot is that of the Bind
        for (auto* session : {&client, &twin}) rows(*session, "COMMIT");
        CHECK(rows(client, kRead) == rows(twin, kRead));
    }
}

TEST_CASE("trap orders: an answer that a write overtakes is not kept") {
    const Scene scene;
    auto slow = scene.through();
    auto writer = scene.through();
    auto reader = scene.through();
    std::string question;
    wire::append_query(question, kSlowRead);
    int overtaken = 0;
    for (int round = 0; round < 4; ++round) {
        CAPTURE(round);
        const std::string value = "overtaken " + std::to_string(round);
        const bool block = round % 2 == 1;
        rows(writer, "UPDATE t SET v = 'before' WHERE id = 1");  // or the slow read is a hit
        const std::string write = "UPDATE t SET v = '" + value + "' WHERE id = 1";
        if (block) rows(writer, "BEGIN; " + write);
        must(slow.send(question));
        wait_until_active(scene.server, "SELECT v, (SELECT count%");
        rows(writer, block ? "COMMIT" : write);
        const bool still = scene.server.value(
                               "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND "
                               "query LIKE 'SELECT v, (SELECT count%'") == "1";
        overtaken += still ? 1 : 0;
        const auto second = rows(reader, kSlowRead);  // must not wait for the first and take its answer
        (void)must(slow.receive_until_ready());
        CHECK(second == value + "|2000000\n");
        CHECK(rows(reader, kSlowRead) == value + "|2000000\n");
        CHECK(rows(slow, kRead) == value + "\n");
    }
    CHECK(overtaken > 0);
}

TEST_CASE("trap orders: a write that waits for a lock takes effect long after it was sent") {
    const Scene scene;
    auto holder = scene.direct();
    auto writer = scene.through();
    auto reader = scene.through();
    for (const bool extended : {false, true}) {
        CAPTURE(extended);
        warm(scene, reader, kRead);
        rows(holder, "BEGIN; SELECT FROM t WHERE id = 1 FOR UPDATE");
        const std::string value = extended ? "extended" : "simple";
        const std::string write = "UPDATE t SET v = '" + value + "' WHERE id = 1";
        std::string bytes;
        if (extended) {
            wire::append_parse(bytes, "", write, {});
            add_bind(bytes, "", "");
            wire::append_execute(bytes, "", 0);
            wire::append_sync(bytes);
        } else {
            wire::append_query(bytes, write);
        }
        must(writer.send(bytes));
        wait_until_active(scene.server, "UPDATE t SET v%");
        const auto old = rows(holder, kRead);
        for (int i = 0; i < 5; ++i) CHECK(rows(reader, kRead) == old);  // fills now would be stale soon
        rows(holder, "COMMIT");
        CHECK(sqlstate_of(must(writer.receive_until_ready())) == "");
        CHECK(rows(reader, kRead) == value + "\n");
        CHECK(rows(reader, kRead) == value + "\n");
    }
}

TEST_CASE("trap orders: a write whose client has gone takes effect all the same") {
    const Scene scene;
    auto holder = scene.direct();
    auto reader = scene.through();
    warm(scene, reader, kRead);
    rows(holder, "BEGIN; SELECT FROM t WHERE id = 1 FOR UPDATE");
    {
        auto writer = scene.through();
        std::string bytes;
        wire::append_query(bytes, "UPDATE t SET v = 'orphan' WHERE id = 1");
        must(writer.send(bytes));
        wait_until_active(scene.server, "UPDATE t SET v%");
        writer.socket().reset();
    }
    CHECK(rows(reader, kRead) == "v1\n");
    CHECK(rows(reader, kRead) == "v1\n");
    rows(holder, "COMMIT");
    // Whenever PostgreSQL shows it, so does warmfront.
    for (int i = 0; i < 200; ++i) {
        const auto now = rows(holder, kRead);
        const auto seen = rows(reader, kRead);
        if (now == "orphan\n") REQUIRE(seen == "orphan\n");
    }
    CHECK(rows(reader, kRead) == rows(holder, kRead));
}

TEST_CASE("trap orders: a batch without Sync has written nothing yet") {
    const Scene scene;
    auto writer = scene.through();
    auto reader = scene.through();
    auto twin = scene.direct();
    warm(scene, reader, kRead);
    for (const bool fails : {false, true}) {
        CAPTURE(fails);
        std::string bytes;
        wire::append_parse(
            bytes, "",
            fails ? "UPDATE t SET v = 'lost' WHERE id = 1" : "UPDATE t SET v = 'flushed' WHERE id = 1", {});
        add_bind(bytes, "", "");
        wire::append_execute(bytes, "", 0);
        wire::append_flush(bytes);
        must(writer.send(bytes));
        while (must(writer.receive()).type != 'C') {
        }
        for (int i = 0; i < 3; ++i) CHECK(rows(reader, kRead) == rows(twin, kRead));
        bytes.clear();
        if (fails) {
            wire::append_parse(bytes, "", "SELECT 1/0", {});
            add_bind(bytes, "", "");
            wire::append_execute(bytes, "", 0);
        }
        wire::append_sync(bytes);
        (void)converse(writer, bytes);
        for (int i = 0; i < 3; ++i) CHECK(rows(reader, kRead) == rows(twin, kRead));
        CHECK(rows(reader, kRead) == "flushed\n");
    }
}

TEST_CASE("trap orders: a write with RETURNING and a row limit writes all its rows") {
    const Scene scene;
    auto writer = scene.through();
    auto reader = scene.through();
    auto twin = scene.direct();
    const std::string_view sum = "SELECT count(*) FROM t WHERE v = 'r'";
    warm(scene, reader, sum);
    std::string bytes;
    wire::append_parse(bytes, "", "UPDATE t SET v = 'r' RETURNING id", {});
    add_bind(bytes, "", "");
    wire::append_execute(bytes, "", 1);
    wire::append_sync(bytes);
    (void)converse(writer, bytes);
    CHECK(rows(reader, sum) == rows(twin, sum));
    CHECK(rows(reader, sum) == "5\n");
}

TEST_CASE("trap orders: reads and writes in one batch, with statements prepared before it") {
    const Scene scene;
    auto client = scene.through();
    auto twin = scene.direct();
    prepare(client, "read", "SELECT v FROM t WHERE id = $1");
    prepare(client, "write", "UPDATE t SET v = $2 WHERE id = $1");
    for (int round = 0; round < 5; ++round) {
        for (const bool syncs : {true, false}) {
            CAPTURE(round);
            CAPTURE(syncs);
            std::string bytes;
            std::string expected;
            const std::string value = std::to_string(round) + (syncs ? "s" : "");
            const std::optional<std::string_view> one[] = {"1"}, two[] = {"2"}, change[] = {"1", value};
            const auto add = [&](std::string_view statement,
                                 std::span<const std::optional<std::string_view>> values) {
                add_bind(bytes, "", statement, values);
                wire::append_execute(bytes, "", 0);
                if (syncs) wire::append_sync(bytes);
            };
            expected = rows(twin, kRead) + "v2\n" + value + "\nv2\n" + value + "\n";
            add("read", one);
            add("read", two);
            add("write", change);
            add("read", one);
            add("read", two);
            add("read", one);
            if (!syncs) wire::append_sync(bytes);
            CHECK(rows_of(converse(client, bytes, syncs ? 6 : 1)) == expected);
            CHECK(rows(client, kRead) == value + "\n");
        }
    }
}

TEST_CASE("trap orders: the function call protocol writes") {
    const Scene scene(
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$UPDATE t SET v = 'called' WHERE id = $1 "
        "RETURNING id$$");
    auto writer = scene.through();
    auto reader = scene.through();
    warm(scene, reader, kRead);
    const auto number = [](std::string& body, std::uint32_t value) {
        value = htonl(value);
        body.append(reinterpret_cast<const char*>(&value), 4);
    };
    using namespace std::string_literals;
    std::string body;
    number(body, static_cast<std::uint32_t>(std::stoul(scene.server.value("SELECT 'f'::regproc::oid"))));
    body += "\0\1\0\1\0\1"s;  // one format, binary; one argument
    number(body, 4);
    number(body, 1);
    body += "\0\1"s;
    std::string bytes = "F";
    number(bytes, static_cast<std::uint32_t>(body.size() + 4));
    CHECK(sqlstate_of(converse(writer, bytes + body)) == "");
    CHECK(rows(reader, kRead) == "called\n");
}

TEST_CASE("trap orders: a COPY that ends in CopyFail, and what is read while it lasts") {
    const Scene scene;
    auto writer = scene.through();
    auto reader = scene.through();
    const std::string_view sum = "SELECT count(*) FROM t";
    for (const bool fails : {true, false}) {
        CAPTURE(fails);
        warm(scene, reader, sum);
        std::string bytes;
        wire::append_query(bytes, "COPY t FROM STDIN");
        must(writer.send(bytes));
        while (must(writer.receive()).type != 'G') {
        }
        bytes.clear();
        wire::append_copy_data(bytes, "100\tcopied\n");
        must(writer.send(bytes));
        for (int i = 0; i < 3; ++i) CHECK(rows(reader, sum) == "5\n");
        bytes.clear();
        fails ? wire::append_copy_fail(bytes, "no") : wire::append_copy_done(bytes);
        (void)converse(writer, bytes);
        for (int i = 0; i < 3; ++i) CHECK(rows(reader, sum) == (fails ? "5\n" : "6\n"));
    }
}

TEST_CASE("trap orders: what a failed block has read is not what others read") {
    const Scene scene;
    auto client = scene.through();
    auto reader = scene.through();
    rows(client, "BEGIN; UPDATE t SET v = 'never' WHERE id = 1");
    for (int i = 0; i < 3; ++i) CHECK(rows(client, kRead) == "never\n");  // its own write: not for others
    for (int i = 0; i < 3; ++i) CHECK(rows(reader, kRead) == "v1\n");
    CHECK(sqlstate_of(must(client.query("SELECT 1/0"))) == "22012");
    CHECK(sqlstate_of(must(client.query(kRead))) == "25P02");
    rows(client, "ROLLBACK");
    for (int i = 0; i < 3; ++i) CHECK(rows(client, kRead) == "v1\n");
    for (int i = 0; i < 3; ++i) CHECK(rows(reader, kRead) == "v1\n");
}

TEST_CASE("trap orders: two databases with tables of the same name") {
    const Scene scene;
    scene.server.sql("CREATE DATABASE other");
    scene.server.sql(kTable, "other");
    scene.server.sql("UPDATE t SET v = 'other'", "other");
    auto one = scene.through();
    auto two = must(RawClient::connect({.port = scene.warmfront.port(), .database = "other"}));
    for (int i = 0; i < 4; ++i) {
        CHECK(rows(one, kRead) == "v1\n");
        CHECK(rows(two, kRead) == "other\n");
    }
    rows(two, "UPDATE t SET v = 'changed' WHERE id = 1");
    CHECK(rows(one, kRead) == "v1\n");
    CHECK(rows(two, kRead) == "changed\n");
}

namespace {

std::string network_order(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = bytes; i > 0; --i) text += static_cast<char>(value >> (8 * (i - 1)));
    return text;
}

struct Typed {
    std::uint32_t type;  // OID, as declared in Parse; 0: left to PostgreSQL
    std::uint16_t format;
    std::string value;
};

Messages typed(RawClient& client, std::string_view sql, const std::vector<Typed>& parameters) {
    std::vector<std::uint32_t> types;
    std::vector<std::uint16_t> formats;
    std::vector<std::optional<std::string_view>> values;
    for (const auto& [type, format, value] : parameters) {
        types.push_back(type);
        formats.push_back(format);
        values.emplace_back(value);
    }
    std::string bytes;
    wire::append_parse(bytes, "", sql, types);
    wire::append_bind(bytes, "", "", formats, values, {});
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    return converse(client, bytes);
}

constexpr std::uint32_t kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kFloat8 = 701, kNumeric = 1700,
                        kUuid = 2950;

}  // namespace

TEST_CASE("trap orders: parameters of every width and format name the same row") {
    const Scene scene(
        "CREATE TABLE n (i int PRIMARY KEY, b bigint, u uuid, c char(4), v text); INSERT INTO n SELECT g, g, "
        "('a0eebc99-9c0b-4ef8-bb6d-00000000000' || g)::uuid, 'c' || g, 'first' FROM generate_series(1, 2) g");
    auto reader = scene.through();
    auto writer = scene.through();
    auto twin = scene.direct();
    const std::string uuid = "a0eebc99-9c0b-4ef8-bb6d-000000000001";
    const std::string uuid_binary =
        std::string("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d", 10) + network_order(1, 6);
    struct Row {
        std::string_view column;
        Typed value;
    };
    const std::vector<Row> rows_of_n = {
        {"i", {0, 0, "1"}},
        {"i", {0, 0, " 1 "}},
        {"i", {0, 0, "+01"}},
        {"i", {0, 1, network_order(1, 4)}},
        {"i", {kInt2, 1, network_order(1, 2)}},
        {"i", {kInt8, 1, network_order(1, 8)}},
        {"i", {kInt8, 0, "1"}},
        {"i", {kFloat8, 1, network_order(std::bit_cast<std::uint64_t>(1.0), 8)}},
        {"i", {kNumeric, 0, "1.000"}},
        {"b", {kInt4, 1, network_order(1, 4)}},
        {"b", {0, 1, network_order(1, 8)}},
        {"u", {0, 0, uuid}},
        {"u", {0, 0, "{A0EEBC999C0B4EF8BB6D000000000001}"}},
        {"u", {kUuid, 1, uuid_binary}},
        {"c", {0, 0, "c1"}},
        {"c", {0, 0, "c1  "}},
        {"c", {0, 1, "c1 "}},
        {"i::text", {kText, 1, "1"}},
    };
    int number = 0;
    for (const auto& written : rows_of_n) {
        const auto ask_all = [&] {
            for (const auto& [column, value] : rows_of_n) {
                CAPTURE(column);
                CAPTURE(value.type);
                CAPTURE(value.format);
                const std::string sql = "SELECT v FROM n WHERE " + std::string(column) + " = $1";
                const auto expected = typed(twin, sql, {value});
                REQUIRE(sqlstate_of(expected) == "");
                CHECK(typed(reader, sql, {value}) == expected);
                CHECK(typed(reader, sql, {value}) == expected);
            }
        };
        ask_all();
        const auto answer =
            typed(writer, "UPDATE n SET v = $2 WHERE " + std::string(written.column) + " = $1",
                  {written.value, {0, 0, "value " + std::to_string(++number)}});
        CAPTURE(written.column);
        CAPTURE(written.value.type);
        CHECK(tag_of(answer) == "UPDATE 1");
        ask_all();
    }
}

TEST_CASE("trap orders: lists of thousands, and thousands of writes in a block") {
    const Scene scene(
        "CREATE TABLE m (id int PRIMARY KEY, v int); INSERT INTO m SELECT g, 0 FROM generate_series(1, 5000) "
        "g");
    auto reader = scene.through();
    auto writer = scene.through();
    auto twin = scene.direct();
    std::string list = "1", array = "{1", inserts;
    for (int id = 2; id <= 2000; ++id) {
        list += "," + std::to_string(id);
        array += "," + std::to_string(id);
    }
    array += "}";
    for (int id = 6001; id <= 8000; ++id)
        inserts += (id == 6001 ? "" : ",") + ("(" + std::to_string(id)) + ",0)";
    const std::vector<std::string> reads = {"SELECT v FROM m WHERE id = 1",
                                            "SELECT v FROM m WHERE id = 1999",
                                            "SELECT v FROM m WHERE id = 4000",
                                            "SELECT v FROM m WHERE id = 7999",
                                            "SELECT sum(v) FROM m",
                                            "SELECT count(*) FROM m WHERE v = 7",
                                            "SELECT sum(v) FROM m WHERE id IN (" + list + ")",
                                            "SELECT sum(v) FROM m WHERE id = ANY('" + array + "')",
                                            "SELECT sum(v) FROM m WHERE id IN (3, 1998, 7998)"};
    const auto compare = [&](std::string_view after) {
        CAPTURE(after);
        for (const auto& sql : reads) {
            const auto expected = rows(twin, sql);
            for (int i = 0; i < 3; ++i) CHECK(rows(reader, sql) == expected);
        }
    };
    compare("nothing");
    rows(writer, "UPDATE m SET v = 1 WHERE id IN (" + list + ")");
    compare("UPDATE of a list");
    rows(writer, "UPDATE m SET v = 7 WHERE id = ANY('" + array + "')");
    compare("UPDATE of an array");
    CHECK(sqlstate_of(typed(writer, "UPDATE m SET v = 8 WHERE id = ANY($1)", {{0, 0, array}})) == "");
    compare("UPDATE of an array that is a parameter");
    rows(writer, "INSERT INTO m VALUES " + inserts);
    compare("INSERT of many rows");
    rows(writer, "BEGIN");
    for (int id = 1; id <= 3000; ++id) rows(writer, "UPDATE m SET v = 9 WHERE id = " + std::to_string(id));
    compare("many writes that are not committed");
    rows(writer, "COMMIT");
    compare("their COMMIT");
    std::string bytes;
    for (int id = 1; id <= 500; ++id)
        wire::append_query(bytes, "UPDATE m SET v = v + 1 WHERE id = " + std::to_string(id * 4));
    (void)converse(writer, bytes, 500);
    compare("a pipeline of writes");
    rows(writer, "DELETE FROM m WHERE id IN (" + list + ")");
    compare("DELETE of a list");
}

TEST_CASE("trap orders: an answer that thousands of writes overtake, the first of which matters") {
    const Scene scene(
        "CREATE TABLE m (id int PRIMARY KEY, v int); INSERT INTO m SELECT g, 0 FROM generate_series(1, 5000) "
        "g");
    auto slow = scene.through();
    auto writer = scene.through();
    auto reader = scene.through();
    const std::string sql =
        "SELECT v, (SELECT count(*) FROM generate_series(1, 5000000)) FROM m WHERE id = 1";
    std::string bytes;
    wire::append_query(bytes, sql);
    must(slow.send(bytes));
    wait_until_active(scene.server, "SELECT v, (SELECT count%");
    rows(writer, "UPDATE m SET v = 1 WHERE id = 1");
    for (int i = 0; i < 5000; ++i)
        rows(writer, "UPDATE m SET v = 2 WHERE id = " + std::to_string(2 + i % 4999));
    (void)must(slow.receive_until_ready());
    CHECK(rows(reader, sql) == "1|5000000\n");
    CHECK(rows(slow, sql) == "1|5000000\n");
}

TEST_CASE("trap orders: settings of a role and of a database reach the next session") {
    const Scene scene(
        "CREATE ROLE alice LOGIN; GRANT SELECT ON t TO alice; CREATE SCHEMA b; GRANT USAGE ON SCHEMA b TO "
        "alice; "
        "CREATE TABLE b.t AS SELECT 1 AS id, 'b'::text AS v; GRANT SELECT ON b.t TO alice; CREATE TABLE "
        "times AS "
        "SELECT timestamptz '2024-01-01 12:00+00' AS at; GRANT SELECT ON times TO alice");
    auto admin = scene.through();
    const std::string at = "SELECT at FROM public.times";
    const auto log_in = [&](std::uint16_t port, bool options) {
        RawClient::Options login{.port = port, .user = "alice"};
        if (options) login.parameters = {{"options", "-c search_path=b -c TimeZone=Asia/Tokyo"}};
        return must(RawClient::connect(login));
    };
    const auto compare = [&](std::string_view after) {
        CAPTURE(after);
        for (const bool options : {false, true}) {
            CAPTURE(options);
            auto twin = log_in(scene.server.port(), options);
            for (int session = 0; session < 2; ++session) {
                auto client = log_in(scene.warmfront.port(), options);
                for (int i = 0; i < 3; ++i) {
                    CHECK(rows(client, kRead) == rows(twin, kRead));
                    CHECK(rows(client, at) == rows(twin, at));
                }
            }
        }
    };
    compare("nothing");
    for (const std::string_view change :
         {"ALTER ROLE alice SET search_path = b", "ALTER ROLE alice SET TimeZone = 'Europe/Berlin'",
          "UPDATE b.t SET v = 'bb'", "ALTER ROLE alice RESET search_path",
          "ALTER DATABASE postgres SET search_path = b",
          "ALTER ROLE alice IN DATABASE postgres SET DateStyle = 'German'",
          "ALTER ROLE ALL SET IntervalStyle = iso_8601",
          "BEGIN; ALTER ROLE alice SET search_path = public; ROLLBACK", "ALTER DATABASE postgres RESET ALL",
          "UPDATE t SET v = 'new' WHERE id = 1", "REVOKE SELECT (at) ON times FROM alice"}) {
        rows(admin, change);
        compare(change);
    }
}
