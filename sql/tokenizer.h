// sql/tokenizer.h: cuts the literals out of a statement's text, without the parser.
//
// "SELECT a FROM t WHERE id = 42 AND s = 'x'" becomes the template "SELECT a FROM t WHERE id = \1 AND s = \2" and
// the literals 42 and 'x'. One pass over the text, no allocation once the output buffers have grown.
// Lexical rules: PostgreSQL manual, section 4.1 (quoted identifiers, E'', U&'', B'', X'', dollar quotes, nested
// comments, numbers, operators, $n parameters). Pure; thread-safe.
//
// Sound rather than pretty: two statements get the same template and the same literals only if PostgreSQL would
// read them as the same statement up to white space and comments that mean nothing.
#pragma once

#include <string>
#include <string_view>

namespace warmfront::sql {

struct NormalizeOptions {
    bool standard_conforming_strings = true;
};

// Placeholders in a template: one byte below 0x20 that no statement text can hold outside a quoted part.
inline constexpr char kNumberPlaceholder = '\1';
inline constexpr char kStringPlaceholder = '\2';  // any quoted string kind; the literal keeps its prefix and quotes

// Replaces template_text and literals. literals is a sequence of (length: 4 bytes, native order; text as written),
// ready to be part of a cache key. White space runs become one blank, comments are dropped, except a comment
// whose text begins with "warmfront:" (a hint), which stays in the template.
// False if the text cannot be cut soundly (unterminated quote, a zero byte, a backslash in a plain string while
// standard_conforming_strings is off, placeholder bytes in the text): the caller treats the statement as opaque.
[[nodiscard]] bool normalize(std::string_view sql, NormalizeOptions options, std::string& template_text,
                             std::string& literals);

// Whether a literal or text parameter could be read by a date/time type as the present moment: it holds the word
// now, today, tomorrow or yesterday (any case) as a token of its own. Asked when an answer is about to be stored.
[[nodiscard]] bool may_mean_now(std::string_view text);

}  // namespace warmfront::sql
