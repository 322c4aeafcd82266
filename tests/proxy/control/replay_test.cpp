#include "proxy/control/replay.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "cache/key.h"
#include "sql/tokenizer.h"

using namespace warmfront;
using namespace warmfront::control;

namespace {

const std::string kNull(1, '\0');

sql::SessionSettings settings() {
    sql::SessionSettings settings;
    settings.database = "app";
    for (const auto name : sql::probed_settings()) settings.values.push_back("v of " + std::string(name));
    settings.values[7] = kNull;
    settings.values.push_back("tenant 1");
    settings.watched = {"app.tenant"};
    return settings;
}

// What follows the row limit in the key of an extended one.
std::string details_of(std::string_view types, std::string_view after_names) {
    cache::KeyBuilder builder;
    builder.start(1, 2, 'E', 0);
    const auto head = builder.finish().bytes.size();
    builder.append_sized(types);
    builder.append(after_names);
    return std::string(builder.finish().bytes.substr(head));
}

}  // namespace

TEST_CASE("replay: a simple query's literals come back where they were") {
    for (const std::string_view statement :
         {"SELECT 1", "SELECT a FROM t WHERE id = 42 AND s = 'it''s' AND e = E'\\n'",
          "SELECT \"odd \"\" name\", 1.5e3, $$x 'y'$$, -7, B'01', x'ff' FROM t LIMIT 10",
          "SELECT /* warmfront: ttl=5s */ 5, '' FROM t", "SELECT a, 1 -- end", "SELECT 'a' 'b'"}) {
        CAPTURE(statement);
        std::string text, literals, text_again, literals_again;
        REQUIRE(sql::normalize(statement, {}, text, literals));
        const auto replay = replay_of(settings(), text, 'Q', 0, literals);
        const bool whole = statement != "SELECT 'a' 'b'";  // two strings, one literal: in two lines only
        REQUIRE((replay || !whole));
        if (!replay) continue;
        REQUIRE(sql::normalize(replay->statement, {}, text_again, literals_again));
        CHECK(text_again == text);
        CHECK(literals_again == literals);
    }
}

TEST_CASE("replay: text and back") {
    const std::string bind("\0\1\0\1\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\1\0\1", 22);
    REQUIRE(bind_of(bind));
    const auto extended = replay_of(settings(), "SELECT \"\xc3\xa4\" FROM t WHERE a = $1 AND b = $2", 'E', 9,
                                    details_of(std::string("\0\0\0\27\0\0\0\0", 8), bind));
    REQUIRE(extended);
    CHECK(extended->bind == bind);
    CHECK(extended->parameter_types.size() == 8);
    CHECK(*extended->setting("app.tenant") == "tenant 1");
    CHECK(extended->setting("no_such") == nullptr);
    std::string text, literals;
    REQUIRE(sql::normalize("SELECT 'x', 1", {}, text, literals));
    const auto simple = replay_of(settings(), text, 'Q', 0, literals);
    REQUIRE(simple);
    for (const Replay& replay : {*extended, *simple}) {
        const auto written = text_of(replay);
        REQUIRE(written);
        auto read = parse_replay(*written);
        REQUIRE(read);
        auto expected = replay;
        std::ranges::sort(expected.settings);
        std::ranges::sort(read->settings);
        CHECK(*read == expected);
    }
}

TEST_CASE("replay: what is none is refused") {
    for (const std::string_view text :
         {"", "{", "[]", "1", "{}", R"({"v": 2, "database": "d", "statement": "s"})",
          R"({"v": 1, "statement": "s"})", R"({"v": 1, "database": "d"})", R"({"v": 1, "database": 5})",
          R"({"v": 1, "database": "d", "statement": "s", "kind": "x"})",
          R"({"v": 1, "database": "d", "statement": "s\u0000t"})",
          R"({"v": 1, "database": "d", "statement": "s", "settings": []})",
          R"({"v": 1, "database": "d", "statement": "s", "settings": {"a": 1}})",
          R"({"v": 1, "database": "d", "statement": "s", "kind": "extended", "bind": "00"})",
          R"({"v": 1, "database": "d", "statement": "s", "kind": "extended", "bind": "0x"})",
          R"({"v": 1, "database": "d", "statement": "s", "kind": "extended", "types": "00",
              "bind": "000000000000"})"}) {
        CAPTURE(text);
        const auto replay = parse_replay(text);
        REQUIRE_FALSE(replay);
        CHECK(replay.error().sqlstate == "22023");
    }
    CHECK_FALSE(parse_replay(std::string(kReplayBytesMax + 1, ' ')));
    CHECK_FALSE(replay_of(settings(), "SELECT \1, \1", 'Q', 0, ""));
    CHECK_FALSE(replay_of(settings(), std::string(kReplayBytesMax, 'x'), 'Q', 0, ""));
    Replay latin;
    latin.database = "d";
    latin.statement = "SELECT '\xe4'";
    CHECK_FALSE(text_of(latin));
}
