#include "tests/live/twin/statement.h"

#include <charconv>

#include "tests/live/twin/domains.h"

namespace warmfront::test {

using namespace std::string_view_literals;

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

// Appends the text, its places filled: values become parameters, or stand in the text itself if
// `inline_values`.
static void fill_into(Statement& statement, std::string& out, std::string_view rest, Random& random,
                      bool inline_values) {
    while (!rest.empty()) {
        if (const auto name = rest.front() == '{' ? place(rest, '}') : ""sv; !name.empty()) {
            const Domain& domain = domain_named(name);
            const auto value = draw(domain, random);
            if (inline_values) {
                out += value.value_or("\\N");
            } else {
                statement.parameters.push_back({&domain, value});
                out += '$' + std::to_string(statement.parameters.size());
            }
            rest.remove_prefix(name.size() + 2);
        } else if (const auto piece = rest.front() == '[' ? place(rest, ']') : ""sv; !piece.empty()) {
            fill_into(statement, out, random.pick(piece_named(piece)), random, inline_values);
            rest.remove_prefix(piece.size() + 2);
        } else {
            out += rest.front();
            rest.remove_prefix(1);
        }
    }
}

Statement fill(const Pattern& pattern, Random& random) {
    Statement statement{.kind = pattern.kind, .sql = {}, .parameters = {}};
    std::string_view rest = pattern.sql;
    if (const auto data = rest.find("<<<"); data != std::string_view::npos) {
        fill_into(statement, statement.copy_in.emplace(), rest.substr(data + 3), random, true);
        statement.simple_only = true;
        rest = rest.substr(0, data);
    }
    if (rest.find(';') != std::string_view::npos && rest.find("$$") == std::string_view::npos)
        statement.simple_only = true;
    fill_into(statement, statement.sql, rest, random, false);
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
        case kInt2:
        case kInt4:
        case kInt8:
            std::from_chars(text.data(), text.data() + text.size(), number);
            return network_order(static_cast<std::uint64_t>(number), parameter.domain->type == kInt2   ? 2
                                                                     : parameter.domain->type == kInt4 ? 4
                                                                                                       : 8);
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
