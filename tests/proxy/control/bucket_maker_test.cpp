#include "proxy/control/bucket_maker.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "proxy/control/lasting_key.h"
#include "sql/choices.h"

using namespace warmfront;
using namespace warmfront::control;

namespace {

std::shared_ptr<sql::Catalog> catalog() {
    auto made = std::make_shared<sql::Catalog>();
    const auto add = [&](unsigned oid, std::string name, char kind) {
        sql::Relation relation;
        relation.oid = sql::Oid{oid};
        relation.schema = "public";
        relation.name = std::move(name);
        relation.kind = kind;
        made->relations.push_back(std::move(relation));
    };
    add(1, "orders", 'r');
    add(2, "users", 'p');
    add(3, "open_orders", 'v');
    made->index();
    return made;
}

BucketMaker::Options options() {
    BucketMaker::Options made;
    made.catalog = [known = catalog()](const std::string& database) {
        return database == "app" ? known : nullptr;
    };
    return made;
}

session::TemplateLoad load(std::uint64_t digest, std::uint64_t requests, std::vector<sql::Oid> reads,
                           std::vector<sql::Oid> writes = {}) {
    session::TemplateLoad made;
    made.database = "app";
    made.text = "statement " + std::to_string(digest);
    made.digest = digest;
    made.requests = requests;
    made.hits = requests / 2;
    made.rows = 3 * requests;
    made.bytes = 10 * requests;
    made.origin_us = 100 * requests;
    made.reads = std::move(reads);
    made.writes = std::move(writes);
    return made;
}

// "database app: 7 requests 3 hits ...", by subject.
std::map<forecast::Subject, forecast::LoadCounts> by_subject(
    const std::vector<forecast::SubjectLoad>& loads) {
    std::map<forecast::Subject, forecast::LoadCounts> all;
    for (const auto& each : loads) CHECK(all.emplace(each.subject, each.counts).second);
    std::erase_if(all, [](const auto& each) { return each.second.none(); });
    return all;
}

constexpr auto kDatabase = forecast::SeriesName::Kind::Database;
constexpr auto kTable = forecast::SeriesName::Kind::Table;
constexpr auto kTemplate = forecast::SeriesName::Kind::Template;

struct Keys {
    std::shared_ptr<sql::Template> statement = std::make_shared<sql::Template>();
    std::shared_ptr<sql::SessionSettings> settings = std::make_shared<sql::SessionSettings>();
    Keys(std::uint64_t id, std::uint32_t fingerprint) {
        statement->id = id;
        statement->text = "SELECT v FROM t WHERE id = $1";
        statement->analysis.digest = 7;
        settings->fingerprint = fingerprint;
        settings->database = "app";
        settings->values.assign(sql::probed_settings().size(), "value");
    }
    [[nodiscard]] std::string key(std::string_view details) const {
        cache::KeyBuilder builder;
        builder.start(settings->fingerprint, statement->id, 'Q', 0);
        builder.append(details);
        return std::string(builder.finish().bytes);
    }
    void count(session::KeyTally& tally, std::string_view details, int times) const {
        const std::string bytes = key(details);
        for (int i = 0; i < times; ++i) tally.count({bytes, cache::hash_of(bytes)}, statement, settings);
    }
};

std::vector<session::KeyTallySlot> tallies(std::size_t count) {
    std::vector<session::KeyTallySlot> made;
    for (std::size_t i = 0; i < count; ++i) made.push_back(std::make_unique<session::KeyTally>());
    return made;
}

}  // namespace

TEST_CASE("bucket maker: what was counted since the last time, by database, table and statement") {
    BucketMaker maker(options());
    const sql::Oid orders{1}, users{2}, view{3}, gone{9};
    LoadSnapshot first;
    first.databases["app"] = {12, 4};
    first.templates = {load(1, 10, {orders, view}), load(2, 2, {}, {orders, gone})};
    (void)maker.loads(first);

    LoadSnapshot second;
    second.databases["app"] = {22, 8};
    second.templates = {load(1, 14, {orders, view}), load(2, 2, {}, {orders}),
                        load(3, 5, {orders, users}, {users})};
    const auto seen = by_subject(maker.loads(second));
    const std::map<forecast::Subject, forecast::LoadCounts> expected{
        {{kDatabase, "app", ""}, {.requests = 10, .hits = 4, .rows = 27, .bytes = 90, .origin_us = 900}},
        {{kTable, "app", "public.orders"}, {.reads = 9}},
        {{kTable, "app", "public.users"}, {.writes = 5}},
        {{kTemplate, "app", sql::digest_text(1)},
         {.requests = 4, .hits = 2, .rows = 12, .bytes = 40, .origin_us = 400}},
        {{kTemplate, "app", sql::digest_text(3)},
         {.requests = 5, .hits = 2, .rows = 15, .bytes = 50, .origin_us = 500}}};
    CHECK(seen == expected);
}

