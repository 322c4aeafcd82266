#include <string>

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {
namespace {

// Brings "SELECT v FROM t WHERE id = 1" = value into the cache through an actor of its own.
void warm(Stage& stage, std::string_view value = "one") {
    Actor actor(stage);
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    if (types(actor.take_server()) == "Q" && actor.conversation().blocked()) actor.answer_probe();
    actor.server_sends(rows(value));
    REQUIRE(actor.take_client() == rows(value));
}

}  // namespace

TEST_CASE("conversation: an equal read is answered without the server") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(actor.take_client() == rows("one"));
    CHECK(actor.take_server().empty());
    actor.client_sends(query("SELECT v  FROM t WHERE id = /* why */ 1"));
    CHECK(actor.take_client() == rows("one"));
    actor.client_sends(query("SELECT v FROM t WHERE id = 2"));
    CHECK(actor.take_client().empty());
    CHECK(types(actor.take_server()) == "Q");
    actor.server_sends(rows("two"));
    CHECK(stage.tally.hits == 2);
}

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

TEST_CASE("conversation: a write drops before it is sent, and what was asked before it ended is not kept") {
    Stage stage;
    warm(stage);
    Actor writer(stage), reader(stage);
    writer.client_sends(query("UPDATE t SET v = 'new' WHERE id = 1"));
    CHECK(types(writer.take_server()) == "Q");

    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client().empty());
    reader.server_sends(rows("one"));  // its snapshot was older
    writer.server_sends(command_complete("UPDATE 1") + ready());
    CHECK(types(writer.take_client()) == "CZ");

    reader.take_client();
    reader.take_server();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client().empty());
    reader.server_sends(rows("new"));
    reader.take_client();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client() == rows("new"));
}

TEST_CASE("conversation: an answer that a write overtook is not kept") {
    Stage stage;
    warm(stage);
    stage.store.clear();
    Actor reader(stage), writer(stage);
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    writer.run("UPDATE t SET v = 'new'", "UPDATE 1");
    reader.server_sends(rows("one"));
    CHECK(reader.take_client() == rows("one"));
    CHECK(stage.tally.not_stored == 1);
    reader.take_server();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(types(reader.take_server()) == "Q");
}

TEST_CASE("conversation: a write to another table leaves the answer alone, an opaque statement does not") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    actor.run("DELETE FROM u", "DELETE 3");
    actor.take_client();
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(actor.take_client() == rows("one"));
    actor.run("DO $$ BEGIN DELETE FROM u; END $$", "DO");
    actor.take_client();
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(actor.take_client() == rows("one"));
    actor.run("DO $$ BEGIN EXECUTE 'x'; END $$", "DO");
    actor.take_client();
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(actor.take_client().empty());
}

