#include "cache/disk_value.h"

#include <doctest/doctest.h>

#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;

namespace {

struct Sample {
    WriteLog log;
    std::vector<Seen> seen;
    EntryRef entry;
    explicit Sample(std::string_view description = "TTTT", std::string_view body = "DDDD-C") {
        for (unsigned oid = 0; oid < 3; ++oid) {
            Line* line = &log.line("db", sql::Oid{oid});
            line->sequence = 1'000'000'000'000 + oid;
            seen.push_back({line, line->sequence});
        }
        entry = Entry::make(key_of("the key"), seen, description, body, 123'456,
                            {.lifetime = {7'000, false, 9'000}});
    }
    [[nodiscard]] std::string bytes(std::uint64_t writer = 5) const {
        std::string out;
        append_disk_value(out, *entry, writer);
        return out;
    }
};

}  // namespace

TEST_CASE("disk value: an entry comes back as it was") {
    for (const auto& [description, body] : std::vector<std::pair<std::string, std::string>>{
             {"TTTT", "DDDD-C"}, {"", "C"}, {"T", ""}, {std::string(300, 'T'), std::string(70'000, 'D')}}) {
        CAPTURE(description.size());
        const Sample sample(description, body);
        const std::string bytes = sample.bytes();
        CHECK(bytes.size() == disk_value_bytes(*sample.entry));
        const auto value = read_disk_value(bytes, 5);
        REQUIRE(value);
        CHECK(value->key == "the key");
        CHECK(value->row_description == description);
        CHECK(value->rows_and_close == body);
        CHECK(value->filled_at_ms == 123'456);
        CHECK(value->lifetime == sql::Lifetime{7'000, false, 9'000});
        REQUIRE(value->seen_count == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK(value->sequence(i) == sample.seen[i].sequence);
    }
}

TEST_CASE("disk value: whatever bit is turned, wherever it is cut, whoever else wrote it: it is refused") {
    const Sample sample;
    const std::string good = sample.bytes();
    REQUIRE(read_disk_value(good, 5));
    CHECK_FALSE(read_disk_value(good, 6));
    for (std::size_t at = 0; at < good.size(); ++at) {
        CAPTURE(at);
        for (int bit = 0; bit < 8; ++bit) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
            const auto value = read_disk_value(bad, 5);
            REQUIRE_FALSE(value);
            CHECK(value.error().sqlstate == "XX001");
        }
        CHECK_FALSE(read_disk_value(std::string_view(good).substr(0, at), 5));
    }
    CHECK_FALSE(read_disk_value(good + "x", 5));
}
