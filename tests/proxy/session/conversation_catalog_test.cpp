#include <string>

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {

TEST_CASE("conversation: settings are asked for once for equal sessions") {
    Stage stage;
    Actor first(stage);
    first.client_sends(query("SELECT v FROM t"));
    CHECK(first.conversation().blocked());
    CHECK(first.server == query(sql::probe_sql()));
    first.take_server();
    first.answer_probe();
    CHECK(types(first.take_server()) == "Q");
    first.server_sends(rows("x"));
    CHECK(first.take_client() == rows("x"));

    Actor equal(stage), other(stage, "user=bob");
    equal.client_sends(query("SELECT v FROM t"));
    CHECK(equal.take_client() == rows("x"));
    other.client_sends(query("SELECT v FROM t"));
    CHECK(other.conversation().blocked());
    other.answer_probe("read committed", "other");  // names mean something else there
    CHECK(other.take_client().empty());
}

TEST_CASE("conversation: under other settings a prepared statement runs once before it is served") {
    bool literal = false;  // with one it is not served: it means what it meant when PostgreSQL read it
    SUBCASE("whose names PostgreSQL finds anew") {}
    SUBCASE("with a literal that PostgreSQL has read") {
        literal = true;
    }
    CAPTURE(literal);
    Stage stage;
    Actor first(stage), second(stage);
    const auto answer = [](Actor& actor, const char* search_path, bool parse) {
        if (actor.server.find("current_setting") != std::string::npos) {
            actor.server.clear();
            actor.answer_probe("read committed", search_path);
        }
        if (actor.take_server().empty()) return false;
        actor.server_sends((parse ? parse_complete() : "") + bind_complete() + rows("one"));
        return true;
    };
    const char* const sql =
        literal ? "SELECT v FROM t WHERE id = $1 AND v <> 'x'" : "SELECT v FROM t WHERE id = $1";
    first.client_sends(extended("s", sql, "7"));
    CHECK(answer(first, "public", true));
    first.client_sends(extended("s", "", "7"));
    CHECK(answer(first, "public", false));
    first.client_sends(extended("s", "", "7"));
    CHECK_FALSE(answer(first, "public", false));
    // Under another path the same text means other.t; another session has its answer kept.
    second.client_sends(query("SET search_path = other"));
    second.server_sends(command_complete("SET") + ready());
    second.take_server();
    second.client_sends(extended("", sql, "7"));
    CHECK(answer(second, "other", true));
    first.client_sends(query("SET search_path = other"));
    first.server_sends(command_complete("SET") + ready());
    first.take_server();
    first.take_client();
    first.client_sends(extended("s", "", "7"));
    CHECK(answer(first, "other", false));  // PostgreSQL may refuse it
    first.client_sends(extended("s", "", "7"));
    CHECK(answer(first, "other", false) == literal);
    first.client_sends(extended("s2", sql, "7"));
    CHECK(answer(first, "other", true));
    first.client_sends(extended("s2", "", "7"));
    CHECK_FALSE(answer(first, "other", false));
}

TEST_CASE("conversation: a named statement is served after the catalog changed only when it ran again") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    const std::string answer =
        bind_complete() + row_description() + data_row("x") + command_complete("SELECT 1") + ready();
    std::string parse;
    wire::append_parse(parse, "s", "SELECT v FROM t WHERE id = $1", {});
    actor.client_sends(parse + sync());
    actor.server_sends(parse_complete() + ready());
    actor.client_sends(extended("s", "", "7"));
    actor.server_sends(answer);
    actor.take_client();
    actor.take_server();
    actor.client_sends(extended("s", "", "7"));
    CHECK(actor.take_client() == answer);

    REQUIRE(stage.database.publish(Stage::catalog(2), stage.database.epoch()));
    Actor fresh(stage);
    fresh.client_sends(extended("", "SELECT v FROM t WHERE id = $1", "7"));
    fresh.answer_probe();  // the schemas of its path may be others now
    fresh.server_sends(parse_complete() + answer);
    actor.client_sends(extended("s", "", "7"));
    CHECK(types(actor.take_server()) == "BDES");
    actor.server_sends(answer);
    actor.take_client();
    actor.client_sends(extended("s", "", "7"));
    CHECK(actor.take_client() == answer);
}

TEST_CASE("conversation: after DDL nothing is trusted until the catalog was loaded anew") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    actor.run("ALTER TABLE t ADD COLUMN w int", "ALTER TABLE");
    CHECK(stage.catalogs_wanted == 1);
    CHECK(stage.database.catalog_version() == 0);
    for (int round = 0; round < 2; ++round) {
        actor.take_client();
        actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK(actor.take_client().empty());
        actor.server_sends(rows("one"));
    }
    REQUIRE(stage.database.publish(Stage::catalog(2), stage.database.epoch()));
    warm(stage, "two");
}

