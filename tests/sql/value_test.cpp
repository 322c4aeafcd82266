#include "sql/value.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::sql;
using namespace std::string_view_literals;

namespace {

constexpr std::uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kInt4 = 23, kText = 25, kFloat8 = 701,
                        kBpchar = 1042, kVarchar = 1043, kDate = 1082, kTimestamp = 1114, kTimestampTz = 1184,
                        kNumeric = 1700, kUuid = 2950, kEnum = 20'500, kCitext = 20'501;

ValueType type_of(std::uint32_t oid, std::int32_t modifier = -1) {
    ValueType type;
    type.oid = Oid{oid};
    type.kind = kind_of_type(type.oid, oid == kEnum ? 'e' : 'b', oid == kCitext ? "citext" : "", true);
    type.modifier = modifier;
    return type;
}

std::optional<CanonicalValue> text(const ValueType& type, std::string_view bytes,
                                   std::uint32_t declared = 0) {
    RawValue value;
    value.bytes = bytes;
    value.type = Oid{declared};
    return canonical(type, value);
}

std::optional<CanonicalValue> binary(const ValueType& type, std::string_view bytes,
                                     std::uint32_t declared = 0) {
    RawValue value;
    value.bytes = bytes;
    value.binary = true;
    value.type = Oid{declared};
    return canonical(type, value);
}

}  // namespace

TEST_CASE("value: spellings that PostgreSQL takes for equal have one hash") {
    struct Row {
        std::uint32_t type;
        std::string_view a, b;
    };
    for (const auto& [type, a, b] : std::vector<Row>{
             {kInt4, "5", "005"},
             {kInt4, "+5", " 5 "},
             {kInt4, "-7", "-07"},
             {kBool, "t", "true"},
             {kBool, "f", "false"},
             {kBpchar, "ab", "ab   "},
             {kUuid, "6B29FC40-CA47-1067-B31D-00DD010662DA", "{6b29fc40ca471067b31d00dd010662da}"},
             {kNumeric, "1.0", "1.00"},
             {kNumeric, "0.50", ".5"},
             {kNumeric, "-0", "0.0"},
             {kNumeric, "007", "7"},
             {kTimestamp, "2024-02-29 10:00:00", "2024-02-29T10:00:00.000"},
             {kTimestamp, "2024-02-29", "2024-02-29 00:00"},
             {kTimestampTz, "2024-02-29 10:00:00+00", "2024-02-29 12:00:00+02"},
             {kTimestampTz, "2024-02-29 10:00:00Z", "2024-02-29 04:30:00-05:30"},
             {kBytea, "\\xABcd", "\\xabCD"},
             {kCitext, "Hello", "hELLO"},
         }) {
        CAPTURE(a);
        CAPTURE(b);
        const auto left = text(type_of(type), a), right = text(type_of(type), b);
        REQUIRE(left);
        REQUIRE(right);
        CHECK(left->hash == right->hash);
        CHECK(left->order == right->order);
    }
}

TEST_CASE("value: what differs to PostgreSQL has different hashes") {
    struct Row {
        std::uint32_t type;
        std::string_view a, b;
    };
    for (const auto& [type, a, b] : std::vector<Row>{{kInt4, "5", "-5"},
                                                     {kText, "ab", "ab "},
                                                     {kText, "ab", "AB"},
                                                     {kNumeric, "1.01", "1.1"},
                                                     {kNumeric, "10", "1"},
                                                     {kDate, "2024-03-01", "2024-02-29"},
                                                     {kEnum, "a", "A"}}) {
        CAPTURE(a);
        CAPTURE(b);
        CHECK(text(type_of(type), a)->hash != text(type_of(type), b)->hash);
    }
}

TEST_CASE("value: in binary as in text") {
    CHECK(binary(type_of(kInt4), "\0\0\0\5"sv, kInt4)->hash == text(type_of(kInt4), "5")->hash);
    CHECK(binary(type_of(kInt4), "\xff\xff\xff\xff\xff\xff\xff\xfb"sv, kInt8)->hash ==
          text(type_of(kInt8), "-5")->hash);
    CHECK(binary(type_of(kNumeric), "\0\0\0\5"sv, kInt4)->hash == text(type_of(kNumeric), "5.0")->hash);
    CHECK(binary(type_of(kDate), "\0\0\0\0"sv, kDate)->hash == text(type_of(kDate), "2000-01-01")->hash);
    CHECK(binary(type_of(kTimestamp), "\0\0\0\0\0\x0f\x42\x40"sv)->hash ==
          text(type_of(kTimestamp), "2000-01-01 00:00:01")->hash);
    CHECK(binary(type_of(kBool), "\1"sv)->hash == text(type_of(kBool), "t")->hash);
    CHECK(binary(type_of(kText), "abc"sv)->hash == text(type_of(kText), "abc", kVarchar)->hash);
}

