#include "proxy/session/value_texts.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/session/message_walk.h"
#include "proxy/wire/encode.h"
#include "proxy/wire/messages.h"
#include "sql/tokenizer.h"
#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {
namespace {

using forecast::OpaqueValue;

std::string shown(std::span<const OpaqueValue> values) {
    std::string text;
    for (const auto& value : values) text += (value ? std::string(*value) : "?") + "|";
    return text;
}

std::string literals_of(std::string_view sql) {
    std::string text, literals;
    REQUIRE(sql::normalize(sql, {}, text, literals));
    return literals;
}

struct Bound {
    bool binary = false;
    std::uint32_t type = 0;
    std::string bytes;
};

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
    return out;
}

// The details of an extended request's key.
std::string details_of(const std::vector<Bound>& given, bool binary_results = false) {
    std::string types, body = big_endian(given.size(), 2);
    for (const Bound& each : given) {
        types += big_endian(each.type, 4);
        body += big_endian(each.binary ? 1 : 0, 2);
    }
    body += big_endian(given.size(), 2);
    for (const Bound& each : given) body += big_endian(each.bytes.size(), 4) + each.bytes;
    body += binary_results ? big_endian(1, 2) + big_endian(1, 2) : big_endian(0, 2);
    const std::uint64_t size = types.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + types + body;
}

}  // namespace

TEST_CASE("value texts: what the literals of a simple query say") {
    ValueTexts texts;
    const std::string literals =
        literals_of("SELECT 1 FROM t WHERE a = 42 AND b = 'x' AND c = 'it''s' AND d = E'\\n' AND e = 1.5");
    const std::string row = data_row("v");
    texts.read('Q', literals, row);
    CHECK(shown(texts.parameters()) == "1|42|x|it's|?|1.5|");
    CHECK(shown(texts.columns()) == "v|");
}

TEST_CASE("value texts: other literals are written as the client would") {
    struct Row {
        std::string_view example, value, made;  // made empty: it is not sure
    };
    for (const auto& [example, value, made] :
         std::vector<Row>{{"42", "7", "SELECT 7"},
                          {"42", "1.25", "SELECT 1.25"},
                          {"42", "-7", ""},
                          {"42", "1e3", ""},
                          {"42", "7 OR true", ""},
                          {"42", "", ""},
                          {"'x'", "y", "SELECT 'y'"},
                          {"'x'", "it's", "SELECT 'it''s'"},
                          {"'x'", "' OR 'a' = 'a", "SELECT ''' OR ''a'' = ''a'"},
                          {"'x'", "a\\", ""},
                          {"'x'", std::string_view("a\0b", 3), ""},
                          {"'x'", "gr\xC3\xBC\xC3\x9F", "SELECT 'gr\xC3\xBC\xC3\x9F'"},
                          {"E'x'", "y", ""}}) {
        CAPTURE(value);
        const auto details =
            with_values('Q', literals_of("SELECT " + std::string(example)), {&value, 1}, true);
        CHECK(details.has_value() == !made.empty());
        if (details) CHECK(*details == literals_of(made));
    }
    const std::string_view umlaut = "\xFC", two[] = {"1", "2"};
    CHECK_FALSE(with_values('Q', literals_of("SELECT 'x'"), {&umlaut, 1}, false));
    CHECK_FALSE(with_values('Q', literals_of("SELECT 1"), two, true));
    CHECK_FALSE(with_values('Q', literals_of("SELECT 1, 2, 3"), two, true));
}

TEST_CASE("value texts: parameters in text and binary, declared and not") {
    constexpr std::uint32_t kInt4 = 23, kInt8 = 20, kText = 25, kUuid = 2950, kFloat8 = 701;
    const std::string uuid = "00112233-4455-6677-8899-aabbccddeeff";
    const std::string uuid_bytes("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
    const std::string details = details_of({{false, 0, "42"},
                                            {true, kInt4, big_endian(static_cast<std::uint32_t>(-7), 4)},
                                            {true, 0, big_endian(9, 8)},
                                            {true, kText, "abcd"},
                                            {true, kUuid, uuid_bytes},
                                            {true, kFloat8, big_endian(1, 8)}});
    ValueTexts texts;
    texts.read('E', details, {});
    CHECK(shown(texts.parameters()) == "42|-7|9|abcd|" + uuid + "|?|");
    CHECK(texts.columns().empty());

    const std::string_view values[] = {"5", "-2147483648", "77", "wxyz", uuid, "1"};
    CHECK_FALSE(with_values('E', details, values, true));  // of a float's bytes nothing is known
    const auto of = [&](const Bound& example, std::string_view value) {
        return with_values('E', details_of({example}), {&value, 1}, true);
    };
    CHECK(of({false, 0, "42"}, "5") == details_of({{false, 0, "5"}}));
    CHECK(of({true, kInt4, big_endian(1, 4)}, "-7") ==
          details_of({{true, kInt4, big_endian(static_cast<std::uint32_t>(-7), 4)}}));
    CHECK_FALSE(of({true, kInt4, big_endian(1, 4)}, "2147483648"));
    CHECK_FALSE(of({true, kInt4, big_endian(1, 4)}, "07"));
    CHECK(of({true, kInt8, big_endian(1, 8)}, "2147483648") ==
          details_of({{true, kInt8, big_endian(2147483648, 8)}}));
    CHECK(of({true, kText, "abcd"}, "yz") == details_of({{true, kText, "yz"}}));
    CHECK(of({true, kUuid, uuid_bytes}, uuid) == details_of({{true, kUuid, uuid_bytes}}));
    CHECK_FALSE(of({true, kUuid, uuid_bytes}, "not a uuid"));
}

TEST_CASE("value texts: columns of a binary result, and a row that was cut off") {
    std::string row = "D" + big_endian(0, 4) + big_endian(3, 2);
    row += big_endian(4, 4) + big_endian(258, 4) + big_endian(0xffffffff, 4) + big_endian(5, 4) + "hello";
    ValueTexts texts;
    texts.read('E', details_of({{false, 0, "x"}}, true), row);
    CHECK(shown(texts.columns()) == "258|?|hello|");
    texts.read('E', details_of({{false, 0, "x"}}, true), std::string_view(row).substr(0, row.size() - 2));
    CHECK(shown(texts.columns()) == "258|?|");
}

TEST_CASE("value texts: malformed details give no values") {
    const std::string details = details_of({{false, 0, "42"}, {false, 0, "43"}});
    ValueTexts texts;
    for (std::size_t cut = 0; cut < details.size(); ++cut) {
        texts.read('E', std::string_view(details).substr(0, cut), {});
        CHECK(texts.parameters().empty());
    }
    const std::string literals = literals_of("SELECT 1, 2");
    for (std::size_t cut = 0; cut < literals.size(); ++cut) {
        texts.read('Q', std::string_view(literals).substr(0, cut), {});
        CHECK(texts.parameters().size() < 2);
    }
}

TEST_CASE("value texts: of many parameters it is told that there are more") {
    std::string sql = "SELECT 0";
    for (int i = 1; i < 30; ++i) sql += ", " + std::to_string(i);
    ValueTexts texts;
    texts.read('Q', literals_of(sql), {});
    CHECK(texts.parameters().size() == forecast::NextQuery::kParameters + 1);
}

}  // namespace warmfront::session::test
