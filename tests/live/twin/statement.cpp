#include "tests/live/twin/statement.h"

#include <array>
#include <charconv>
#include <stdexcept>

namespace warmfront::test {

using namespace std::string_view_literals;

// pg_type.h
static constexpr std::uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kInt4 = 23, kText = 25, kDate = 1082,
                               kNumeric = 1700, kUuid = 2950;

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

static constexpr Domain kDomains[] = {
    {"account", kInt4, false, draw_account},  {"order", kInt4, false, draw_order},
    {"counter", kInt4, false, draw_counter},  {"small", kInt4, false, draw_small},
    {"big", kInt8, false, draw_big},          {"flag", kBool, false, draw_bool},
    {"amount", kNumeric, false, draw_amount}, {"date", kDate, true, draw_date},
    {"name", kText, true, draw_name},         {"text", kText, true, draw_text},
    {"setting", kText, true, draw_setting},   {"bytes", kBytea, true, draw_bytes},
    {"uuid", kUuid, true, draw_uuid},         {"mood", 0, true, draw_mood},
};

struct Piece {
    std::string_view name;
    std::array<std::string_view, 6> texts;  // empty ones are not drawn
};
static constexpr Piece kPieces[] = {
    {"scratch", {"scratch_0", "scratch_1", "scratch_2", "scratch_3"}},
    {"table", {"accounts", "orders", "events", "counters", "settings", "parents"}},
    {"savepoint", {"s1", "s2", "s3"}},
    {"cursor", {"c1", "c2"}},
    {"order", {"ASC", "DESC", "ASC NULLS FIRST", "DESC NULLS LAST"}},
    {"aggregate", {"count(*)", "min(id)", "max(id)", "sum(id)", "avg(id)::numeric(20,4)"}},
    {"isolation", {"READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "READ UNCOMMITTED"}},
    {"role", {"alice", "bob"}},
};

static const Domain& domain_named(std::string_view name) {
    for (const auto& domain : kDomains)
        if (domain.name == name) return domain;
    throw std::runtime_error("no domain {" + std::string(name) + "}");
}

static std::string_view piece_named(std::string_view name, Random& random) {
    for (const auto& piece : kPieces) {
        if (piece.name != name) continue;
        std::size_t count = 0;
        while (count < piece.texts.size() && !piece.texts[count].empty()) ++count;
        return piece.texts[random.below(count)];
    }
    throw std::runtime_error("no piece [" + std::string(name) + "]");
}

static std::optional<std::string> draw(const Domain& domain, Random& random) {
    if (random.chance(2)) return std::nullopt;
    if (random.below(200) == 0) return "garbage";
    return domain.draw(random);
}

// A name in braces or brackets: letters and underscores only, so that arrays and JSON can stand in patterns.
static std::string_view place(std::string_view rest, char end) {
    const auto length = rest.substr(1).find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    if (length == std::string_view::npos || length == 0 || rest[length + 1] != end) return {};
    return rest.substr(1, length);
}

Statement fill(const Pattern& pattern, Random& random) {
    Statement statement{.kind = pattern.kind, .sql = {}, .parameters = {}};
    std::string_view rest = pattern.sql;
    if (const auto data = rest.find("<<<"); data != std::string_view::npos) {
        statement.copy_in = rest.substr(data + 3);
        statement.simple_only = true;
        rest = rest.substr(0, data);
    }
    if (rest.find(';') != std::string_view::npos && rest.find("$$") == std::string_view::npos)
        statement.simple_only = true;
    while (!rest.empty()) {
        if (const auto name = rest.front() == '{' ? place(rest, '}') : ""sv; !name.empty()) {
            const Domain& domain = domain_named(name);
            statement.parameters.push_back({&domain, draw(domain, random)});
            statement.sql += '$' + std::to_string(statement.parameters.size());
            rest.remove_prefix(name.size() + 2);
        } else if (const auto piece = rest.front() == '[' ? place(rest, ']') : ""sv; !piece.empty()) {
            statement.sql += piece_named(piece, random);
            rest.remove_prefix(piece.size() + 2);
        } else {
            statement.sql += rest.front();
            rest.remove_prefix(1);
        }
    }
    return statement;
}

void redraw(Statement& statement, Random& random) {
    for (auto& parameter : statement.parameters) parameter.value = draw(*parameter.domain, random);
}

std::string literal(const Parameter& parameter) {
    if (!parameter.value) return "NULL";
    if (!parameter.domain->quoted) return *parameter.value;
    std::string text = "'";
    for (const char c : *parameter.value) {
        if (c == '\'') text += '\'';
        text += c;
    }
    return text + "'";
}

std::string with_literals(const Statement& statement) {
    if (statement.parameters.empty()) return statement.sql;  // a $$body$$ may hold $1 of its own
    std::string text;
    for (std::size_t at = 0; at < statement.sql.size();) {
        std::size_t number = 0;
        if (statement.sql[at] == '$') {
            const char* digits = statement.sql.data() + at + 1;
            const auto [end, error] =
                std::from_chars(digits, statement.sql.data() + statement.sql.size(), number);
            if (error == std::errc{}) at += static_cast<std::size_t>(end - digits) + 1;
        }
        text += number != 0 ? literal(statement.parameters[number - 1]) : std::string(1, statement.sql[at++]);
    }
    return text;
}

static std::string network_order(std::uint64_t number, int bytes) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(number >> shift);
    return text;
}

static std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        unsigned byte = 0;
        std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

std::optional<std::string> binary(const Parameter& parameter) {
    if (!parameter.value || *parameter.value == "garbage") return std::nullopt;
    const std::string& text = *parameter.value;
    std::int64_t number = 0;
    switch (parameter.domain->type) {
        case kInt4:
        case kInt8:
            std::from_chars(text.data(), text.data() + text.size(), number);
            return network_order(static_cast<std::uint64_t>(number), parameter.domain->type == kInt4 ? 4 : 8);
        case kText: return text;
        case kBool: return std::string(1, text == "true" ? '\1' : '\0');
        case kBytea: return from_hex(std::string_view(text).substr(2));
        case kUuid: {
            std::string digits;
            for (const char c : text)
                if (c != '-') digits += c;
            return from_hex(digits);
        }
        default: return std::nullopt;
    }
}

}  // namespace warmfront::test
