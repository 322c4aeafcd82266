#include "sql/template.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::sql;

namespace {

Template made(std::string text, std::uint32_t fingerprint = 1, std::uint64_t catalog_version = 1) {
    Template result;
    result.fingerprint = fingerprint;
    result.catalog_version = catalog_version;
    result.text = std::move(text);
    result.analysis.cacheable = true;
    return result;
}

std::string text_of(int number) {
    return "SELECT " + std::to_string(number);
}

}  // namespace

TEST_CASE(
    "template: an analysis without a catalog is not answered with one of a catalog that is not in force") {
    TemplateTable table(100);
    Template made;
    made.fingerprint = 1;
    made.text = "INSERT INTO t VALUES (@)";
    made.catalog_version = 5;
    const auto judged = table.insert(made);
    made.catalog_version = 0;
    made.analysis.effects.everything = true;
    const auto unjudged = table.insert(made);
    CHECK(unjudged->analysis.effects.everything);
    CHECK(unjudged->id == judged->id);
    CHECK(table.find(1, made.text, 5) == judged);
}

TEST_CASE("template: what was inserted is found by fingerprint, text and catalog version") {
    TemplateTable table(10);
    CHECK(table.find(1, "a", 1) == nullptr);
    const auto first = table.insert(made("a"));
    CHECK(table.find(1, "a", 1) == first);
    CHECK(first->text == "a");
    CHECK(first->analysis.cacheable);
    CHECK(first->id != 0);
    CHECK(table.find(2, "a", 1) == nullptr);
    CHECK(table.find(1, "b", 1) == nullptr);
    CHECK(table.find(1, "a ", 1) == nullptr);
    CHECK(table.find(1, "", 1) == nullptr);
    CHECK(table.find(1, "a", 2) == nullptr);
    CHECK(table.size() == 1);
}

TEST_CASE("template: ids differ between keys and stay with a key through catalog versions") {
    TemplateTable table(10);
    const auto first = table.insert(made("a"));
    const auto other_text = table.insert(made("b"));
    const auto other_session = table.insert(made("a", 2));
    CHECK(std::set{first->id, other_text->id, other_session->id}.size() == 3);

    const auto newer = table.insert(made("a", 1, 2));
    CHECK(newer->id == first->id);
    CHECK(newer->catalog_version == 2);
    CHECK(table.find(1, "a", 2) == newer);
    CHECK(table.find(1, "a", 1) == nullptr);
    CHECK(table.size() == 3);
}

TEST_CASE("template: the first analysis of a catalog version wins, and an older version never comes back") {
    TemplateTable table(10);
    Template second = made("a", 1, 5);
    second.analysis.cacheable = false;
    const auto first = table.insert(made("a", 1, 5));
    CHECK(table.insert(second) == first);
    CHECK(table.insert(made("a", 1, 4)) != first);
    CHECK(table.find(1, "a", 4) == nullptr);
    CHECK(table.find(1, "a", 5) == first);
    CHECK(table.parsed_total() == 3);
    CHECK(table.size() == 1);
}

TEST_CASE("template: the table never holds more than its bound, and the newest quarter is always there") {
    for (const int bound : {2, 3, 10, 100}) {
        CAPTURE(bound);
        TemplateTable table(static_cast<std::size_t>(bound));
        std::set<std::uint64_t> ids;
        for (int number = 0; number < 5 * bound; ++number) {
            CAPTURE(number);
            ids.insert(table.insert(made(text_of(number)))->id);
            REQUIRE(table.size() <= static_cast<std::size_t>(bound));
            for (int recent = std::max(0, number - std::max(1, bound / 4) + 1); recent <= number; ++recent)
                REQUIRE(table.find(1, text_of(recent), 1) != nullptr);
        }
        CHECK(ids.size() == static_cast<std::size_t>(5 * bound));
        CHECK(table.find(1, text_of(0), 1) == nullptr);
    }
}

TEST_CASE("template: a bound of nothing still lets statements through") {
    TemplateTable table(0);
    for (int number = 0; number < 5; ++number)
        CHECK(table.insert(made(text_of(number)))->text == text_of(number));
    CHECK(table.size() <= 2);
}

TEST_CASE("template: what is asked for survives any number of newcomers with its id") {
    TemplateTable table(100);
    std::vector<std::uint64_t> ids;
    for (int number = 0; number < 20; ++number) ids.push_back(table.insert(made(text_of(number)))->id);
    for (int number = 20; number < 2'000; ++number) {
        (void)table.insert(made(text_of(number)));
        for (int wanted = 0; wanted < 20; ++wanted) {
            const auto found = table.find(1, text_of(wanted), 1);
            REQUIRE(found != nullptr);
            REQUIRE(found->id == ids[static_cast<std::size_t>(wanted)]);
        }
        REQUIRE(table.size() <= 100);
    }
}

TEST_CASE("template: a statement that was dropped gets a new id") {
    TemplateTable table(4);
    const auto first = table.insert(made("a"));
    for (int number = 0; number < 10; ++number) (void)table.insert(made(text_of(number)));
    REQUIRE(table.find(1, "a", 1) == nullptr);
    CHECK(table.insert(made("a"))->id != first->id);
    CHECK(first->text == "a");  // who holds it may go on
}

TEST_CASE("template: long texts count by their bytes, and too long ones are not kept") {
    TemplateTable table(64);
    const auto longest = table.insert(made(std::string(kTextBytesMax, 'x')));
    CHECK(longest->analysis.cacheable);
    CHECK(table.find(1, longest->text, 1) == longest);

    const auto too_long = table.insert(made(std::string(kTextBytesMax + 1, 'x')));
    CHECK_FALSE(too_long->analysis.cacheable);
    CHECK(too_long->analysis.refusal.label == "statement_too_long");
    CHECK(too_long->id != longest->id);
    CHECK(table.find(1, too_long->text, 1) == nullptr);

    for (int number = 0; number < 64; ++number) {
        std::string text = text_of(number);
        text.resize(kTextBytesMax, 'x');
        (void)table.insert(made(text));
    }
    CHECK(table.size() <= 64 * kTextBytesMean / kTextBytesMax + 2);
    CHECK(table.size() >= 2);
}

TEST_CASE("template: a long example is cut between characters") {
    TemplateTable table(10);
    Template long_one = made("a");
    long_one.example = std::string(kExampleBytesMax - 1, 'x') + "\xc3\xa9tail";
    CHECK(table.insert(std::move(long_one))->example == std::string(kExampleBytesMax - 1, 'x'));
    Template exact = made("b");
    exact.example = std::string(kExampleBytesMax, 'x');
    CHECK(table.insert(std::move(exact))->example.size() == kExampleBytesMax);
    Template not_text = made("c");
    not_text.example = std::string(2 * kExampleBytesMax, '\x80');
    CHECK(table.insert(std::move(not_text))->example.empty());
}

TEST_CASE("template: threads that look up and insert see one id per key at a time") {
    TemplateTable table(64);
    std::atomic<int> wrong{0};
    const auto work = [&](unsigned seed) {
        for (int round = 0; round < 4'000; ++round) {
            seed = seed * 1664525u + 1013904223u;
            const std::string text = text_of(static_cast<int>(seed >> 24));
            const std::uint64_t version = 1 + static_cast<std::uint64_t>(round / 1'000);
            auto found = table.find(1, text, version);
            if (found == nullptr) found = table.insert(made(text, 1, version));
            if (found->text != text || found->catalog_version < version) ++wrong;
            if (table.size() > 64) ++wrong;
        }
    };
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}
