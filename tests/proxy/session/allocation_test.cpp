// What must not take from the heap.

#include <doctest/doctest.h>

#include "tests/allocations.h"
#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {
namespace {

// Asks over and over, once the first rounds have given every buffer its size.
void check_hits_are_free(Stage& stage, Actor& actor, const std::string& request, std::string_view answer) {
    constexpr int kRounds = 100;
    actor.client.reserve(64 * 1024);
    actor.server.reserve(1024);
    for (int round = 0; round < 10; ++round) actor.client_sends(request);
    REQUIRE(actor.client.ends_with(answer));
    actor.client.clear();
    const int hits_before = stage.tally.hits;
    const std::size_t before = warmfront::test::allocations();
    for (int round = 0; round < kRounds; ++round) actor.client_sends(request);
    CHECK(warmfront::test::allocations() == before);
    CHECK(stage.tally.hits == hits_before + kRounds);
    CHECK(actor.client.size() == kRounds * answer.size());
    CHECK(actor.server.empty());
}

}  // namespace

TEST_CASE("conversation: a hit allocates nothing") {
    Stage stage;
    Actor actor(stage);
    // Longer than any string keeps in itself.
    const std::string value(100, 'v'), sql = "SELECT v FROM t WHERE id = ";
    SUBCASE("simple") {
        const std::string request = query(sql + "1");
        actor.client_sends(request);
        actor.answer_probe();
        actor.server_sends(rows(value));
        actor.take_client();
        actor.take_server();
        check_hits_are_free(stage, actor, request, rows(value));
    }
    SUBCASE("extended, statement and all") {
        const std::string request = extended("", sql + "$1", "a parameter of more than a few bytes");
        const std::string answer = bind_complete() + rows(value);
        actor.client_sends(request);
        actor.answer_probe();
        actor.server_sends(parse_complete() + answer);
        actor.take_client();
        actor.take_server();
        check_hits_are_free(stage, actor, request, parse_complete() + answer);
    }
    SUBCASE("prepared") {
        const std::string name = "a_statement_with_a_name_of_some_length";
        const std::string answer = bind_complete() + rows(value);
        actor.client_sends(extended(name, sql + "$1", "a parameter of more than a few bytes"));
        actor.answer_probe();
        actor.server_sends(parse_complete() + answer);
        const std::string request = extended(name, "", "a parameter of more than a few bytes");
        actor.client_sends(request);
        actor.server_sends(answer);
        actor.take_client();
        actor.take_server();
        check_hits_are_free(stage, actor, request, answer);
    }
}

}  // namespace warmfront::session::test