TEST_CASE("conversation: a write behind a SET that is under way may be of any schema's table") {
    Stage stage;
    Actor reader(stage), writer(stage);
    const std::string read = query("SELECT v FROM other.t WHERE id = 1");
    reader.run("SELECT v FROM t", "SELECT 0");  // the settings are asked for on the way
    reader.client_sends(read);
    reader.server_sends(rows("one"));
    reader.take_client();
    reader.client_sends(read);
    REQUIRE(reader.take_client() == rows("one"));

    writer.run("SELECT v FROM t", "SELECT 0");
    SUBCASE("in an exchange of its own") {
        writer.client_sends(query("SET search_path = other"));
        writer.client_sends(query("UPDATE t SET v = 'two'"));
    }
    SUBCASE("in the same one") {
        std::string bytes;
        for (const std::string_view sql : {"SET search_path = other", "UPDATE t SET v = 'two'"}) {
            wire::append_parse(bytes, "", sql, {});
            wire::append_bind(bytes, "", "", {}, {}, {});
            wire::append_execute(bytes, "", 0);
        }
        writer.client_sends(bytes + sync());
    }
    reader.client_sends(read);
    CHECK(reader.take_client().empty());
}

TEST_CASE(
    "conversation: in a block whose settings are unknown a read drops nothing, a write what it may mean") {
    Stage stage;
    warm(stage);
    Actor actor(stage), reader(stage);
    const std::string read = query("SELECT v FROM t WHERE id = 1");
    actor.run("BEGIN", "BEGIN", 'T');
    actor.run("SET LOCAL search_path = other", "SET", 'T');
    actor.run("SELECT v FROM t WHERE id = 2", "SELECT 0", 'T');
    actor.run("UPDATE u SET v = 'x'", "UPDATE 1", 'T');
    actor.run("COMMIT", "COMMIT");
    reader.client_sends(read);
    CHECK(reader.take_client() == rows("one"));

    SUBCASE("of any schema") {
        actor.run("BEGIN", "BEGIN", 'T');
        actor.run("SET LOCAL search_path = other", "SET", 'T');
        actor.run("UPDATE t SET v = 'x'", "UPDATE 1", 'T');
        actor.run("COMMIT", "COMMIT");
    }
    SUBCASE("of anything where something temporary may hide a view that writes") {
        actor.run("BEGIN", "BEGIN", 'T');
        actor.run("CREATE TEMP TABLE other (i int)", "CREATE TABLE", 'T');
        actor.run("SELECT v FROM u", "SELECT 0", 'T');
        actor.run("COMMIT", "COMMIT");
    }
    reader.client_sends(read);
    CHECK(reader.take_client().empty());
}

TEST_CASE("conversation: a query string that is no SQL leaves catalog and settings as they were") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    const int wanted = stage.catalogs_wanted;
    const auto answer = [](std::string_view sqlstate, bool context) {
        std::string fields =
            std::string("SERROR\0C", 8) + std::string(sqlstate) + '\0' + std::string("P1\0", 3);
        if (context) fields += std::string("WPL/pgSQL function f()\0", 23);
        fields += '\0';
        std::string bytes = "E";
        const auto length = static_cast<std::uint32_t>(fields.size() + 4);
        for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift);
        return bytes + fields + ready();
    };
    actor.client_sends(query("SELCT 1"));
    SUBCASE("the parser refuses it") {
        actor.server_sends(answer("42601", false));
        CHECK(stage.catalogs_wanted == wanted);
    }
    SUBCASE("a function that it calls fails") {
        actor.server_sends(answer("42601", true));
        CHECK(stage.catalogs_wanted == wanted + 1);
    }
    SUBCASE("another error") {
        actor.server_sends(answer("22012", false));
        CHECK(stage.catalogs_wanted == wanted + 1);
    }
    SUBCASE("a part of it ran") {
        actor.server_sends(command_complete("SELECT 1"));
        actor.server_sends(answer("42601", false));
        CHECK(stage.catalogs_wanted == wanted + 1);
    }
}

TEST_CASE("conversation: what ran before a query string that is no SQL is not taken back") {
    Stage stage;
    Actor actor(stage);
    actor.run("SELECT v FROM t", "SELECT 0");
    const int wanted = stage.catalogs_wanted;
    std::string bytes;
    wire::append_parse(bytes, "", "CALL commits()", {});
    wire::append_bind(bytes, "", "", {}, {}, {});
    wire::append_execute(bytes, "", 0);
    actor.client_sends(bytes + query("SELCT 1"));
    actor.server_sends(parse_complete() + bind_complete() + command_complete("CALL"));
    const std::string fields = std::string("SERROR\0C42601\0P1\0\0", 18);
    actor.server_sends(std::string("E\0\0\0", 4) + static_cast<char>(fields.size() + 4) + fields + ready());
    CHECK(stage.catalogs_wanted == wanted + 1);
}

TEST_CASE("conversation: a session that SETs is asked anew, one with temp tables is not served") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    actor.run("SET search_path = other", "SET");
    actor.take_client();
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(actor.conversation().blocked());
    SUBCASE("back to the same settings") {
        actor.take_server();
        actor.answer_probe();
        CHECK(actor.take_client() == rows("one"));
    }
    SUBCASE("others") {
        actor.take_server();
        actor.answer_probe("read committed", "elsewhere");
        CHECK(actor.take_client().empty());
    }
    SUBCASE("a temp schema") {
        actor.take_server();
        actor.answer_probe("read committed", "public", true);
        CHECK(actor.take_client().empty());
    }
}

}  // namespace warmfront::session::test
