#include "cache/store.h"

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "cache/expiry.h"
#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;

static constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_CASE("expiry: an answer is too old from its ttl on, and never before it was asked for") {
    struct Row {
        std::uint64_t filled_at, now, ttl;
        bool is;
    };
    for (const auto& [filled_at, now, ttl, is] : std::vector<Row>{{100, 100, 10, false},
                                                                  {100, 109, 10, false},
                                                                  {100, 110, 10, true},
                                                                  {100, 5'000, 10, true},
                                                                  {100, 99, 10, false},
                                                                  {100, 0, 1, false},
                                                                  {100, 100, 0, true}}) {
        CAPTURE(filled_at);
        CAPTURE(now);
        CAPTURE(ttl);
        CHECK(expired(filled_at, now, ttl) == is);
    }
}

TEST_CASE("store: gives what was filled, under its key alone") {
    Store store{{.memory_bytes = kMiB}};
    CHECK(body_of(store.find(key_of("a"), 0)) == "(miss)");
    CHECK(store.fill(entry_of("a", "A")));
    CHECK(body_of(store.find(key_of("a"), 0)) == "A");
    CHECK(body_of(store.find(key_at("b", hash_of("a")), 0)) == "(miss)");
    CHECK(store.stats().entries == 1);
    store.clear();
    CHECK(body_of(store.find(key_of("a"), 0)) == "(miss)");
    CHECK(store.stats().entries == 0);
    CHECK(store.fill(entry_of("a", "again")));
    CHECK(body_of(store.find(key_of("a"), 0)) == "again");
}

TEST_CASE("store: an entry with a lifetime of its own is kept as long as that says") {
    struct Row {
        sql::Lifetime lifetime;
        std::uint64_t kept_ms;
    };
    for (const auto& [lifetime, kept_ms] : std::vector<Row>{
             {{0, true}, 10}, {{5, true}, 5}, {{5, false}, 5}, {{50, true}, 10}, {{50, false}, 50}}) {
        CAPTURE(kept_ms);
        Store store{{.memory_bytes = kMiB, .ttl_ms = 10}};
        REQUIRE(store.fill(Entry::make(key_of("a"), {}, {}, "A", 100, {.lifetime = lifetime})));
        CHECK(store.find(key_of("a"), 100 + kept_ms - 1));
        CHECK_FALSE(store.find(key_of("a"), 100 + kept_ms));
    }
}

TEST_CASE("store: an old entry is removed when it is looked up") {
    Store store{{.memory_bytes = kMiB, .ttl_ms = 10}};
    REQUIRE(store.fill(entry_of("a", "A", 100)));
    CHECK(store.find(key_of("a"), 109));
    CHECK_FALSE(store.find(key_of("a"), 110));
    CHECK(store.stats().expired == 1);
    CHECK(store.stats().entries == 0);
    CHECK_FALSE(store.find(key_of("a"), 109));
}

TEST_CASE("store: a write voids entries and refuses fills that were asked for before it") {
    WriteLog log;
    Line* line = &log.line("db", sql::Oid{1});
    Store store{{.memory_bytes = kMiB}};
    const FillTicket ticket = observe({&line, 1});
    REQUIRE(store.fill(entry_of(key_of("a"), ticket.seen, "A")));
    begin({&line, 1});
    CHECK_FALSE(store.find(key_of("a"), 0));
    CHECK(store.stats().voided == 1);
    CHECK(store.stats().entries == 0);
    CHECK_FALSE(store.fill(entry_of(key_of("a"), ticket.seen, "A")));
    end({&line, 1});
    CHECK_FALSE(store.fill(entry_of(key_of("a"), ticket.seen, "A")));
    CHECK(store.stats().fills_refused == 2);
}

TEST_CASE("store: what may be stale is given as such, until a write or its time is over") {
    WriteLog log;
    Line* const lines[] = {&log.line("db", sql::Oid{}), &log.line("db", sql::Oid{1})};
    Line* const table[] = {lines[1]};
    enum class Event { None, Loss, Write, LossThenWrite, LossThenEverything };
    struct Row {
        Event event;
        std::uint32_t stale_ms;
        std::uint64_t after_ms;  // a ttl of 10
        std::string_view found, found_stale;
    };
    for (const auto& [event, stale_ms, after_ms, found, found_stale] :
         std::vector<Row>{{Event::None, 30, 9, "A", "A"},
                          {Event::None, 30, 10, "(miss)", "A"},
                          {Event::None, 30, 39, "(miss)", "A"},
                          {Event::None, 30, 40, "(miss)", "(miss)"},
                          {Event::None, 0, 10, "(miss)", "(miss)"},
                          {Event::Loss, 30, 0, "(miss)", "A"},
                          {Event::Loss, 30, 39, "(miss)", "A"},
                          {Event::Loss, 30, 40, "(miss)", "(miss)"},
                          {Event::Loss, 0, 0, "(miss)", "(miss)"},
                          {Event::Write, 30, 0, "(miss)", "(miss)"},
                          {Event::LossThenWrite, 30, 0, "(miss)", "(miss)"},
                          {Event::LossThenEverything, 30, 0, "(miss)", "(miss)"}}) {
        CAPTURE(static_cast<int>(event));
        CAPTURE(stale_ms);
        CAPTURE(after_ms);
        Store store{{.memory_bytes = kMiB, .ttl_ms = 10}};
        REQUIRE(store.fill(Entry::make(key_of("a"), observe(lines).seen, {}, "A", 100,
                                       {.lifetime = {.stale_ms = stale_ms}})));
        if (event == Event::Loss || event >= Event::LossThenWrite) log.lost_sight();
        if (event == Event::Write || event == Event::LossThenWrite) begin(table), end(table);
        if (event == Event::LossThenEverything) log.everything_changed("db");
        CHECK(body_of(store.find(key_of("a"), 100 + after_ms)) == found);
        CHECK(body_of(store.find_stale(key_of("a"), 100 + after_ms)) == found_stale);
        CHECK(store.stats().entries == (found_stale == "(miss)" ? 0 : 1));
        // A newer answer takes its place.
        CHECK(store.fill(Entry::make(key_of("a"), observe(lines).seen, {}, "B", 150, {})));
        CHECK(body_of(store.find(key_of("a"), 150)) == "B");
    }
}

TEST_CASE("store: of two answers to one key the later asked stays") {
    WriteLog log;
    Line* line = &log.line("db", sql::Oid{1});
    Store store{{.memory_bytes = kMiB}};
    REQUIRE(store.fill(entry_of(key_of("a"), observe({&line, 1}).seen, "at 5", 5)));
    CHECK_FALSE(store.fill(entry_of(key_of("a"), observe({&line, 1}).seen, "at 4", 4)));
    CHECK(body_of(store.find(key_of("a"), 5)) == "at 5");
    CHECK(store.fill(entry_of(key_of("a"), observe({&line, 1}).seen, "at 6", 6)));
    CHECK(body_of(store.find(key_of("a"), 6)) == "at 6");
    begin({&line, 1});
    end({&line, 1});
    CHECK(store.fill(entry_of(key_of("a"), observe({&line, 1}).seen, "a void one gives way", 1)));
    CHECK(store.stats().entries == 1);
}

TEST_CASE("store: what a shard cannot hold is refused, and so is nothing") {
    Store store{{.memory_bytes = kMiB, .shards = 4}};
    CHECK(store.fill(entry_of("small", std::string(kMiB / 8, 'x'))));
    CHECK_FALSE(store.fill(entry_of("large", std::string(kMiB / 4, 'x'))));
    CHECK_FALSE(store.fill(EntryRef()));
    Store tiny{{.memory_bytes = 0}};
    CHECK_FALSE(tiny.fill(entry_of("a", "A")));
}

TEST_CASE("store: a reader keeps what the store dropped") {
    Store store{{.memory_bytes = kMiB}};
    REQUIRE(store.fill(entry_of("a", "A")));
    const EntryRef kept = store.find(key_of("a"), 0);
    store.clear();
    CHECK(body_of(kept) == "A");
}

TEST_CASE("store: a smaller budget evicts, a shorter ttl counts at once") {
    Store store{{.memory_bytes = 16 * kMiB, .ttl_ms = 1'000}};
    for (int i = 0; i < 4'000; ++i) store.fill(entry_of(std::to_string(i), std::string(1'000, 'x')));
    const std::uint64_t before = store.stats().bytes;
    REQUIRE(before > 4 * kMiB);
    store.set_limits(kMiB, 1'000);
    CHECK(store.stats().bytes <= kMiB);
    CHECK(store.stats().evictions > 2'000);
    store.set_limits(kMiB, 5);
    for (int i = 0; i < 4'000; ++i) CHECK_FALSE(store.find(key_of(std::to_string(i)), 5));
    CHECK(store.stats().entries == 0);
}

// What the store may remember, by a plain map: the store may have forgotten any of it, but must not give
// anything else.
struct Model {
    struct Value {
        std::string body;
        std::uint64_t filled_at;
        FillTicket ticket;
    };
    std::map<std::string, Value> values;
    std::uint64_t ttl;

    [[nodiscard]] bool valid(const Value& value, std::uint64_t now) const {
        return value.ticket.current() && now - value.filled_at < ttl;
    }
};

TEST_CASE("store: agrees with a map and stays within its budget") {
    for (const std::size_t memory : {100'000ul, 300'000ul, 64 * kMiB}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            CAPTURE(memory);
            CAPTURE(seed);
            std::mt19937_64 random{seed};
            WriteLog log;
            Model model{{}, 500};
            const std::size_t shards = memory > kMiB ? seed : 1;
            Store store{{.memory_bytes = memory, .ttl_ms = model.ttl, .shards = shards}};
            std::uint64_t now = 1'000, found = 0;
            for (int step = 0; step < 30'000; ++step) {
                const std::uint64_t dice = random() % 1'000;
                const std::string name = std::to_string(random() % 400);
                Line* line = &log.line("db", static_cast<sql::Oid>(random() % 8));
                now += random() % 2;
                if (dice < 600) {
                    const EntryRef entry = store.find(key_of(name), now);
                    const auto expected = model.values.find(name);
                    const bool valid = expected != model.values.end() && model.valid(expected->second, now);
                    if (entry) {
                        REQUIRE(valid);
                        REQUIRE(body_of(entry) == expected->second.body);
                        ++found;
                    } else if (valid) {
                        REQUIRE(memory < 64 * kMiB);  // only a full store forgets
                    }
                } else if (dice < 980) {
                    const FillTicket ticket = observe({&line, 1});
                    const std::string body(random() % 2'000, static_cast<char>('a' + random() % 26));
                    if (store.fill(entry_of(key_of(name), ticket.seen, body, now))) {
                        model.values[name] = {body, now, ticket};
                        REQUIRE(store.stats().bytes <= memory);
                    }
                } else if (dice < 999) {
                    begin({&line, 1});
                    end({&line, 1});
                } else {
                    store.clear();
                    model.values.clear();
                }
            }
            CHECK(found > 0);
        }
    }
}

TEST_CASE("store: threads may find, fill, void, clear and resize at once") {
    WriteLog log;
    Store store{{.memory_bytes = 2 * kMiB, .ttl_ms = 50, .shards = 2}};
    std::atomic<std::uint64_t> hits{0};
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            threads.emplace_back([&, seed] {
                std::mt19937_64 random{seed};
                for (std::uint64_t step = 0; step < 20'000; ++step) {
                    const std::string name = std::to_string(random() % 500);
                    Line* line = &log.line("db", static_cast<sql::Oid>(random() % 4));
                    if (const EntryRef entry = store.find(key_of(name), step)) {
                        REQUIRE(entry->key().bytes == name);
                        REQUIRE(body_of(entry).starts_with(name));
                        ++hits;
                        continue;
                    }
                    const FillTicket ticket = observe({&line, 1});
                    store.fill(
                        entry_of(key_of(name), ticket.seen, name + std::string(random() % 9'000, 'x'), step));
                    if (step % 64 == 0) begin({&line, 1}), end({&line, 1});
                    if (step % 5'000 == 0) store.clear();
                    if (step % 1'000 == 0) store.set_limits((1 + random() % 2) * kMiB, 50);
                }
            });
        }
    }
    CHECK(hits > 0);
    CHECK(store.stats().bytes <= 2 * kMiB);
}

TEST_CASE("store: a glance leaves no trace, and tells what a look-up would find") {
    WriteLog log;
    Line& line = log.line("app", sql::Oid{1});
    Store store{{.memory_bytes = kMiB, .ttl_ms = 100}};
    CHECK_FALSE(store.glance(key_of("a"), 0).current);
    const Seen seen{&line, line.sequence.load()};
    CHECK(store.fill(entry_of(key_of("a"), {&seen, 1}, "A", 50)));
    const auto glance = store.glance(key_of("a"), 149);
    CHECK(glance.current);
    CHECK(glance.filled_at_ms == 50);
    CHECK(glance.expires_at_ms == 150);
    CHECK(glance.charge > 0);
    CHECK_FALSE(store.glance(key_of("a"), 150).current);
    CHECK_FALSE(store.glance(key_of("a"), 150).overtaken);
    Line* const changed[] = {&line};
    begin(changed);
    end(changed);
    CHECK(store.glance(key_of("a"), 60).overtaken);
    CHECK_FALSE(store.glance(key_of("a"), 60).current);
    const auto stats = store.stats();
    CHECK(stats.entries == 1);
    CHECK(stats.voided + stats.expired == 0);
}

TEST_CASE("store: what nobody has asked for yet is counted when it is used, or leaves unused") {
    Worth worth;
    Store store{{.memory_bytes = kMiB, .ttl_ms = 100}};
    const auto fetched = [&](std::string_view key, std::uint64_t at_ms) {
        return Entry::make(key_of(key), {}, {}, "body", at_ms, {.worth = &worth, .worth_us = 7});
    };
    CHECK(store.fill(fetched("used", 0)));
    CHECK(store.fill(fetched("expires", 0)));
    CHECK(store.fill(fetched("replaced", 0)));
    CHECK(store.fill(fetched("cleared", 0)));
    CHECK_FALSE(store.fill(fetched("used", 0)));  // not newer
    CHECK(worth.fetched == 4);
    CHECK(store.glance(key_of("used"), 0).awaits_use);
    CHECK(body_of(store.find(key_of("used"), 1)) == "body");
    CHECK(body_of(store.find(key_of("used"), 1)) == "body");
    CHECK_FALSE(store.glance(key_of("used"), 0).awaits_use);
    CHECK(worth.used == 1);
    CHECK(worth.saved_us == 7);
    CHECK(worth.unused == 0);
    CHECK(body_of(store.find(key_of("expires"), 100)) == "(miss)");
    CHECK(worth.unused == 1);
    CHECK(store.fill(entry_of("replaced", "new", 50)));
    CHECK(worth.unused == 2);
    store.clear();
    CHECK(worth.unused == 3);
    CHECK(worth.used + worth.unused == worth.fetched);
}