TEST_CASE("conversation: a COPY voids the answers of the rows that it adds") {
    Stage stage;
    auto catalog = Stage::catalog(2);
    for (const char* name : {"id", "v"}) {
        sql::Column column;
        column.name = name;
        column.number = static_cast<std::int16_t>(catalog->relations[0].columns.size() + 1);
        column.type = column.value.oid = sql::Oid{23};
        column.value.kind = sql::ValueKind::Integer;
        catalog->relations[0].columns.push_back(column);
    }
    REQUIRE(stage.database.publish(catalog, stage.database.epoch()));
    struct Row {
        std::string_view name, copy, data;
        bool first_stays, second_stays;
    };
    for (const auto& [name, copy, data, first_stays, second_stays] : std::initializer_list<Row>{
             {"one row", "COPY t FROM STDIN", "1\t5\n", false, true},
             {"cut anywhere", "COPY t (v, id) FROM STDIN", "5\t2\n7\t3\n", true, false},
             {"other rows", "COPY t FROM STDIN", "3\t\\N\n", true, true},
             {"an escape", "COPY t FROM STDIN", "\\x31\t1\n", false, false},
             {"another format", "COPY t FROM STDIN (FORMAT csv)", "3,1\n", false, false},
             {"no row", "COPY t FROM STDIN", "", true, true}}) {
        CAPTURE(name);
        Actor reader(stage), writer(stage);
        const auto is_hit = [&](const char* sql) {
            reader.client_sends(query(sql));
            if (reader.server.find("current_setting") != std::string::npos) {
                reader.server.clear();
                reader.answer_probe();
            }
            const bool hit = reader.take_server().empty();
            if (!hit) reader.server_sends(rows("one"));
            reader.take_client();
            return hit;
        };
        (void)is_hit("SELECT v FROM t WHERE id = 1");
        (void)is_hit("SELECT v FROM t WHERE id = 2");
        writer.client_sends(query(std::string(copy)));
        if (writer.server.find("current_setting") != std::string::npos) {
            writer.server.clear();
            writer.answer_probe();
        }
        CHECK(is_hit("SELECT v FROM t WHERE id = 1") == (name != "another format"));
        writer.server_sends(std::string("G\0\0\0\7\0\0\0", 8));
        for (const char byte : data) {
            std::string one;
            wire::append_copy_data(one, {&byte, 1});
            writer.client_sends(one);
        }
        std::string done;
        wire::append_copy_done(done);
        writer.client_sends(done);
        writer.server_sends(command_complete("COPY 1") + ready());
        CHECK(is_hit("SELECT v FROM t WHERE id = 1") == first_stays);
        CHECK(is_hit("SELECT v FROM t WHERE id = 2") == second_stays);
    }
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

TEST_CASE("conversation: blocks") {
    Stage stage;
    warm(stage);
    struct Row {
        const char *begin, *then, *tag;
        bool served;
    };
    for (const auto& [begin, then, tag, served] : std::initializer_list<Row>{
             {"BEGIN", nullptr, nullptr, true},
             {"BEGIN ISOLATION LEVEL REPEATABLE READ", nullptr, nullptr, false},
             {"START TRANSACTION ISOLATION LEVEL SERIALIZABLE", nullptr, nullptr, false},
             {"BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET", false},
             {"BEGIN", "SAVEPOINT s", "SAVEPOINT", true},
             {"BEGIN", "UPDATE u SET v = 'x'", "UPDATE 0", true},
             {"BEGIN", "UPDATE t SET v = 'x'", "UPDATE 0", false},
             {"BEGIN", "SET LOCAL search_path = other", "SET", false}}) {
        CAPTURE(begin);
        CAPTURE(std::string(then ? then : ""));
        Actor actor(stage);
        actor.run(begin, "BEGIN", 'T');
        if (then) actor.run(then, tag, 'T');
        actor.take_client();
        actor.take_server();
        actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK((actor.take_client() == rows("one", 'T')) == served);
        if (!served) actor.server_sends(rows("one", 'T'));
        actor.run("ROLLBACK", "ROLLBACK");
    }
}

TEST_CASE("conversation: what a savepoint takes back voids nothing") {
    struct Row {
        std::string_view name;
        std::vector<const char*> statements;
        bool stays;
    };
    for (const auto& [name, statements, stays] : std::initializer_list<Row>{
             {"taken back", {"SAVEPOINT s", "UPDATE t SET v = 'x'", "ROLLBACK TO s"}, true},
             {"twice",
              {"SAVEPOINT s", "UPDATE t SET v = 'x'", "ROLLBACK TO s", "UPDATE t SET v = 'y'",
               "ROLLBACK TO s"},
              true},
             {"written before", {"UPDATE t SET v = 'x'", "SAVEPOINT s", "ROLLBACK TO s"}, false},
             {"written after", {"SAVEPOINT s", "ROLLBACK TO s", "UPDATE t SET v = 'x'"}, false},
             {"to an inner one",
              {"SAVEPOINT a", "UPDATE t SET v = 'x'", "SAVEPOINT b", "ROLLBACK TO b"},
              false},
             {"to an outer one",
              {"SAVEPOINT a", "SAVEPOINT b", "UPDATE t SET v = 'x'", "ROLLBACK TO a"},
              true},
             {"of the same name",
              {"SAVEPOINT s", "UPDATE t SET v = 'x'", "SAVEPOINT s", "ROLLBACK TO s"},
              false},
             {"released",
              {"SAVEPOINT s", "UPDATE t SET v = 'x'", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s"},
              true},
             {"merged", {"SAVEPOINT a", "SAVEPOINT b", "UPDATE t SET v = 'x'", "RELEASE b"}, false},
             {"in one string", {"SAVEPOINT s", "UPDATE t SET v = 'x'", "SELECT 1; ROLLBACK TO s"}, false}}) {
        CAPTURE(name);
        Stage stage;
        warm(stage);
        Actor writer(stage);
        writer.run("BEGIN", "BEGIN", 'T');
        for (const char* statement : statements) writer.run(statement, "DONE", 'T');
        writer.run("COMMIT", "COMMIT");
        Actor reader(stage);
        reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK((reader.take_client() == rows("one")) == stays);
    }
}

TEST_CASE("conversation: the server knows of a query in a block before what must come first in one") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    actor.run("BEGIN", "BEGIN", 'T');
    actor.take_client();
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    REQUIRE(actor.take_client() == rows("one", 'T'));
    const std::string late = query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    SUBCASE("SET TRANSACTION") {
        actor.client_sends(late);
        CHECK(actor.take_server() == query("SELECT 1"));
        actor.server_sends(rows("1", 'T'));
        CHECK(actor.take_client().empty());
        CHECK(actor.take_server() == late);
        actor.server_sends(error("25001") + ready('E'));
        CHECK(actor.take_client() == error("25001") + ready('E'));
    }
    SUBCASE("not in the next block") {
        actor.run("COMMIT AND CHAIN", "COMMIT", 'T');
        actor.take_server();
        actor.client_sends(late);
        CHECK(actor.take_server() == late);
        actor.server_sends(command_complete("SET") + ready('T'));
    }
    actor.run("ROLLBACK", "ROLLBACK");
}

TEST_CASE("conversation: a server with an idle time-out hears of a busy session in time") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    const std::string read = query("SELECT v FROM t WHERE id = 1");
    actor.run("SET idle_session_timeout = '8s'", "SET");
    actor.take_server();
    actor.client_sends(read);
    REQUIRE(actor.conversation().blocked());
    actor.take_client();
    actor.answer_probe("read committed", "public", false, "8s");
    CHECK(actor.take_client() == rows("one"));
    actor.take_server();
    stage.now_us += 1'000'000;
    actor.client_sends(read);
    CHECK(actor.take_client() == rows("one"));
    stage.now_us += 1;
    actor.client_sends(read);
    CHECK(actor.take_server() == read);
    actor.server_sends(rows("one"));
    actor.take_client();
    actor.client_sends(read);
    CHECK(actor.take_client() == rows("one"));
}

