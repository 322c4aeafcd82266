#include "cache/table.h"

#include <random>
#include <unordered_map>

#include <doctest/doctest.h>

#include "tests/cache/sample.h"

using namespace warmfront::cache;

TEST_CASE("table: agrees with a map while it grows and shrinks") {
    // Hashes of few bits make chains; whole ones spread.
    for (const std::uint64_t mask : {std::uint64_t{0}, std::uint64_t{0xff}, ~std::uint64_t{0}}) {
        CAPTURE(mask);
        std::mt19937_64 random{mask + 1};
        Table table;
        std::unordered_map<std::string, EntryRef> model;
        const int keys = mask == 0 ? 50 : 5'000;
        for (const int inserts_of_ten : {8, 2, 7, 1}) {  // growing and shrinking in turn
            for (int step = 0; step < 4 * keys; ++step) {
                const std::string name = std::to_string(random() % keys);
                const KeyView key = key_at(name, hash_of(name) & mask);
                const Entry* found = table.find(key);
                const auto expected = model.find(name);
                REQUIRE(found == (expected == model.end() ? nullptr : expected->second.get()));
                const bool insert = static_cast<int>(random() % 10) < inserts_of_ten;
                if (insert && found == nullptr) {
                    model[name] = entry_of(key, {}, "");
                    table.insert(model[name].get());
                } else if (!insert && found != nullptr) {
                    table.remove(found);
                    model.erase(expected);
                }
                REQUIRE(table.size() == model.size());
            }
        }
        for (const auto& [name, entry] : model) CHECK(table.find(entry->key()) == entry.get());
    }
}

TEST_CASE("table: takes at most 33 bytes per entry and one segment, and gives them back") {
    Table table;
    const std::size_t empty = table.bytes();
    std::vector<EntryRef> entries;
    for (int i = 0; i < 20'000; ++i) {
        entries.push_back(entry_of(std::to_string(i), ""));
        table.insert(entries.back().get());
        REQUIRE(table.bytes() <= 33 * table.size() + 2 * empty);
    }
    for (const EntryRef& entry : entries) {
        table.remove(entry.get());
        REQUIRE(table.bytes() <= 33 * table.size() + 2 * empty);
    }
    CHECK(table.size() == 0);
}

TEST_CASE("table: drain gives every entry once and leaves nothing") {
    Table table;
    for (int i = 0; i < 1'000; ++i) table.insert(entry_of(std::to_string(i), "").release());
    Dropped dropped;
    int count = 0;
    table.drain([&](const Entry* entry) {
        dropped.add(entry);
        ++count;
    });
    CHECK(count == 1'000);
    CHECK(table.size() == 0);
    CHECK(table.find(key_of("7")) == nullptr);
}
