// Sessions that ask for dependent reads, on the stage; the test fetches what is to be fetched.
#include "proxy/session/foresight.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/allocations.h"
#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {
namespace {

struct Wishes final : PrefetchSink {
    std::vector<Prefetch> wanted;
    bool full = false;
    bool prefetch(Prefetch each) override {
        if (full) return false;
        wanted.push_back(std::move(each));
        return true;
    }
};

NextQuerySettings settings(bool enabled = true) {
    NextQuerySettings made;
    made.enabled = enabled;
    return made;
}

struct Watched {
    Stage stage;
    Wishes wishes;
    Foresight foresight{stage.store, &wishes, settings()};
    Watched() { stage.foresight = &foresight; }
};

// Asks; what goes to PostgreSQL takes 2 ms and brings `answer`. True: it was answered from memory.
bool ask(Watched& world, Actor& actor, const std::string& request, const std::string& answer) {
    actor.client_sends(request);
    if (actor.server.find("current_setting") != std::string::npos) {
        actor.server.clear();
        actor.answer_probe();
    }
    const bool hit = actor.take_server().empty();
    if (!hit) {
        world.stage.now_us += 2'000;
        actor.server_sends(answer);
    }
    actor.take_client();
    world.stage.now_us += 100'000;  // the user thinks
    return hit;
}

std::string number(int id) {
    return std::to_string(id);
}

// t by id gives the key of a row of u, which is asked for next. True: the second was answered from memory.
bool chain(Watched& world, Actor& actor, int id) {
    const std::string other = number(id * 7 + 1);
    (void)ask(world, actor, query("SELECT v FROM t WHERE id = " + number(id)), rows(other));
    return ask(world, actor, query("SELECT v FROM u WHERE k = '" + other + "'"), rows("u of " + other));
}

// As an actor of warmfront's own would: sends what is wanted and keeps the answer.
void fetch(Watched& world, const std::string& answer) {
    REQUIRE(world.wishes.wanted.size() == 1);
    const Prefetch wanted = world.wishes.wanted.back();
    world.wishes.wanted.clear();
    cache::KeyBuilder builder;
    builder.start(wanted.settings->fingerprint, wanted.statement->id, wanted.kind, wanted.row_limit);
    builder.append(wanted.details);
    cache::FillTicket ticket;
    ticket.start();
    ticket.observe(world.stage.database.everything());
    REQUIRE(ticket.fillable);
    const std::string body = answer.substr(0, answer.size() - ready().size());
    const std::string described = row_description();
    REQUIRE(world.stage.store.fill(cache::Entry::make(builder.finish(), ticket.seen, described,
                                                      std::string_view(body).substr(described.size()),
                                                      world.stage.now_us / 1000)));
}

}  // namespace

TEST_CASE("foresight: once a chain is learnt, its next query is fetched under the session's own key") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 0; id < 40; ++id) {
        (void)chain(world, actor, id);
        if (world.wishes.wanted.empty()) continue;
        CHECK(id > 8);
        world.wishes.wanted.clear();
    }
    (void)ask(world, actor, query("SELECT v FROM t WHERE id = 1000"), rows("it's"));
    REQUIRE(world.wishes.wanted.size() == 1);
    CHECK(world.wishes.wanted[0].settings->user == "alice");
    CHECK(world.wishes.wanted[0].statement->text == "SELECT v FROM u WHERE k = \2");
    CHECK(world.wishes.wanted[0].details.ends_with("'it''s'"));
    fetch(world, rows("fetched"));
    CHECK(ask(world, actor, query("SELECT v FROM u WHERE k = 'it''s'"), rows("not asked")));
    CHECK(world.foresight.counts().used == 1);
    CHECK(world.foresight.counts().saved_us == 2'000);
}