TEST_CASE("conversation: EXECUTE drops what it executes drops") {
    Stage stage;
    warm(stage);
    Actor actor(stage), reader(stage);
    const std::string read = query("SELECT v FROM t WHERE id = 1");
    const auto kept = [&] {
        reader.client_sends(read);
        if (reader.conversation().blocked()) reader.answer_probe();
        const bool served = reader.take_client() == rows("one");
        if (!served) {
            reader.server_sends(rows("one"));
            reader.take_client();
        }
        return served;
    };
    actor.run("PREPARE other (text) AS UPDATE u SET v = $1", "PREPARE");
    actor.run("PREPARE this AS UPDATE t SET v = 'x' WHERE id = $1", "PREPARE");
    actor.run("PREPARE reading AS SELECT v FROM t WHERE id = $1", "PREPARE");
    actor.run("EXECUTE other('x')", "UPDATE 1");
    actor.run("EXECUTE reading(1)", "SELECT 0");
    CHECK(kept());
    SUBCASE("the table") {
        actor.run("EXECUTE this(1)", "UPDATE 1");
    }
    SUBCASE("everything, if an argument may write") {
        actor.run("EXECUTE other(f())", "UPDATE 1");
    }
    SUBCASE("everything, if the name is not known") {
        actor.run("DEALLOCATE other", "DEALLOCATE");
        CHECK(kept());
        actor.run("EXECUTE other('x')", "UPDATE 1");
    }
    SUBCASE("everything, once something unseen may have replaced it") {
        actor.run("DO 'BEGIN EXECUTE ''x''; END'", "DO");
        CHECK_FALSE(kept());
        REQUIRE(stage.database.publish(Stage::catalog(2), stage.database.epoch()));
        CHECK_FALSE(kept());
        CHECK(kept());
        actor.run("EXECUTE other('x')", "UPDATE 1");
    }
    SUBCASE("everything, behind a DEALLOCATE that is under way") {
        actor.client_sends(query("DEALLOCATE other"));
        actor.client_sends(query("EXECUTE other('x')"));
    }
    CHECK_FALSE(kept());
}