TEST_CASE("value: in doubt it is not judged") {
    struct Row {
        ValueType type;
        std::string_view value;
        std::uint32_t declared;
    };
    for (const auto& [type, value, declared] : std::vector<Row>{
             {type_of(kFloat8), "1", 0},
             {type_of(kInt4), "5.0", 0},
             {type_of(kInt4), "0x5", 0},
             {type_of(kInt4), "5", kNumeric},
             {type_of(kInt4), "5", kFloat8},
             {type_of(kText), "x", kBpchar},
             {type_of(kBpchar), "x", kText},
             {type_of(kVarchar, 3 + 4), "abc ", 0},
             {type_of(kNumeric, (5 << 16 | 2) + 4), "1.005", 0},
             {type_of(kTimestamp, 0), "2024-01-01 10:00:00.5", 0},
             {type_of(kTimestamp), "now", 0},
             {type_of(kTimestamp), "2024-01-01 24:00:00", 0},
             {type_of(kTimestampTz), "2024-01-01 10:00:00", 0},
             {type_of(kTimestamp), "2024-01-01", kDate},
             {type_of(kDate), "01/02/2024", 0},
             {type_of(kDate), "infinity", 0},
             {type_of(kBool), "yes", 0},
             {type_of(kBytea), "abc", 0},
             {type_of(kCitext), "\xc3\x84", 0},
             {type_of(kEnum), "a", kText},
         }) {
        CAPTURE(value);
        CHECK_FALSE(text(type, value, declared));
    }
    CHECK_FALSE(binary(type_of(kInt4), "abc"));
    RawValue latin;
    latin.bytes = "\xe4";
    latin.utf8 = false;
    CHECK_FALSE(canonical(type_of(kText), latin));
    CHECK(kind_of_type(Oid{kText}, 'b', "text", false) == ValueKind::None);
}

TEST_CASE("value: the order grows with the value") {
    struct Row {
        std::uint32_t type;
        std::vector<std::string_view> rising;
    };
    for (const auto& [type, rising] : std::vector<Row>{
             {kInt8, {"-9000000000000000000", "-5", "0", "7", "9000000000000000000"}},
             {kDate, {"0001-01-01", "1999-12-31", "2000-01-01", "2024-02-29", "2024-03-01"}},
             {kTimestamp,
              {"1969-12-31 23:59:59.999999", "1970-01-01 00:00:00", "2024-01-01 00:00:00.000001"}},
             {kTimestampTz, {"2024-01-01 00:00:00+02", "2024-01-01 00:00:00+00"}},
             {kNumeric, {"-10.5", "-0.000001", "0", "0.000001", "10.4", "10.5", "8999999999999.5"}}}) {
        for (std::size_t i = 1; i < rising.size(); ++i) {
            CAPTURE(rising[i]);
            const auto lower = text(type_of(type), rising[i - 1]), higher = text(type_of(type), rising[i]);
            REQUIRE(lower->ordered);
            CHECK(lower->order < higher->order);
        }
    }
    CHECK(text(type_of(kNumeric), "1e5") == std::nullopt);
    CHECK(text(type_of(kNumeric), "123456789012345678901234567890")->order ==
          text(type_of(kNumeric), "99999999999999999999")->order);
}

TEST_CASE("value: arrays are taken apart, or not judged") {
    const auto count = [](std::string_view array, bool is_binary = false) {
        RawValue value;
        value.bytes = array;
        value.binary = is_binary;
        const auto elements = elements_of(value, 4);
        return elements ? static_cast<int>(elements->size()) : -1;
    };
    CHECK(count("{}") == 0);
    CHECK(count("{1,2,3}") == 3);
    CHECK(count("{\"a b\",\"NULL\"}") == 2);
    CHECK(count("{a,Null}") == -1);
    CHECK(count("{1,2,3,4,5}") == -1);
    CHECK(count("{{1},{2}}") == -1);
    CHECK(count("{a\\,b}") == -1);
    CHECK(count("{\"a\\\"b\"}") == -1);
    CHECK(count("{ 1}") == -1);
    CHECK(count("{1,}") == -1);
    CHECK(count("[0:1]={1,2}") == -1);
    CHECK(count("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7"sv, true) == 1);
    CHECK(count("\0\0\0\0\0\0\0\0\0\0\0\x17"sv, true) == 0);
    CHECK(count("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0"sv, true) == -1);
    RawValue of_chars;
    of_chars.bytes = "{x}";
    of_chars.type = Oid{1014};
    CHECK_FALSE(canonical(type_of(kText), elements_of(of_chars, 4)->front()));
}