namespace {

std::string list_of(const std::vector<std::string>& values) {
    std::string answer = row_description();
    for (const auto& value : values) answer += data_row(value);
    return answer + command_complete("SELECT " + number(static_cast<int>(values.size()))) + ready();
}

// A page: a list of four, and a query for each of the first `asked` of them; then something else. How many of
// those were answered from memory.
int page(Watched& world, Actor& actor, int id, int asked) {
    std::vector<std::string> values;
    for (int i = 0; i < 4; ++i) values.push_back(number(10 * id + 3 * i));
    (void)ask(world, actor, query("SELECT v FROM t WHERE id = " + number(id)), list_of(values));
    int hits = 0;
    for (int i = 0; i < asked; ++i) {
        const std::string& value = values[static_cast<std::size_t>(i)];
        hits += ask(world, actor, query("SELECT v FROM u WHERE k = '" + value + "'"), rows("of " + value));
    }
    (void)ask(world, actor, query("SELECT v FROM t WHERE v = 'x'"), rows("y"));
    return hits;
}

std::vector<std::string> values_wanted(const Wishes& wishes) {
    std::vector<std::string> values;
    for (const auto& each : wishes.wanted) values.push_back(each.details.substr(each.details.find('\'')));
    return values;
}

}  // namespace

TEST_CASE("foresight: a list whose rows are asked for one by one has as many fetched as are asked for") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 1; id <= 40; ++id) {
        CHECK(page(world, actor, id, 3) == 0);
        world.wishes.wanted.clear();
    }
    (void)ask(world, actor, query("SELECT v FROM t WHERE id = 1000"), list_of({"a", "b", "c", "d"}));
    CHECK(values_wanted(world.wishes) == std::vector<std::string>{"'a'", "'b'", "'c'"});
    const auto before = world.foresight.counts();
    const std::vector<Prefetch> wanted = world.wishes.wanted;
    for (const Prefetch& each : wanted) {
        world.wishes.wanted = {each};
        fetch(world, rows("fetched"));
    }
    SUBCASE("in their order") {
        for (const char* value : {"a", "b", "c"})
            CHECK(ask(world, actor, query("SELECT v FROM u WHERE k = '" + std::string(value) + "'"), ""));
        CHECK(world.foresight.counts().used == before.used + 3);
        CHECK(world.foresight.counts().wasted == before.wasted);
    }
    SUBCASE("in another") {
        for (const char* value : {"c", "a", "b"})
            CHECK(ask(world, actor, query("SELECT v FROM u WHERE k = '" + std::string(value) + "'"), ""));
        CHECK(world.foresight.counts().used == before.used + 3);
    }
    SUBCASE("one of them, and then something else: the others were for nothing") {
        CHECK(ask(world, actor, query("SELECT v FROM u WHERE k = 'a'"), ""));
        CHECK(world.foresight.counts().wasted == before.wasted);
        (void)ask(world, actor, query("SELECT v FROM t WHERE v = 'x'"), rows("y"));
        CHECK(world.foresight.counts().used == before.used + 1);
        CHECK(world.foresight.counts().wasted == before.wasted + 2);
    }
}

TEST_CASE("foresight: a list of which the first row alone is asked for has nothing else fetched") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 1; id <= 40; ++id) {
        (void)page(world, actor, id, 1);
        world.wishes.wanted.clear();
    }
    (void)ask(world, actor, query("SELECT v FROM t WHERE id = 1000"), list_of({"a", "b", "c", "d"}));
    CHECK(values_wanted(world.wishes) == std::vector<std::string>{"'a'"});
}