TEST_CASE("conversation: a write in a block drops at COMMIT, not before") {
    Stage stage;
    warm(stage);
    Actor writer(stage), reader(stage);
    writer.run("BEGIN", "BEGIN", 'T');
    writer.run("UPDATE t SET v = 'new'", "UPDATE 1", 'T');
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client() == rows("one"));
    writer.client_sends(query("COMMIT"));
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client().empty());
    reader.server_sends(rows("one"));
    writer.server_sends(command_complete("COMMIT") + ready());
    reader.take_client();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client().empty());
}

TEST_CASE("conversation: pipelined BEGIN, UPDATE, COMMIT drop as well") {
    Stage stage;
    warm(stage);
    Actor writer(stage), reader(stage);
    writer.client_sends(query("BEGIN") + query("UPDATE t SET v = 'new'") + query("COMMIT"));
    CHECK(types(writer.take_server()) == "QQQ");
    writer.server_sends(command_complete("BEGIN") + ready('T') + command_complete("UPDATE 1") + ready('T'));
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    reader.server_sends(rows("one"));  // before the commit
    writer.server_sends(command_complete("COMMIT") + ready());
    reader.take_client();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client().empty());
}

TEST_CASE("conversation: an answer from the cache waits behind reads that are under way") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    actor.client_sends(query("SELECT v FROM u") + query("SELECT v FROM t WHERE id = 1") +
                       query("SELECT v FROM u"));
    CHECK(types(actor.take_server()) == "QQ");
    CHECK(actor.take_client().empty());
    actor.server_sends(rows("u"));
    CHECK(actor.take_client() == rows("u") + rows("one"));
    actor.server_sends(rows("u"));
    CHECK(actor.take_client() == rows("u"));
}

TEST_CASE("conversation: extended protocol, unnamed statement") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    const std::string answer =
        bind_complete() + row_description() + data_row("x") + command_complete("SELECT 1") + ready();
    actor.client_sends(extended("", "SELECT v FROM t WHERE id = $1", "7"));
    CHECK(types(actor.take_server()) == "PBDES");
    actor.server_sends(parse_complete() + answer);
    CHECK(actor.take_client() == parse_complete() + answer);

    Actor other(stage);
    other.client_sends(extended("", "SELECT v FROM t WHERE id = $1", "7"));
    CHECK(other.take_client() == parse_complete() + answer);
    CHECK(other.take_server().empty());
    SUBCASE("a later Bind finds the statement, although the server never saw its Parse") {
        other.client_sends(extended("", "", "8"));
        CHECK(types(other.take_server()) == "PBDES");
        other.server_sends(parse_complete() + answer);
        CHECK(other.take_client() == answer);
    }
    SUBCASE("a simple query answered here destroys it too") {
        other.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK(other.take_client() == rows("one"));
        other.client_sends(extended("", "", "7"));
        CHECK(types(other.take_server()) == "BDES");  // PostgreSQL says that there is none
    }
    SUBCASE("an older one on the server does not stand in") {
        actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK(actor.take_client() == rows("one"));
        actor.client_sends(extended("", "", "7"));
        CHECK(types(actor.take_server()) == "CBDES");
        actor.server_sends("3" + std::string("\0\0\0\4", 4) + error("26000") + ready());
        CHECK(types(actor.take_client()) == "EZ");
    }
    SUBCASE("another parameter, row limit or protocol is another answer") {
        other.client_sends(extended("", "SELECT v FROM t WHERE id = $1", "8"));
        CHECK(types(other.take_server()) == "PBDES");
        other.server_sends(parse_complete() + answer);
        other.client_sends(extended("", "SELECT v FROM t WHERE id = $1", "7", 5));
        CHECK(types(other.take_server()) == "PBDES");
    }
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
    fresh.server_sends(parse_complete() + answer);
    actor.client_sends(extended("s", "", "7"));
    CHECK(types(actor.take_server()) == "BDES");
    actor.server_sends(answer);
    actor.take_client();
    actor.client_sends(extended("s", "", "7"));
    CHECK(actor.take_client() == answer);
}

