#include <string>

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {

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

}  // namespace warmfront::session::test