TEST_CASE("foresight: of an answer whole rows are kept within a bound, or the first one's beginning") {
    const std::string small = data_row("abc"), large = data_row(std::string(1'000, 'x'));
    std::string many;
    for (int i = 0; i < 100; ++i) many += small;
    CHECK(Trail::kept_rows(small + small) == small + small);
    CHECK(Trail::kept_rows(many).size() == forecast::FanOut::kRows * small.size());
    CHECK(Trail::kept_rows(large + small) == large.substr(0, Trail::kPartBytesMax));
    CHECK(Trail::kept_rows(small + large + large + large) == small + large + large);
    CHECK(Trail::kept_rows(small + small.substr(0, 7)) == small);
    CHECK(Trail::kept_rows(small + command_complete("SELECT 1")) == small);
    CHECK(Trail::kept_rows(command_complete("SELECT 0")).empty());
    CHECK(Trail::kept_rows("").empty());
}

TEST_CASE("foresight: an answer that is there already is not fetched") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 0; id < 40; ++id) (void)chain(world, actor, id);
    world.wishes.wanted.clear();
    const auto there = world.foresight.counts().there;
    Actor other(world.stage);
    (void)ask(world, other, query("SELECT v FROM t WHERE id = 39"), rows("-"));  // a hit, its next too
    CHECK(world.wishes.wanted.empty());
    CHECK(world.foresight.counts().there == there + 1);
}

TEST_CASE("foresight: prepared statements, with the parameter of the request before") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 0; id < 42; ++id) {
        const std::string parse = id == 0 ? parse_complete() : "";
        world.wishes.wanted.clear();
        (void)ask(world, actor, extended("a", id == 0 ? "SELECT v FROM t WHERE id = $1" : "", number(id)),
                  parse + bind_complete() + rows("x"));
        if (id == 41) break;
        (void)ask(world, actor, extended("b", id == 0 ? "SELECT v FROM u WHERE id = $1" : "", number(id)),
                  parse + bind_complete() + rows("y"));
    }
    fetch(world, rows("fetched"));
    CHECK(ask(world, actor, extended("b", "", "41"), ""));
}

TEST_CASE("foresight: a session that goes elsewhere, or ends, has its fetch counted as wasted") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 0; id < 40; ++id) (void)chain(world, actor, id);
    const auto before = world.foresight.counts();
    (void)ask(world, actor, query("SELECT v FROM t WHERE id = 1000"), rows("5000"));
    CHECK(world.foresight.counts().prefetched == before.prefetched + 1);
    SUBCASE("it asks for something else, and time goes by") {
        world.stage.now_us += 20'000'000;
        (void)ask(world, actor, query("SELECT v FROM t WHERE id = 1001"), rows("5001"));
    }
    SUBCASE("it ends") {
        (void)actor.hang_up();
    }
    CHECK(world.foresight.counts().wasted == before.wasted + 1);
}