TEST_CASE("conversation: equal misses share one trip") {
    Stage stage;
    warm(stage);
    stage.store.clear();
    Actor leader(stage), follower(stage), late(stage);
    leader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    follower.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(follower.take_server().empty());
    CHECK(follower.conversation().following());
    SUBCASE("the answer goes to all") {
        leader.server_sends(rows("one"));
        follower.deliver();
        CHECK(follower.take_client() == rows("one"));
        CHECK(follower.take_server().empty());
    }
    SUBCASE("not to one that came after a write") {
        Actor writer(stage);
        writer.run("UPDATE t SET v = 'new'", "UPDATE 1");
        late.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK(types(late.take_server()) == "Q");
        leader.server_sends(rows("one"));
        follower.deliver();
        CHECK(follower.take_client() == rows("one"));  // it began before the write ended
        late.server_sends(rows("new"));
        CHECK(late.take_client() == rows("new"));
    }
    SUBCASE("an error is the leader's own") {
        leader.server_sends(error() + ready());
        follower.deliver();
        CHECK(types(follower.take_server()) == "Q");
    }
    SUBCASE("a leader that hangs up") {
        CHECK(leader.hang_up().empty());
        follower.deliver();
        CHECK(types(follower.take_server()) == "Q");
    }
    SUBCASE("a cancelled follower is told so, the leader is not disturbed") {
        CHECK(follower.cancel());
        CHECK(types(follower.take_client()) == "EZ");
        leader.server_sends(rows("one"));
        CHECK(leader.take_client() == rows("one"));
    }
}

TEST_CASE("conversation: a COPY whose Sync comes twice is one exchange") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    std::string start, end;
    wire::append_parse(start, "", "COPY t FROM STDIN", {});
    wire::append_bind(start, "", "", {}, {}, {});
    wire::append_execute(start, "", 0);
    wire::append_sync(start);
    wire::append_copy_data(end, "1\n");
    wire::append_copy_done(end);
    wire::append_sync(end);
    actor.client_sends(start);
    const std::string begun = parse_complete() + bind_complete() + std::string("G\0\0\0\7\0\0\0", 8);
    const std::string done = command_complete("COPY 1") + ready();
    SUBCASE("it runs") {
        actor.server_sends(begun);
        actor.client_sends(end);
        actor.server_sends(done);
    }
    SUBCASE("it was refused: each Sync is answered") {
        actor.client_sends(end);
        actor.server_sends(parse_complete() + bind_complete() + error() + ready());
        CHECK_FALSE(actor.conversation().idle());
        actor.server_sends(ready());
    }
    CHECK(actor.conversation().idle());
    actor.take_client();
    actor.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(actor.take_client().empty());  // the COPY dropped it
}

TEST_CASE("conversation: a query amid extended messages") {
    Stage stage;
    warm(stage);
    Actor actor(stage);
    std::string parse, flush;
    wire::append_parse(parse, "s", "SELECT v FROM t", {});
    actor.client_sends(parse + query("SELECT v FROM u"));
    CHECK(types(actor.take_server()) == "PH");
    SUBCASE("runs when these succeeded") {
        actor.server_sends(parse_complete());
        CHECK(types(actor.take_server()) == "Q");
        actor.server_sends(rows("u"));
        CHECK(actor.take_client() == parse_complete() + rows("u"));
    }
    SUBCASE("is skipped when one failed, up to the Sync") {
        actor.server_sends(error());
        CHECK(types(actor.take_server()) == "Q");
        actor.client_sends(sync());
        actor.server_sends(ready());
        CHECK(types(actor.take_client()) == "EZ");
    }
    CHECK(actor.conversation().transaction_status() == 'I');
}

