// sql/tokenizer.h: cuts the literals out of a statement's text, without the parser.
//
// "SELECT a FROM t WHERE id = 42 AND s = 'x'" becomes the template "SELECT a FROM t WHERE id = \1 AND s = \2"
// and the literals 42 and 'x'. One pass over the text, no allocation once the output buffers have grown.
// Lexical rules: PostgreSQL manual, section 4.1 (quoted identifiers, E'', U&'', B'', X'', dollar quotes,
// nested comments, numbers, operators, $n parameters). Pure; thread-safe.
//
// Two promises:
// 1. Two statements get the same template and the same literals only if PostgreSQL would read them as the
// same
//    statement up to white space and comments that mean nothing. (Putting the literals back into the template
//    gives a statement that lexes as the original does; every byte that is left out was white space or
//    comment.)
// 2. Statements of one template differ in nothing but the values of their constants, so kind, relations and
// functions
//    found in one hold for all. Where PostgreSQL makes names or kinds out of literals, they stay in the
//    template: all that follows the word EXPLAIN (its options take 'on' and 1), the word DO where it may
//    begin a statement (whose code is a literal), or a U&"" identifier (UESCAPE decides its name).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace warmfront::sql {

struct NormalizeOptions {
    bool standard_conforming_strings = true;
    // No character of the client's encoding has a byte below 0x80 unless it is that ASCII character. False
    // for the encodings that PostgreSQL knows as client-only (SJIS, BIG5, GBK, ...), where a quote or
    // backslash may be half of a character; only pure ASCII text is cut then.
    bool ascii_safe_encoding = true;
};

// Placeholders in a template: one byte below 0x20 that no statement text can hold outside a quoted part.
inline constexpr char kNumberPlaceholder = '\1';
inline constexpr char kStringPlaceholder =
    '\2';  // any quoted string kind; the literal keeps its prefix and quotes

// Replaces template_text and literals. literals is a sequence of (length: 4 bytes, native order; text as
// written, the gap inside a string continued on the next line shortened to one newline), ready to be part of
// a cache key. White space runs become one blank, comments are dropped, except a comment whose text, blanks
// aside, begins with "warmfront:" (a hint, in this spelling), which stays in the template. False if the text
// cannot be cut soundly (unterminated quote or comment, a control byte outside literals, a backslash in a
// plain string while standard_conforming_strings is off, a hint between the lines of one string): the caller
// treats the statement as opaque; the outputs are then unspecified.
[[nodiscard]] bool normalize(std::string_view sql, NormalizeOptions options, std::string& template_text,
                             std::string& literals);

// Where the literals of normalize() begin in sql, ascending; empty where it cannot be cut.
[[nodiscard]] std::vector<std::uint32_t> literal_places(std::string_view sql, NormalizeOptions options);

// Whether a literal, a text parameter, or all literals of normalize() at once could be read by a date/time
// type as the present moment: it holds the word now, today, tomorrow or yesterday (any case) as a token of
// its own, be it split by quotes or backslashes as in '{"n\ow"}', or escapes that could spell one. Asked when
// an answer is about to be stored.
[[nodiscard]] bool may_mean_now(std::string_view text);

}  // namespace warmfront::sql
