#include <string>

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {

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

}  // namespace warmfront::session::test