TEST_CASE("conversation: other choices hold from the next query on, and void what was kept") {
    Stage stage;
    Actor actor(stage);
    actor.client_sends(query("SELECT v FROM t"));
    actor.answer_probe();
    actor.server_sends(rows("one"));
    actor.client_sends(query("SELECT v FROM t"));
    CHECK(stage.tally.hits == 1);

    Settings settings;
    settings.tables = {{"t", false, std::nullopt}};
    stage.database.choose(std::make_shared<const sql::Choices>(sql::choices_of(settings)));
    actor.client_sends(query("SELECT v FROM t"));
    actor.server_sends(rows("two"));
    CHECK(stage.tally.hits == 1);
    CHECK(stage.tally.refusals == std::vector<std::string>{"excluded"});

    settings.tables = {{"t", std::nullopt, std::chrono::seconds{1}}};
    stage.database.choose(std::make_shared<const sql::Choices>(sql::choices_of(settings)));
    actor.client_sends(query("SELECT v FROM t"));
    actor.server_sends(rows("three"));
    actor.client_sends(query("SELECT v FROM t"));
    CHECK(stage.tally.hits == 2);
    stage.now_us += 1'000'000;
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t"));
    CHECK(types(actor.server) == "Q");
    actor.server_sends(rows("four"));
    CHECK(stage.tally.hits == 2);
}

TEST_CASE("conversation: observed, every read goes to PostgreSQL and what would be a hit is counted") {
    Stage stage;
    Settings settings;
    settings.cache.mode = CacheMode::Observe;
    stage.switches.set(settings);
    Actor actor(stage);
    actor.client_sends(query("SELECT v FROM t WHERE v = 'a'"));
    actor.answer_probe();
    stage.now_us += 700;
    const std::string value(1000, 'v');
    actor.server_sends(rows(value));
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t WHERE v = 'a'"));
    CHECK(types(actor.take_server()) == "Q");
    stage.now_us += 300;
    actor.take_client();
    actor.server_sends(rows(value));
    CHECK(actor.client == rows(value));
    CHECK(stage.tally.hits == 0);
    auto seen = stage.ledger.rows();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].text == "SELECT v FROM t WHERE v = ?");
    CHECK(seen[0].requests == 2);
    CHECK(seen[0].would_hits == 1);
    CHECK(seen[0].misses == 1);
    CHECK(seen[0].saved_us == 300);
    CHECK(seen[0].origin_mean_us == 500);
    CHECK(seen[0].entries == 1);
    CHECK(seen[0].bytes > 1000);
    CHECK(seen[0].bytes < 1500);

    // A write makes a miss of the next one.
    actor.run("UPDATE t SET v = 1", "UPDATE 1");
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t WHERE v = 'a'"));
    actor.server_sends(rows("b"));
    seen = stage.ledger.rows();
    CHECK(seen[0].would_hits == 1);
    CHECK(seen[0].misses == 2);
    // Served from now on: what was observed is no answer.
    settings.cache.mode = CacheMode::Serve;
    stage.switches.set(settings);
    actor.take_server();
    actor.client_sends(query("SELECT v FROM t WHERE v = 'a'"));
    CHECK(types(actor.take_server()) == "Q");
    stage.now_us += 2000;
    actor.server_sends(rows("b"));
    actor.client_sends(query("SELECT v FROM t WHERE v = 'a'"));
}

