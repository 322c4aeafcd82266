#include "proxy/session/key_tally.h"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/session/answer_size.h"
#include "tests/allocations.h"
#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {
namespace {

cache::KeyView key_of(const std::string& bytes) {
    return {bytes, cache::hash_of(bytes)};
}

struct Tallied {
    KeyTally tally;
    std::shared_ptr<const sql::Template> statement = std::make_shared<sql::Template>();
    std::shared_ptr<const sql::SessionSettings> settings = std::make_shared<sql::SessionSettings>();
    void count(const std::string& key) { tally.count(key_of(key), statement, settings); }
    [[nodiscard]] std::map<std::string, KeyTally::Seen> seen() const {
        std::map<std::string, KeyTally::Seen> by_key;
        for (const auto& each : tally.seen()) by_key.emplace(each.key, each);
        return by_key;
    }
};

}  // namespace

TEST_CASE("key tally: as long as there is room, counts are exact") {
    Tallied tallied;
    for (int key = 0; key < 500; ++key)
        for (int i = 0; i <= key % 7; ++i) tallied.count("key " + std::to_string(key));
    const auto seen = tallied.seen();
    REQUIRE(seen.size() == 500);
    for (int key = 0; key < 500; ++key) {
        const auto& each = seen.at("key " + std::to_string(key));
        CHECK(each.count == static_cast<std::uint32_t>(key % 7 + 1));
        CHECK(each.error == 0);
        CHECK(each.statement == tallied.statement.get());
        CHECK(each.settings == tallied.settings.get());
    }
}

TEST_CASE("key tally: beyond its places the true count lies between count - error and count, hot keys stay") {
    Tallied tallied;
    std::map<std::string, std::uint32_t> exact;
    std::mt19937 random(11);
    // Half of all requests go to 50 keys, the rest to a million.
    for (int i = 0; i < 400'000; ++i) {
        const bool hot = random() % 2 == 0;
        const std::string key = (hot ? "hot " : "cold ") + std::to_string(random() % (hot ? 50 : 1'000'000));
        tallied.count(key);
        ++exact[key];
    }
    const auto seen = tallied.seen();
    CHECK(seen.size() == KeyTally::kPlaces);
    for (const auto& [key, each] : seen) {
        CAPTURE(key);
        CHECK(each.count >= exact[key]);
        CHECK(each.count - each.error <= exact[key]);
    }
    for (int key = 0; key < 50; ++key) CHECK(seen.contains("hot " + std::to_string(key)));
}

TEST_CASE("key tally: a key that is too long is counted as skipped") {
    Tallied tallied;
    tallied.count(std::string(kTallyKeyBytesMax, 'k'));
    tallied.count(std::string(kTallyKeyBytesMax + 1, 'k'));
    CHECK(tallied.seen().size() == 1);
    CHECK(tallied.tally.skipped() == 1);
}

TEST_CASE("key tally: counting takes nothing from the heap, new keys or known") {
    Tallied tallied;
    std::vector<std::string> keys;
    for (int key = 0; key < 20'000; ++key)
        keys.push_back("a key of some length, number " + std::to_string(key));
    const std::size_t before = warmfront::test::allocations();
    for (int round = 0; round < 2; ++round)
        for (const std::string& key : keys) tallied.count(key);
    CHECK(warmfront::test::allocations() == before);
}

TEST_CASE("key tally: reads that could be kept are counted, hit or miss, and nothing else") {
    Stage stage;
    Actor actor(stage);
    const auto ask = [&](const std::string& sql) { actor.client_sends(query(sql)); };
    ask("SELECT v FROM t WHERE id = 1");
    actor.answer_probe();
    actor.server_sends(rows("one"));
    ask("SELECT v FROM t WHERE id = 1");
    ask("SELECT v FROM t WHERE id = 1");
    ask("SELECT v FROM t WHERE id = 2");
    actor.server_sends(rows("two"));
    ask("SELECT random()");
    actor.server_sends(rows("0.5"));
    ask("INSERT INTO t VALUES (3)");
    actor.server_sends(command_complete("INSERT 0 1") + ready());
    std::multiset<std::uint32_t> counts;
    for (const auto& seen : stage.keys->seen()) {
        counts.insert(seen.count);
        CHECK(seen.settings->database == "app");
        CHECK(seen.statement->text.find("SELECT v FROM t") != std::string::npos);
    }
    CHECK(counts == std::multiset<std::uint32_t>{1, 3});
    CHECK(stage.tally.hits == 2);

    std::uint64_t requests = 0, answered_rows = 0, bytes = 0, hits = 0;
    for (const TemplateLoad& load : stage.ledger.loads()) {
        requests += load.requests;
        hits += load.hits;
        answered_rows += load.rows;
        bytes += load.bytes;
        const bool writes = load.text.starts_with("INSERT");
        CHECK(load.writes == (writes ? std::vector{sql::Oid{20001}} : std::vector<sql::Oid>{}));
        if (load.text.find("FROM t") != std::string::npos) CHECK(load.reads == std::vector{sql::Oid{20001}});
    }
    CHECK(requests == 6);
    CHECK(hits == 2);
    CHECK(answered_rows == 6);
    const auto size = [](const std::string& answer) { return answer.size() - ready().size(); };
    CHECK(bytes == 3 * size(rows("one")) + size(rows("two")) + size(rows("0.5")) +
                       command_complete("INSERT 0 1").size());
}

TEST_CASE("answer size: rows are the number that a command tag ends with") {
    using namespace std::string_view_literals;
    struct Row {
        std::string_view bytes;
        std::uint64_t rows;
    };
    for (const auto& [bytes, count] :
         std::vector<Row>{{"SELECT 12\0"sv, 12},
                          {"INSERT 0 3\0"sv, 3},
                          {"UPDATE 0\0"sv, 0},
                          {"CREATE TABLE\0"sv, 0},
                          {"C\0\0\0\x0dSELECT 10\0"sv, 10},
                          {"COPY 18446744073709551615\0"sv, 8446744073709551615U},
                          {"s\0\0\0\4"sv, 0},
                          {"", 0}}) {
        CAPTURE(bytes);
        CHECK(rows_of_close(bytes) == count);
    }
}

}  // namespace warmfront::session::test
