// sql/statement_scan.h: what PostgreSQL's own lexer tells of a text before it is parsed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warmfront::sql {

// Parser, packer and walker recurse once or more per level of the tree. Measured on a stack of 8 MiB:
// libpg_query 15 runs out of it beyond 1,400 levels of "(SELECT ", which are two of the steps counted here;
// the bound keeps a third of that.
inline constexpr std::size_t kNestingMax = 1000;

// Whether a text's tree may be deeper than kNestingMax steps. Errs on the side of yes. A text that is no
// sequence of tokens is not: the parser stops at the lexer's error as well.
[[nodiscard]] bool may_nest_too_deeply(std::string_view sql);

// The query of a "PREPARE name (types) AS query": what follows the first word AS; empty without one.
[[nodiscard]] std::string_view query_of_prepare(std::string_view sql);

// "x[1] := y + 1" (or =) to what is assigned to and what is assigned; both empty where it is no such.
[[nodiscard]] std::pair<std::string_view, std::string_view> sides_of_assignment(std::string_view text);

// The tokens of a text without comments, keywords and identifiers folded; empty where the lexer fails.
struct Lexeme {
    std::string_view text;  // of the argument
    std::string folded;     // ASCII letters in lower case, of a word that is not quoted; else the text
};
[[nodiscard]] std::vector<Lexeme> lexemes_of(std::string_view sql);

}  // namespace warmfront::sql
