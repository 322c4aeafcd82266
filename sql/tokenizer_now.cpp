// may_mean_now(): does a constant name the present moment?
//
// PostgreSQL's date/time input (ParseDateTime in datetime.c) takes a run of letters as one token, so
// "2020now1" holds the token now and "known" does not. Around it may lie the syntaxes of SQL strings, arrays,
// records, ranges and JSON, all of which let quotes and backslashes stand inside a word. They are skipped
// between the letters of a word; an escape that could stand for a letter counts as a match. Too many matches
// cost a cached answer, no more.
#include <array>

#include "sql/tokenizer.h"

namespace warmfront::sql {
namespace {

constexpr std::array<std::string_view, 4> kWords = {"now", "today", "tomorrow", "yesterday"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
}

// Behind what can vanish inside a word: quotes, backslashes, and the seam of a string continued on the next
// line.
std::size_t skip_vanishing(std::string_view text, std::size_t at) {
    for (;; ++at) {
        if (at == text.size()) return at;
        const char c = text[at];
        if (c == '\'' || c == '"' || c == '\\') continue;
        if (c == '\n' && text[at - 1] == '\'' && text.substr(at + 1).starts_with('\'')) continue;
        return at;
    }
}

bool word_begins_at(std::string_view text, std::size_t at, std::string_view word) {
    for (const char expected : word) {
        at = skip_vanishing(text, at);
        if (at == text.size() || lower(text[at]) != expected) return false;
        ++at;
    }
    return at == text.size() || !is_letter(text[at]);
}

// A token may begin behind anything but a letter, and behind a letter that is half of an escape ("\nnow").
bool token_may_begin_at(std::string_view text, std::size_t at) {
    if (at == 0 || !is_letter(text[at - 1])) return true;
    return at >= 2 && text[at - 2] == '\\';
}

// Whether an escape could stand for a letter: U&'' with any escape character, \u in JSON and E'', \x and
// octal in E'' only (bytea is written with a plain '\x').
bool may_escape_letters(std::string_view text) {
    bool backslash_codes = false;
    bool escape_string = false;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        const char c = lower(text[i]);
        const char next = lower(text[i + 1]);
        if (c == 'u' && next == '&') return true;
        if (c == 'e' && next == '\'' && (i == 0 || !is_letter(text[i - 1]))) escape_string = true;
        if (c != '\\') continue;
        if (next == 'u') return true;
        if (next == 'x' || (next >= '0' && next <= '7')) backslash_codes = true;
    }
    return backslash_codes && escape_string;
}

}  // namespace

bool may_mean_now(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = lower(text[at]);
        if ((c != 'n' && c != 't' && c != 'y') || !token_may_begin_at(text, at)) continue;
        for (const std::string_view word : kWords)
            if (word_begins_at(text, at, word)) return true;
    }
    return may_escape_letters(text);
}

}  // namespace warmfront::sql
