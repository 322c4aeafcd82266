#include <string>

#include <doctest/doctest.h>

#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {

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

}  // namespace warmfront::session::test