TEST_CASE("conversation: a verified hit is PostgreSQL's answer, and a difference switches the template off") {
    Stage stage;
    Settings settings;
    settings.verify.sample = 1;
    Actor actor(stage);
    const std::string read = query("SELECT v FROM t");
    const auto asked_again = [&](std::string_view value) {
        stage.now_us += 1000;
        actor.take_client();
        actor.take_server();
        actor.client_sends(read);
        CHECK(types(actor.server) == "Q");
        actor.server_sends(rows(value));
        CHECK(actor.client == rows(value));
        return stage.ledger.rows().front();
    };
    actor.client_sends(read);
    actor.answer_probe();
    actor.server_sends(rows("one"));
    stage.switches.set(settings);
    CHECK(asked_again("one").verified == 1);
    CHECK(stage.tally.missed == 1);

    SUBCASE("different") {
        const auto row = asked_again("two");
        CHECK(row.mismatches == 1);
        CHECK(row.off == Off::Mismatch);
        CHECK(asked_again("two").verified == 2);  // off: forwarded, not compared
        stage.switches.set(Settings{});
        CHECK(asked_again("two").hits == 0);
        CHECK(stage.ledger.resume(row.digest) == 1);
        stage.now_us += 1000;
        actor.take_server();
        actor.client_sends(read);  // what PostgreSQL said when they differed is what is kept
        CHECK(actor.server.empty());
        CHECK(stage.ledger.rows().front().hits == 1);
    }
    SUBCASE("a write comes between") {
        Actor other(stage);
        stage.now_us += 1000;
        actor.take_server();
        actor.client_sends(read);
        CHECK(types(actor.server) == "Q");
        other.run("UPDATE t SET v = 'two'", "UPDATE 1");
        actor.server_sends(rows("two"));
        CHECK(stage.ledger.totals().verified == 1);
        CHECK(stage.ledger.totals().mismatches == 0);
    }
    SUBCASE("an error is no difference") {
        stage.now_us += 1000;
        actor.take_server();
        actor.client_sends(read);
        actor.server_sends(error() + ready());
        CHECK(stage.ledger.totals().mismatches == 0);
        CHECK(stage.ledger.totals().verified == 1);
    }
}

TEST_CASE("conversation: what is never kept") {
    Stage stage;
    warm(stage);
    struct Row {
        const char *sql, *answer_types;
    };
    for (const char* sql : {"SELECT random()", "SELECT v FROM t FOR UPDATE", "SELECT * FROM pg_class",
                            "SELECT now()", "SELECT v FROM t WHERE d < 'today'", "SELECT 1; SELECT 2",
                            "EXPLAIN SELECT v FROM t", "SELECT nosuch FROM nosuch"}) {
        CAPTURE(sql);
        for (int round = 0; round < 2; ++round) {
            Actor actor(stage);
            actor.client_sends(query(sql));
            if (actor.server.find("current_setting") != std::string::npos) {
                actor.take_server();
                actor.answer_probe();
            }
            CHECK(types(actor.take_server()) == "Q");
            actor.server_sends(rows("x"));
        }
    }
    CHECK(stage.tally.stored == 1);
}

TEST_CASE("conversation: errors, notices and too large answers are not kept") {
    Stage stage;
    warm(stage);
    std::string notice;
    wire::append_notice(notice, "00000", "hear");
    for (const std::string& answer :
         {error() + ready(), notice + rows("x"),
          row_description() + data_row(std::string(2 << 20, 'x')) + command_complete("SELECT 1") + ready()}) {
        Actor actor(stage);
        actor.client_sends(query("SELECT v FROM u"));
        CHECK(types(actor.take_server()) == "Q");
        actor.server_sends(answer);
        CHECK(actor.take_client() == answer);
    }
    CHECK(stage.tally.stored == 1);
}

TEST_CASE("conversation: a write whose connection is lost stays pending until it is settled") {
    Stage stage;
    warm(stage);
    Actor reader(stage);
    Actor writer(stage);
    writer.client_sends(query("UPDATE t SET v = 'new'"));
    std::vector<Unsettled> left = writer.hang_up();
    REQUIRE(left.size() == 1);
    for (int round = 0; round < 2; ++round) {
        reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
        CHECK(types(reader.take_server()) == "Q");
        reader.server_sends(rows("one"));
    }
    (void)stage.database.end_write(left[0].epoch);
    left[0].marked.end();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    reader.server_sends(rows("new"));
    reader.take_client();
    reader.client_sends(query("SELECT v FROM t WHERE id = 1"));
    CHECK(reader.take_client() == rows("new"));
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
