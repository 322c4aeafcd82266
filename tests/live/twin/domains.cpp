#include "tests/live/twin/domains.h"

#include <array>
#include <stdexcept>
#include <vector>

namespace warmfront::test {

using namespace std::string_view_literals;

static std::string choose(Random& random, std::span<const std::string_view> among) {
    return std::string(random.pick(among));
}

// Few keys get most of the traffic, so that repeated reads meet.
static std::string skewed(Random& random, std::int64_t hot, std::int64_t all) {
    return std::to_string(random.chance(70) ? random.between(1, hot) : random.between(0, all));
}

static std::string draw_account(Random& random) {
    return skewed(random, 4, 45);
}
static std::string draw_order(Random& random) {
    return skewed(random, 5, 150);
}
static std::string draw_counter(Random& random) {
    return skewed(random, 3, 12);
}
static std::string draw_small(Random& random) {
    return std::to_string(random.between(-3, 9));
}
static std::string draw_big(Random& random) {
    return std::to_string(random.between(-5'000'000'000, 5'000'000'000));
}
static std::string draw_bool(Random& random) {
    return random.chance(50) ? "true" : "false";
}
static std::string draw_amount(Random& random) {
    return std::to_string(random.between(0, 99)) + "." + std::to_string(random.between(10, 99));
}
static std::string draw_date(Random& random) {
    return choose(random,
                  std::array{"2023-12-31"sv, "2024-01-15"sv, "2024-02-29"sv, "2024-07-01"sv, "2025-03-03"sv});
}
static std::string draw_name(Random& random) {
    return choose(random,
                  std::array{"ada"sv, "bert"sv, "cleo"sv, "o'neil"sv, "dörte"sv, "back\\slash"sv, ""sv});
}
static std::string draw_setting(Random& random) {
    return choose(random, std::array{"color"sv, "size"sv, "lang"sv});
}
static std::string draw_text(Random& random) {
    if (random.chance(2)) return std::string(static_cast<std::size_t>(random.between(60'000, 90'000)), 'x');
    return choose(random, std::array{"plain"sv, "it's"sv, "$1"sv, "a -- b"sv, "/* c */"sv, "tab\there"sv,
                                     "new\nline"sv, "grün ☃"sv, "\\"sv, "NULL"sv, "%_"sv});
}
static std::string draw_bytes(Random& random) {
    return choose(random, std::array{"\\x"sv, "\\x00"sv, "\\xdeadbeef"sv, "\\x0102030405"sv});
}
static std::string draw_uuid(Random& random) {
    return "00000000-0000-4000-8000-00000000000" + std::to_string(random.between(0, 9));
}
static std::string draw_mood(Random& random) {
    return choose(random, std::array{"sad"sv, "ok"sv, "happy"sv, "glad"sv});
}

// ---- spellings of the same few values

static std::string draw_key(Random& random) {
    return skewed(random, 3, 7);
}
static std::string draw_spelled_key(Random& random) {
    static constexpr std::array kBefore{""sv, ""sv, "0"sv, " "sv, "+"sv, "-"sv};
    return choose(random, kBefore) + draw_key(random) + (random.chance(10) ? " " : "");
}
static std::string draw_decimal_key(Random& random) {
    return draw_key(random) + choose(random, std::array{""sv, ".0"sv, ".00"sv, "e0"sv, ".5"sv});
}
static std::string draw_keys(Random& random) {
    return "{" + draw_key(random) + "," + draw_key(random) + (random.chance(10) ? ",NULL}" : "}");
}
static std::string draw_price(Random& random) {
    return choose(random, std::array{"0"sv, "1.5"sv, "1.50"sv, "01.500"sv, "2"sv, "2.00"sv, "0.1"sv,
                                     "15e-1"sv, "-0.0"sv, "3.14159"sv});
}
static std::string draw_float(Random& random) {
    return choose(random, std::array{"0"sv, "-0"sv, "1.5"sv, "15e-1"sv, "0.1"sv, "0.10000000149011612"sv,
                                     "NaN"sv, "Infinity"sv, "2"sv});
}
static std::string draw_code(Random& random) {
    return choose(random, std::array{"c1"sv, "c1  "sv, "c2"sv, "C1"sv, " c1"sv, "c3 "sv, ""sv});
}
static std::string draw_tag(Random& random) {
    return choose(random, std::array{"Red"sv, "red"sv, "RED"sv, "blue"sv, "Blue"sv, "grün"sv, "GRÜN"sv});
}
static std::string draw_day(Random& random) {
    return choose(random, std::array{"2024-03-30"sv, "2024-03-31"sv, "20240331"sv, "March 31, 2024"sv,
                                     "2024-04-01"sv, "2024.091"sv, "infinity"sv});
}
static std::string draw_instant(Random& random) {
    return choose(
        random, std::array{"2024-03-31 00:30:00+00"sv, "2024-03-31 01:30:00+01"sv, "2024-03-30 20:30:00-04"sv,
                           "2024-03-31 00:30:00"sv, "2024-03-31T00:30Z"sv, "2024-03-31 02:30 Europe/Berlin"sv,
                           "2024-04-01 00:00+00"sv, "2024-04-01"sv, "-infinity"sv});
}
static std::string draw_duration(Random& random) {
    return choose(random, std::array{"1 day"sv, "24 hours"sv, "86400 s"sv, "P1D"sv, "1 mon"sv, "30 days"sv,
                                     "1:30"sv, "90 min"sv, "-1 day"sv});
}
static std::string draw_spelled_uuid(Random& random) {
    return choose(
        random, std::array{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"sv, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"sv,
                           "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"sv, "a0eebc999c0b4ef8bb6d6bb9bd380a12"sv});
}
static std::string draw_spelled_bool(Random& random) {
    return choose(random,
                  std::array{"t"sv, "true"sv, "yes"sv, "on"sv, "1"sv, "f"sv, "FALSE"sv, "no"sv, "0"sv});
}
static std::string draw_address(Random& random) {
    return choose(random,
                  std::array{"10.0.0.1"sv, "10.0.0.1/32"sv, "10.0.0.1/24"sv, "10.0.0.0/8"sv, "::1"sv});
}
static std::string draw_words(Random& random) {
    return choose(random,
                  std::array{"{a,b}"sv, "{\"a\",b}"sv, "{NULL,a}"sv, "{\"NULL\",a}"sv, "{}"sv, "{a}"sv});
}
static std::string draw_json(Random& random) {
    return choose(random, std::array{R"({"a": 1})"sv, R"({"a":1.0})"sv, R"({"a": "x", "b": null})"sv, "[]"sv,
                                     "1"sv, R"({"b": null, "a": "x"})"sv});
}
static std::string draw_range(Random& random) {
    return choose(random, std::array{"[1,4)"sv, "[1,3]"sv, "(0,3]"sv, "empty"sv, "(,3)"sv, "[5,)"sv});
}
static std::string draw_bits(Random& random) {
    return choose(random, std::array{"101"sv, "0101"sv, "1"sv, ""sv});
}
static std::string draw_like(Random& random) {
    return choose(random, std::array{"c%"sv, "C_"sv, "%1"sv, "c1"sv, "%"sv});
}
static std::string draw_object(Random& random) {
    return std::to_string(random.between(7001, 7003));
}
static std::string draw_region(Random& random) {
    return choose(random, std::array{"north"sv, "south"sv, "east"sv, "west"sv});
}
static std::string draw_tenant(Random& random) {
    return choose(random, std::array{"red"sv, "blue"sv, "green"sv});
}
static std::string draw_user(Random& random) {
    return choose(random, std::array{"alice"sv, "bob"sv, "carol"sv});
}

static constexpr Domain kDomains[] = {
    {"account", kInt4, false, draw_account},
    {"order", kInt4, false, draw_order},
    {"counter", kInt4, false, draw_counter},
    {"small", kInt4, false, draw_small},
    {"big", kInt8, false, draw_big},
    {"flag", kBool, false, draw_bool},
    {"amount", kNumeric, false, draw_amount},
    {"date", kDate, true, draw_date},
    {"name", kText, true, draw_name},
    {"text", kText, true, draw_text},
    {"setting", kText, true, draw_setting},
    {"bytes", kBytea, true, draw_bytes},
    {"uuid", kUuid, true, draw_uuid},
    {"mood", 0, true, draw_mood},
    {"key", kInt4, false, draw_key},
    {"key_small", kInt2, false, draw_key},
    {"key_big", kInt8, false, draw_key},
    {"key_decimal", kNumeric, false, draw_decimal_key},
    {"key_spelled", 0, true, draw_spelled_key},
    {"key_text", kText, true, draw_spelled_key},
    {"keys", kInt4Array, true, draw_keys},
    {"keys_spelled", 0, true, draw_keys},
    {"price", kNumeric, false, draw_price},
    {"price_spelled", 0, true, draw_price},
    {"float", kFloat8, true, draw_float},
    {"float_spelled", 0, true, draw_float},
    {"code", 0, true, draw_code},
    {"code_text", kText, true, draw_code},
    {"tag", 0, true, draw_tag},
    {"tag_text", kText, true, draw_tag},
    {"day", 0, true, draw_day},
    {"day_date", kDate, true, draw_day},
    {"instant", 0, true, draw_instant},
    {"instant_zoned", kTimestampTz, true, draw_instant},
    {"instant_local", kTimestamp, true, draw_instant},
    {"duration", 0, true, draw_duration},
    {"uuid_spelled", 0, true, draw_spelled_uuid},
    {"flag_spelled", 0, true, draw_spelled_bool},
    {"address", 0, true, draw_address},
    {"words", 0, true, draw_words},
    {"json", 0, true, draw_json},
    {"range", 0, true, draw_range},
    {"bits", 0, true, draw_bits},
    {"like", kText, true, draw_like},
    {"object", kOid, false, draw_object},
    {"region", kText, true, draw_region},
    {"tenant", kText, true, draw_tenant},
    {"user", kText, true, draw_user},
};

// ---- of the table typed

static constexpr std::string_view kTypedWhere[] = {
    "id = {key}",
    "id = {key_big}",
    "id = {key_small}",
    "id = {key_decimal}",
    "id = {key_spelled}",
    "s = {key}",
    "s = {key_spelled}",
    "s = {key_big}",
    "b = {key}",
    "b = {key_small}",
    "b = {key_spelled}",
    "b = {key_decimal}",
    "n = {price}",
    "n = {price_spelled}",
    "n = {key}",
    "n2 = {price}",
    "n2 = {price_spelled}",
    "f = {float}",
    "f = {price}",
    "f4 = {float}",
    "f4 = {float_spelled}",
    "c = {code}",
    "c = {code_text}",
    "vc = {code}",
    "vc = {code_text}",
    "t = {code_text}",
    "ci = {tag}",
    "ci = {tag_text}",
    "ic = {tag}",
    "ic = {tag_text}",
    "d = {day}",
    "d = {day_date}",
    "d = {instant_zoned}",
    "d < {day}",
    "at = {instant}",
    "at = {instant_zoned}",
    "at = {instant_local}",
    "at >= {instant} AND at < {instant}",
    "ts = {instant}",
    "ts = {instant_zoned}",
    "ts = {day_date}",
    "dur = {duration}",
    "dur > {duration}",
    "u = {uuid_spelled}",
    "m = {mood}",
    "m > {mood}",
    "flag = {flag}",
    "flag = {flag_spelled}",
    "flag",
    "NOT flag",
    "flag IS NOT TRUE",
    "bytes = {bytes}",
    "ip = {address}",
    "ip << {address}",
    "arr = {keys}",
    "arr @> {keys_spelled}",
    "{key} = ANY (arr)",
    "arr[1] = {key}",
    "words = {words}",
    "j = {json}",
    "j @> {json}",
    "j ->> 'a' = {code_text}",
    "dom = {key}",
    "r = {range}",
    "r @> {key}",
    "bits = {bits}",
    "id = ANY ({keys})",
    "id = ANY ({keys_spelled})",
    "id = ANY (ARRAY[{key}, {key}]::int[])",
    "s = ANY ({keys})",
    "s <> ALL ({keys})",
    "b IN ({key}, {key_big})",
    "s IN (VALUES ({key}), ({key}))",
    "c IN ({code}, {code})",
    "(s, b) = ({key}, {key})",
    "(s, b) < ({key}, {key})",
    "(s, b) IN (({key}, {key}), ({key}, NULL))",
    "s IS NULL",
    "t IS NULL",
    "s IS DISTINCT FROM {key}",
    "s IS NOT DISTINCT FROM {key_spelled}",
    "s BETWEEN {key} AND {key}",
    "b BETWEEN SYMMETRIC {key} AND {key}",
    "n BETWEEN {price} AND {price}",
    "vc LIKE {like}",
    "vc ILIKE {like}",
    "t ~ '^c'",
    "c LIKE {like}",
    "t COLLATE \"C\" < {code_text}",
    "s = {key} OR b = {key}",
    "s = {key} AND flag = {flag}",
    "NOT (s = {key} AND b = {key})",
    "s + 1 = {key}",
    "coalesce(s, 0) = {key}",
    "s::text = {key_text}",
    "CASE WHEN flag THEN s ELSE b END = {key}",
    "s = b",
    "EXISTS (SELECT FROM typed x WHERE x.s = typed.b AND x.id = {key})",
    "s IN (SELECT x.b FROM typed x WHERE x.flag)",
    "b NOT IN (SELECT k FROM counters WHERE k < {key})",
    "id = (SELECT max(x.id) FROM typed x WHERE x.s = {key})",
    "s > ANY (SELECT x.b FROM typed x WHERE x.id < {key})",
    "s > {key}",
    "{key} >= b",
    "twice(s) = {key}",
    "true",
    "NULL",
    "s = {key} AND s = {key}"};

static constexpr std::string_view kTypedSet[] = {
    "s = {key_spelled}",
    "s = {key}",
    "s = {key_decimal}",
    "b = {key}",
    "b = {key_spelled}",
    "n = {price}",
    "n2 = {price}",
    "n2 = {price_spelled}",
    "f = {float}",
    "f4 = {float_spelled}",
    "c = {code}",
    "c = {code_text}",
    "vc = {code}",
    "t = {code_text}",
    "ci = {tag}",
    "ic = {tag}",
    "d = {day}",
    "at = {instant}",
    "at = {instant_zoned}",
    "at = {instant_local}",
    "ts = {instant}",
    "ts = {instant_zoned}",
    "dur = {duration}",
    "u = {uuid_spelled}",
    "m = {mood}",
    "flag = {flag_spelled}",
    "flag = NOT flag",
    "bytes = {bytes}",
    "ip = {address}",
    "arr = {keys}",
    "arr[2] = {key}",
    "words = {words}",
    "j = {json}",
    "dom = {key}",
    "r = {range}",
    "bits = {bits}",
    "s = DEFAULT",
    "t = DEFAULT, s = {key}",
    "(s, b) = ({key}, {key})",
    "(s, b) = (SELECT x.b, x.id FROM typed x WHERE x.id = {key})",
    "s = b",
    "s = (b % 100)::int, b = s",
    "s = NULL",
    "id = {key}",
    "id = {key_spelled}",
    "f = f"};

static constexpr std::string_view kTypedColumns[] = {"*",
                                                     "count(*)",
                                                     "s",
                                                     "s, b",
                                                     "n, n2",
                                                     "f, f4",
                                                     "c, vc, t",
                                                     "c || '|' || vc",
                                                     "ci, ic",
                                                     "d, at, ts",
                                                     "dur",
                                                     "u, m",
                                                     "flag",
                                                     "bytes, ip",
                                                     "arr, words",
                                                     "j, r, bits",
                                                     "twos",
                                                     "row_to_json(typed)",
                                                     "length(t), upper(vc)",
                                                     "at AT TIME ZONE 'UTC'",
                                                     "at::date",
                                                     "n::text, f::text"};

struct Piece {
    std::string_view name;
    std::vector<std::string_view> texts;
};
static const std::vector<Piece>& pieces() {
    const auto all = [](std::span<const std::string_view> texts) {
        return std::vector(texts.begin(), texts.end());
    };
    static const std::vector<Piece> kPieces = {
        {"scratch", {"scratch_0", "scratch_1", "scratch_2", "scratch_3"}},
        {"table", {"accounts", "orders", "events", "counters", "settings", "parents"}},
        {"savepoint", {"s1", "s2", "s3"}},
        {"cursor", {"c1", "c2"}},
        {"order", {"ASC", "DESC", "ASC NULLS FIRST", "DESC NULLS LAST"}},
        {"aggregate", {"count(*)", "min(id)", "max(id)", "sum(id)", "avg(id)::numeric(20,4)"}},
        {"isolation", {"READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "READ UNCOMMITTED"}},
        {"role", {"alice", "bob", "carol"}},
        {"grantee", {"alice", "bob", "carol", "staff", "clerks", "PUBLIC"}},
        {"typed_where", all(kTypedWhere)},
        {"typed_set", all(kTypedSet)},
        {"typed_columns", all(kTypedColumns)},
        {"join", {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"}},
        {"join_on",
         {"x.id = y.s", "x.b = y.b", "x.id = y.id AND y.s = {key}", "x.s = y.id AND x.b = {key}", "x.c = y.c",
          "x.s = y.s AND x.b = y.b"}},
        {"join_where",
         {"x.id = {key}", "y.s = {key}", "x.s = {key_spelled} AND y.id = {key}", "y.id IS NULL",
          "x.c = {code}", "x.id + y.id = {key}", "coalesce(x.s, y.s) = {key}", "x.flag OR y.id = {key}",
          "y.b IS NOT DISTINCT FROM {key}"}},
        {"reading",
         {"readings", "readings", "readings_north", "readings_south", "readings_rest", "readings_south_a"}},
        {"animal", {"animals", "animals", "dogs", "puppies", "ONLY animals", "ONLY dogs"}},
    };
    return kPieces;
}

const Domain& domain_named(std::string_view name) {
    for (const auto& domain : kDomains)
        if (domain.name == name) return domain;
    throw std::runtime_error("no domain {" + std::string(name) + "}");
}

std::span<const std::string_view> piece_named(std::string_view name) {
    for (const auto& piece : pieces())
        if (piece.name == name) return piece.texts;
    throw std::runtime_error("no piece [" + std::string(name) + "]");
}

}  // namespace warmfront::test