TEST_CASE("foresight: one that is asked for before its answer is there is late, not wasted") {
    Watched world;
    Actor actor(world.stage);
    for (int id = 0; id < 40; ++id) (void)chain(world, actor, id);
    const auto before = world.foresight.counts();
    CHECK_FALSE(chain(world, actor, 1'000));
    CHECK(world.foresight.counts().late == before.late + 1);
    CHECK(world.foresight.counts().wasted == before.wasted);
}

TEST_CASE("foresight: transaction commands between the requests do not part them") {
    Watched world;
    Actor actor(world.stage);
    const auto in_block = [&](int id) {
        actor.run("BEGIN", "BEGIN", 'T');
        actor.client_sends(query("SELECT v FROM t WHERE id = " + number(id)));
        if (!actor.server.empty()) actor.server_sends(rows(number(id), 'T'));
        world.stage.now_us += 2'000;
        actor.run("COMMIT", "COMMIT");
        actor.take_server();
        world.stage.now_us += 2'000;
        (void)ask(world, actor, query("SELECT v FROM u WHERE k = " + number(id)), rows("y"));
    };
    for (int id = 0; id < 41; ++id) {
        world.wishes.wanted.clear();
        in_block(id);
    }
    CHECK(world.wishes.wanted.size() == 1);
}

TEST_CASE("foresight: of another role nothing is known but what it asked itself") {
    Watched world;
    Actor alice(world.stage), bob(world.stage, "user=bob");
    for (int id = 0; id < 40; ++id) (void)chain(world, alice, id);
    world.wishes.wanted.clear();
    bob.client_sends(query("SELECT v FROM t WHERE id = 500"));
    REQUIRE(bob.server.find("current_setting") != std::string::npos);
    bob.take_server();
    bob.answer_probe("read committed", "other");
    world.stage.now_us += 2'000;
    bob.server_sends(rows("1"));
    CHECK(world.wishes.wanted.empty());
}

TEST_CASE("foresight: off, it does not even watch") {
    Watched world;
    world.foresight.set(settings(false));
    Actor actor(world.stage);
    for (int id = 0; id < 40; ++id) (void)chain(world, actor, id);
    CHECK(world.wishes.wanted.empty());
    CHECK(world.foresight.rows(0).empty());
}

TEST_CASE("foresight: a query that is not kept may tell the next as well") {
    Watched world;
    Actor actor(world.stage);
    const auto visit = [&](int id) {  // random() is volatile
        (void)ask(world, actor, query("SELECT v, random() FROM t WHERE id = " + number(id)),
                  rows(number(id * 3)));
        return ask(world, actor, query("SELECT v FROM u WHERE k = " + number(id * 3)), rows("y"));
    };
    for (int id = 0; id < 40; ++id) (void)visit(id);
    world.wishes.wanted.clear();
    (void)ask(world, actor, query("SELECT v, random() FROM t WHERE id = 1000"), rows("77"));
    fetch(world, rows("fetched"));
    CHECK(ask(world, actor, query("SELECT v FROM u WHERE k = 77"), rows("not asked")));
}

TEST_CASE("foresight: where nothing more is taken, nothing is awaited") {
    Watched world;
    world.wishes.full = true;
    Actor actor(world.stage);
    for (int id = 0; id < 60; ++id) (void)chain(world, actor, id);
    CHECK(world.foresight.counts().prefetched == 0);
    CHECK(world.foresight.counts().late == 0);
}

TEST_CASE("foresight: watching a hit allocates nothing") {
    Watched world;
    Actor actor(world.stage);
    const std::string one = query("SELECT v FROM t WHERE id = 1"),
                      two = query("SELECT v FROM u WHERE id = 7");
    actor.client.reserve(64 * 1024);
    world.stage.store.set_limits(64 << 20, 3'600'000);
    for (int round = 0; round < 10; ++round) {
        (void)ask(world, actor, one, rows("a"));
        (void)ask(world, actor, two, rows("b"));
        world.stage.now_us += 20'000'000;  // nobody takes them for a chain
    }
    actor.take_client();
    actor.client.reserve(64 * 1024);
    const int hits = world.stage.tally.hits;
    const std::size_t before = warmfront::test::allocations();
    for (int round = 0; round < 100; ++round) {
        world.stage.now_us += 20'000'000;
        actor.client_sends(round % 2 == 0 ? one : two);
    }
    CHECK(warmfront::test::allocations() == before);
    CHECK(world.stage.tally.hits == hits + 100);
}

TEST_CASE("foresights: what the workers learnt is shown as one") {
    Stage stage;
    Foresights all(2, stage.store, nullptr, settings());
    for (std::size_t worker = 0; worker < 2; ++worker) {
        stage.foresight = &all.of_worker(worker);
        Actor actor(stage);
        for (int id = 0; id < 5; ++id) {
            for (const char* table : {"t", "u"}) {
                actor.client_sends(
                    query("SELECT v FROM " + std::string(table) + " WHERE id = " + number(id)));
                if (actor.server.find("current_setting") != std::string::npos) {
                    actor.server.clear();
                    actor.answer_probe();
                }
                if (!actor.take_server().empty()) actor.server_sends(rows("x"));
            }
        }
    }
    const auto rows = all.rows(stage.now_us);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].row.seen == 10);
    CHECK(rows[1].row.seen == 8);
    CHECK(rows[0].from.text.find("FROM t") != std::string::npos);
    CHECK(rows[0].to.database == "app");
}

}  // namespace warmfront::session::test