TEST_CASE("bucket maker: it tells which tables the statements of a bucket read") {
    std::map<std::string, std::vector<std::string>> told;
    auto with_reads = options();
    with_reads.reads = [&](const forecast::SeriesName& statement, const std::vector<std::string>& tables) {
        CHECK(statement.database == "app");
        told[statement.name] = tables;
    };
    BucketMaker maker(with_reads);
    LoadSnapshot snapshot;
    snapshot.templates = {load(7, 5, {sql::Oid{1}, sql::Oid{2}, sql::Oid{3}}), load(8, 0, {sql::Oid{1}})};
    (void)maker.loads(snapshot);
    CHECK(told == std::map<std::string, std::vector<std::string>>{
                      {sql::digest_text(7), {"public.orders", "public.users"}}});
}

TEST_CASE("bucket maker: an account that was given up and made anew counts from nothing") {
    BucketMaker maker(options());
    LoadSnapshot snapshot;
    snapshot.templates = {load(1, 100, {})};
    (void)maker.loads(snapshot);
    snapshot.templates = {load(1, 3, {})};
    const auto seen = by_subject(maker.loads(snapshot));
    CHECK(seen.at({kTemplate, "app", sql::digest_text(1)}).requests == 3);
    snapshot.templates = {};
    CHECK(by_subject(maker.loads(snapshot)).empty());
}

TEST_CASE("bucket maker: the keys of all workers are summed, under bytes that outlive the process") {
    BucketMaker maker(options());
    const Keys one(5, 1), other_process(77, 3);
    auto counted = tallies(2);
    one.count(*counted[0], "1", 3);
    one.count(*counted[1], "1", 4);
    one.count(*counted[1], "2", 5);
    one.count(*counted[1], "3", 1);  // once is not often
    const auto loads = maker.keys(counted, 60, 100);
    REQUIRE(loads.size() == 2);
    CHECK(loads[0].requests == 7);
    CHECK(loads[1].requests == 5);
    CHECK(loads[0].database == "app");
    CHECK(loads[0].name == sql::digest_text(7));
    CHECK(loads[0].key ==
          lasting_key(*other_process.settings, *other_process.statement, other_process.key("1")));
    CHECK(loads[0].key != loads[1].key);

    auto next = tallies(1);
    one.count(*next[0], "3", 1);  // the second time of late
    const auto later = maker.keys(next, 60, 100);
    REQUIRE(later.size() == 0);  // a little less than twice, decayed
    auto last = tallies(1);
    one.count(*last[0], "3", 1);
    CHECK(maker.keys(last, 60, 100).size() == 1);
}

TEST_CASE("bucket maker: settings that alter answers tell keys apart, time limits do not") {
    const Keys one(5, 1);
    Keys another(5, 2);
    const auto same = [&] {
        return lasting_key(*one.settings, *one.statement, one.key("1")) ==
               lasting_key(*another.settings, *another.statement, another.key("1"));
    };
    const auto& names = sql::probed_settings();
    for (std::size_t i = 0; i < names.size(); ++i) {
        CAPTURE(names[i]);
        another.settings->values[i] = "different";
        CHECK(same() == names[i].ends_with("_timeout"));
        another.settings->values[i] = "value";
    }
    another.statement->text += " LIMIT 1";
    CHECK_FALSE(same());
}

TEST_CASE(
    "bucket maker: what replays a key is asked for once, and only the most asked for keys are recorded") {
    int asked = 0;
    auto with_replay = options();
    with_replay.replay = [&](const session::KeyTally::Seen& seen) {
        ++asked;
        return "replay of " + seen.statement->text;
    };
    BucketMaker maker(with_replay);
    const Keys one(5, 1);
    for (int bucket = 0; bucket < 3; ++bucket) {
        auto counted = tallies(1);
        for (int key = 0; key < 20; ++key) one.count(*counted[0], std::to_string(key), 10 + 100 * (key < 4));
        const auto loads = maker.keys(counted, 60, 8);
        REQUIRE(loads.size() >= 4);
        CHECK(loads.size() <= 8);
        for (std::size_t i = 0; i < 4; ++i) CHECK(loads[i].requests == 110);
        if (bucket == 0) CHECK(loads[0].replay == "replay of SELECT v FROM t WHERE id = $1");
        if (bucket > 0) CHECK(loads[0].replay.empty());
    }
    CHECK(asked >= 4);
}
