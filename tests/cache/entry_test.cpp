#include "cache/entry.h"

#include <thread>

#include <doctest/doctest.h>

#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;

TEST_CASE("entry: gives back what it was made of") {
    struct Row {
        std::string_view name, key, row_description, rows;
        std::size_t lines;
    };
    WriteLog log;
    for (const auto& [name, key, row_description, rows, lines] :
         std::vector<Row>{{"everything", "key", "T....", "D...C...", 3},
                          {"without a row description", "key", "", "C...", 1},
                          {"no lines", "key", "T...", "C...", 0},
                          {"nothing at all", "", "", "", 0},
                          {"zero bytes", {"\0k\0", 3}, {"T\0", 2}, {"\0\0", 2}, 64}}) {
        CAPTURE(name);
        std::vector<Seen> seen;
        for (std::size_t i = 0; i < lines; ++i)
            seen.push_back({&log.line("db", static_cast<sql::Oid>(i)), i + 1});
        const EntryRef entry = Entry::make(key_of(key), seen, row_description, rows, 77);
        REQUIRE(entry);
        CHECK(entry->key() == key_of(key));
        REQUIRE(entry->seen().size() == lines);
        for (std::size_t i = 0; i < lines; ++i) {
            CHECK(entry->seen()[i].line == seen[i].line);
            CHECK(entry->seen()[i].sequence == seen[i].sequence);
        }
        CHECK(entry->has_row_description() == !row_description.empty());
        CHECK(entry->with_row_description() == std::string(row_description) + std::string(rows));
        CHECK(entry->without_row_description() == rows);
        CHECK(entry->filled_at_ms() == 77);
    }
}

TEST_CASE("entry: is charged at least what it holds, and little more") {
    for (const std::size_t bytes : {0, 1, 100, 10'000, 1'000'000}) {
        CAPTURE(bytes);
        const std::string body(bytes, 'x');
        const EntryRef entry = entry_of("key", body);
        const std::size_t holds = sizeof(Entry) + 3 + bytes;
        CHECK(entry->charge() > holds);
        CHECK(entry->charge() <= holds + holds / 8 + 64);
    }
}

TEST_CASE("entry: is current until any of its lines moves") {
    WriteLog log;
    for (int moved = 0; moved < 3; ++moved) {
        CAPTURE(moved);
        std::vector<Line*> lines;
        for (int oid = 0; oid < 3; ++oid) lines.push_back(&log.line("db", static_cast<sql::Oid>(oid)));
        const EntryRef entry = entry_of(key_of("k"), observe(lines).seen, "");
        CHECK(entry->current());
        cache::begin(std::span(lines).subspan(moved, 1));
        CHECK_FALSE(entry->current());
        cache::end(std::span(lines).subspan(moved, 1));
        CHECK_FALSE(entry->current());
    }
}

TEST_CASE("entry: lives as long as the last reference, whichever thread drops it") {
    EntryRef first = entry_of("key", "body");
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([mine = first] {
                for (int round = 0; round < 10'000; ++round) {
                    const EntryRef copy = mine;
                    REQUIRE(copy->without_row_description() == "body");
                }
            });
        }
        first = EntryRef();
    }
    CHECK_FALSE(first);
}

TEST_CASE("entry: a released reference is taken back whole") {
    EntryRef entry = entry_of("key", "body");
    const Entry* raw = entry.release();
    CHECK_FALSE(entry);
    CHECK(body_of(EntryRef::adopt(raw)) == "body");
}
