// Conversations that outlive their server connection.
#include <chrono>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

using namespace std::chrono_literals;

namespace warmfront::session::test {
namespace {

const std::string kRead = "SELECT v FROM t WHERE id = 1";
constexpr std::uint64_t kSecond = 1'000'000;

// Answers that read t may be stale for a minute, of u for 5 s, together for 5 s.
std::shared_ptr<const sql::Choices> choices() {
    Settings settings;
    settings.tables = {{"public.t", std::nullopt, std::nullopt, 60s},
                       {"public.u", std::nullopt, std::nullopt, 5s}};
    return std::make_shared<const sql::Choices>(sql::choices_of(settings));
}

struct Outage {
    explicit Outage(std::shared_ptr<const sql::Choices> chosen = choices()) {
        stage.database.choose(std::move(chosen));
    }
    void read(Actor& actor, const std::string& request, const std::string& answer = rows("one")) {
        actor.client_sends(request);
        if (actor.conversation().blocked()) actor.answer_probe();
        actor.server_sends(answer);
        REQUIRE_FALSE(actor.take_client().empty());
        actor.take_server();
    }
    // As the control thread and the session do it.
    void lose() {
        stage.log.lost_sight();
        stage.database.withdraw();
        stage.database.settings_changed();
    }
    bool orphan(Actor& actor) {
        if (!actor.conversation().can_outlive_server()) return false;
        actor.conversation().outlive_server(stage.now_us);
        return true;
    }
    void find_again() {
        const auto losses = stage.database.losses();
        REQUIRE(stage.database.publish(Stage::catalog(), stage.database.epoch()));
        stage.database.seen_again(losses);
    }
    bool ends(Actor& actor) { return actor.conversation().must_end(stage.now_us); }
    Stage stage;
};

std::string notice(int seconds) {
    std::string out;
    wire::append_notice(
        out, "01000", "answer is up to " + std::to_string(seconds) + " s old: PostgreSQL cannot be reached");
    return out;
}

}  // namespace

TEST_CASE("orphan: kept answers are given with a notice, in both protocols") {
    Outage outage;
    Actor actor(outage.stage);
    outage.read(actor, query(kRead));
    const std::string unnamed = extended("", "SELECT v FROM t WHERE id = $1", "1");
    const std::string named = extended("s", {}, "2");
    outage.read(actor, unnamed, parse_complete() + bind_complete() + rows("one"));
    std::string prepare;
    wire::append_parse(prepare, "s", "SELECT v FROM t WHERE id = $1", {});
    outage.read(actor, prepare + sync(), parse_complete() + ready());
    outage.read(actor, named, bind_complete() + rows("two"));
    SUBCASE("the control thread noticed first") {
        outage.lose();
        REQUIRE(outage.orphan(actor));
    }
    SUBCASE("the session noticed first") {
        outage.stage.log.lost_sight();
        REQUIRE(outage.orphan(actor));
        CHECK_FALSE(outage.ends(actor));
        outage.lose();
    }
    outage.stage.now_us += 3 * kSecond / 2;
    actor.client_sends(query(kRead));
    CHECK(actor.take_client() == notice(2) + rows("one"));
    actor.client_sends(unnamed + named);
    CHECK(actor.take_client() == notice(2) + parse_complete() + bind_complete() + rows("one") + notice(2) +
                                     bind_complete() + rows("two"));
    CHECK(actor.take_server().empty());
    CHECK_FALSE(outage.ends(actor));
    CHECK(outage.stage.tally.stales == 3);

    std::string bye;
    wire::append_terminate(bye);
    actor.client_sends(bye);
    CHECK(actor.conversation().terminated());
    CHECK(actor.take_server().empty());
}

TEST_CASE("orphan: whatever else it is asked is its end") {
    std::string parse, describe;
    wire::append_parse(parse, "s", kRead, {});
    for (const std::string& request :
         {query("SELECT v FROM t WHERE id = 2"), query("UPDATE t SET v = 'x'"), query("BEGIN"), query(""),
          query("SELECT 1"), query(kRead + "; " + kRead), query("SET search_path = other"), parse + sync(),
          extended("unknown", {}, "1"), parse + query(kRead), std::string("F\0\0\0\4", 5),
          std::string("H\0\0\0\4", 5), std::string("d\0\0\0\4", 5), sync()}) {
        CAPTURE(request);
        Outage outage;
        Actor actor(outage.stage);
        outage.read(actor, query(kRead));
        outage.lose();
        REQUIRE(outage.orphan(actor));
        actor.client_sends(request + query(kRead));
        CHECK(actor.take_client().empty());
        CHECK(actor.take_server().empty());
        CHECK(outage.ends(actor));
    }
}

TEST_CASE("orphan: what is known to have changed before the loss is not given") {
    struct Row {
        std::string_view what;
        std::function<void(Outage&)> happens;
    };
    for (const auto& [what, happens] : std::vector<Row>{
             {"a write",
              [](Outage& outage) {
                  Actor writer(outage.stage);
                  writer.run("UPDATE t SET v = 'new'", "UPDATE 1");
              }},
             {"a write whose outcome is not known",
              [](Outage& outage) {
                  Actor writer(outage.stage);
                  writer.run("UPDATE u SET v = 'new'", "UPDATE 1");
                  writer.client_sends(query("UPDATE t SET v = 'new'"));
              }},
             {"rights",
              [](Outage& outage) {
                  Actor writer(outage.stage);
                  writer.run("REVOKE SELECT ON t FROM alice", "REVOKE");
              }},
             {"the catalog, past warmfront",
              [](Outage& outage) {
                  REQUIRE(outage.stage.database.publish(Stage::catalog(2), outage.stage.database.epoch()));
              }},
             {"choices, later", [](Outage& outage) {
                  outage.lose();
                  outage.stage.database.choose(choices());
              }}}) {
        CAPTURE(what);
        Outage outage;
        Actor actor(outage.stage);
        outage.read(actor, query(kRead));
        happens(outage);
        outage.lose();
        if (!outage.orphan(actor)) continue;
        actor.client_sends(query(kRead));
        CHECK(actor.take_client().empty());
        CHECK(outage.ends(actor));
    }
}

TEST_CASE("orphan: lasts as long as chosen, and not longer than the outage") {
    const std::string of_both = "SELECT t.v FROM t, u";
    Outage outage;
    Actor actor(outage.stage);
    outage.read(actor, query(kRead));
    outage.read(actor, query(of_both));
    outage.lose();
    REQUIRE(outage.orphan(actor));
    SUBCASE("each answer its own time") {
        outage.stage.now_us += 5 * kSecond - 1;
        actor.client_sends(query(of_both));
        CHECK(actor.take_client() == notice(5) + rows("one"));
        outage.stage.now_us += 1;
        actor.client_sends(query(kRead));
        CHECK(actor.take_client() == notice(5) + rows("one"));
        actor.client_sends(query(of_both));
        CHECK(actor.take_client().empty());
        CHECK(outage.ends(actor));
    }
    SUBCASE("the longest of all") {
        outage.stage.now_us += 60 * kSecond - 1;
        CHECK_FALSE(outage.ends(actor));
        outage.stage.now_us += 1;
        CHECK(outage.ends(actor));
        actor.client_sends(query(kRead));
        CHECK(actor.take_client().empty());
    }
    SUBCASE("PostgreSQL is there again") {
        outage.find_again();
        CHECK(outage.ends(actor));
        actor.client_sends(query(kRead));
        CHECK(actor.take_client().empty());
        // Nothing from before is given to anybody, nor in the next outage.
        outage.stage.log.lost_sight();
        CHECK(outage.ends(actor));
        Actor other(outage.stage);
        other.client_sends(query(kRead));
        CHECK(other.take_client().empty());
        CHECK(other.conversation().blocked());
        other.answer_probe();
        CHECK(types(other.take_server()) == "QQ");
        other.server_sends(rows("two"));
        CHECK(other.take_client() == rows("two"));
    }
}

TEST_CASE("orphan: only of a session that loses nothing but its connection") {
    struct Row {
        std::string_view what;
        bool may;
        std::function<void(Outage&, Actor&)> happens;
    };
    const auto runs = [](std::string sql, char status = 'I') {
        return [sql = std::move(sql), status](Outage&, Actor& actor) { actor.run(sql, "OK", status); };
    };
    for (const auto& [what, may, happens] : std::vector<Row>{
             {"as it is", true, [](Outage&, Actor&) {}},
             {"in a block", false, runs("BEGIN", 'T')},
             {"listens", false, runs("LISTEN news")},
             {"holds a lock", false, runs("SELECT pg_try_advisory_lock(1)")},
             {"ran what is not known", false, runs("DO $$ BEGIN PERFORM 1; END $$")},
             {"settings not asked for again", false, runs("SET datestyle = 'German'")},
             {"a write", true, runs("UPDATE t SET v = 'x'")},
             {"under way", false, [](Outage&, Actor&actor) { actor.client_sends(query("SELECT v FROM u")); }},
             {"request in part", false,
              [](Outage&, Actor&actor) {
                  std::string parse;
                  wire::append_parse(parse, "", kRead, {});
                  actor.client_sends(parse);
              }},
             {"observing", false,
              [](Outage&outage, Actor&) {
                  Settings settings;
                  settings.cache.mode = CacheMode::Observe;
                  outage.stage.switches.set(settings);
              }},
             {"settings changed for all", false,
              [](Outage&outage, Actor&) { outage.stage.database.settings_changed(); }},
             {"nothing chosen", false, [](Outage&outage, Actor&) {
                  outage.stage.database.choose(std::make_shared<const sql::Choices>());
              }}}) {
        CAPTURE(what);
        Outage outage;
        Actor actor(outage.stage);
        outage.read(actor, query(kRead));
        happens(outage, actor);
        CHECK(actor.conversation().can_outlive_server() == may);
        outage.lose();
        CHECK(actor.conversation().can_outlive_server() == may);
        CHECK_FALSE(outage.ends(actor));
    }
    Outage outage;
    Actor temporary(outage.stage);
    temporary.client_sends(query(kRead));
    temporary.answer_probe("read committed", "public", true);
    temporary.server_sends(rows("one"));
    CHECK_FALSE(temporary.conversation().can_outlive_server());
}

}  // namespace warmfront::session::test
