#include "cache/key.h"

#include <set>

#include <doctest/doctest.h>

#include "tests/cache/sample.h"

using namespace warmfront::cache;

struct Parts {
    std::uint32_t fingerprint;
    std::uint64_t template_id;
    char kind;
    std::uint32_t row_limit;
    std::string details;
};

static std::string built(KeyBuilder& builder, const Parts& parts) {
    builder.start(parts.fingerprint, parts.template_id, parts.kind, parts.row_limit);
    builder.append(parts.details);
    return std::string(builder.finish().bytes);
}

TEST_CASE("key: every part tells keys apart") {
    KeyBuilder builder;
    const std::vector<Parts> rows = {{1, 2, 'Q', 0, "a"},  {2, 2, 'Q', 0, "a"},
                                     {1, 3, 'Q', 0, "a"},  {1, std::uint64_t{2} << 32, 'Q', 0, "a"},
                                     {1, 2, 'E', 0, "a"},  {1, 2, 'Q', 5, "a"},
                                     {1, 2, 'Q', 0, "b"},  {1, 2, 'Q', 0, ""},
                                     {1, 2, 'Q', 0, "a\0"}};
    std::set<std::string> keys;
    for (const Parts& row : rows) keys.insert(built(builder, row));
    // The last row's literal ends at its zero byte and so repeats the first.
    CHECK(keys.size() == rows.size() - 1);
    CHECK(built(builder, rows[0]).size() == 4 + 8 + 1 + 4 + 1);
}

TEST_CASE("key: the builder starts afresh and gives equal views for equal parts") {
    KeyBuilder one, other;
    built(other, {9, 9, 'E', 9, "something longer that is forgotten"});
    one.start(1, 2, 'Q', 3);
    other.start(1, 2, 'Q', 3);
    one.append("x");
    other.append("x");
    CHECK(one.finish() == other.finish());
    CHECK(one.finish().hash == hash_of(one.finish().bytes));
}

TEST_CASE("key: sized values do not run into each other") {
    KeyBuilder one, other;
    for (auto* builder : {&one, &other}) builder->start(1, 1, 'E', 0);
    one.append_sized("ab");
    one.append_sized("c");
    other.append_sized("a");
    other.append_sized("bc");
    CHECK_FALSE(one.finish() == other.finish());
}

TEST_CASE("key: an equal hash is not an equal key") {
    CHECK(key_at("a", 7) == key_at("a", 7));
    CHECK_FALSE(key_at("a", 7) == key_at("b", 7));
    CHECK_FALSE(key_at("a", 7) == key_at("a", 8));
}
