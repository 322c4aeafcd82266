// The scanner walks over the text and notes where the part not yet copied begins (run_). A token that stays
// as it is costs nothing but the walk; literals and gaps end the run. Rules and their odd corners are those
// of PostgreSQL's src/backend/parser/scan.l; the names of its patterns are given where they are not obvious.
//
// What keeps it sound is small: a gap (white space, comments) is the only thing ever left out, and it always
// leaves a blank behind. So only the beginnings and ends of quotes and comments have to be found exactly as
// PostgreSQL finds them. Where a number ends matters less: its text comes back in the same place.
#include "sql/tokenizer.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace warmfront::sql {
namespace {

// The order matters: what continues an identifier comes first.
enum class Kind : std::uint8_t {
    Word,
    Digit,
    Dollar,
    Other,
    Space,
    Quote,
    DoubleQuote,
    Minus,
    Slash,
    Dot,
    Refused
};

constexpr std::array<Kind, 256> kinds() {
    std::array<Kind, 256> table{};
    table.fill(Kind::Other);
    for (int c = 0; c < 0x20; ++c) table[c] = Kind::Refused;  // \v too: white space since PostgreSQL 16 only
    for (const char c : {' ', '\t', '\n', '\r', '\f'}) table[static_cast<unsigned char>(c)] = Kind::Space;
    for (int c = '0'; c <= '9'; ++c) table[c] = Kind::Digit;
    for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = Kind::Word;
    for (int c = 0x80; c < 0x100; ++c) table[c] = Kind::Word;
    table['_'] = Kind::Word;
    table['\''] = Kind::Quote;
    table['"'] = Kind::DoubleQuote;
    table['$'] = Kind::Dollar;
    table['-'] = Kind::Minus;
    table['/'] = Kind::Slash;
    table['.'] = Kind::Dot;
    return table;
}

constexpr std::array<Kind, 256> kKinds = kinds();

Kind kind_of(char c) {
    return kKinds[static_cast<unsigned char>(c)];
}

bool continues_tag(char c) {  // dolq_cont
    return kind_of(c) <= Kind::Digit;
}

bool continues_word(char c) {  // ident_cont
    return kind_of(c) <= Kind::Dollar;
}

bool ends_line(char c) {
    return c == '\n' || c == '\r';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
    if (text.size() != lower_case.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (lower(text[i]) != lower_case[i]) return false;
    return true;
}

bool is_hint(std::string_view comment) {  // with its opening characters
    const std::size_t begin = comment.find_first_not_of(" \t\n\r\f", 2);
    return begin != std::string_view::npos && comment.substr(begin).starts_with("warmfront:");
}

bool holds_refused(std::string_view text) {
    for (const char c : text)
        if (kind_of(c) == Kind::Refused) return true;
    return false;
}

// What follows a string: the same string on another line, something else, or what must not be cut.
enum class Continuation { None, Found, Refused };

class Cutter {
public:
    // places: where literals begin is added to it, unless nullptr.
    Cutter(std::string_view sql, NormalizeOptions options, std::string& template_text, std::string& literals,
           std::vector<std::uint32_t>* places)
        : sql_(sql.data()),
          at_(sql.data()),
          end_(sql.data() + sql.size()),
          run_(at_),
          options_(options),
          template_(template_text),
          literals_(literals),
          places_(places) {}

    bool cut();

private:
    char peek(std::size_t ahead) const {
        return static_cast<std::size_t>(end_ - at_) > ahead ? at_[ahead] : '\0';
    }
    bool at_line_comment() const { return *at_ == '-' && peek(1) == '-'; }
    bool at_block_comment() const { return *at_ == '/' && peek(1) == '*'; }
    // Copies what has been walked over since the last copy, up to `until`; the next run begins at at_.
    void copy_run(const char* until) { template_.append(run_, static_cast<std::size_t>(until - run_)); }

    bool token();
    bool gap();
    bool hint(const char* begin);
    bool skip_block_comment();
    void skip_line_comment();
    bool word();
    bool may_begin_statement(const char* word) const;
    bool number();
    bool quoted_identifier();
    bool dollar();
    bool string(const char* begin, bool escapes);
    bool skip_quoted(bool escapes);
    bool skip_plain_quoted();
    Continuation find_continuation();
    bool literal(const char* begin, char placeholder);
    void append_length(std::size_t bytes);

    void note_place(const char* begin) {
        if (places_ != nullptr) places_->push_back(static_cast<std::uint32_t>(begin - sql_));
    }

    const char* const sql_;
    const char* at_;
    const char* const end_;
    const char* run_;
    const NormalizeOptions options_;
    std::string& template_;
    std::string& literals_;
    std::vector<std::uint32_t>* const places_;
    bool keep_literals_ = false;  // from here on literals stay in the template
};

bool Cutter::cut() {
    if (at_ != end_ && !gap()) return false;
    while (at_ != end_)
        if (!token()) return false;
    copy_run(end_);
    return true;
}

bool Cutter::token() {
    switch (kind_of(*at_)) {
        case Kind::Word: return word();
        case Kind::Space: {
            // A lone blank in front of a token may stay where it is, which is how most gaps are written. (At
            // the end of the text peek() gives a zero byte, which is Refused.)
            const Kind next = kind_of(peek(1));
            if (*at_ == ' ' && next != Kind::Space && next != Kind::Minus && next != Kind::Slash &&
                next != Kind::Refused) {
                ++at_;
                return true;
            }
            return gap();
        }
        case Kind::Minus:
            if (at_line_comment()) return gap();
            ++at_;
            return true;
        case Kind::Slash:
            if (at_block_comment()) return gap();
            ++at_;
            return true;
        case Kind::Dot:
            if (kind_of(peek(1)) == Kind::Digit) return number();
            at_ += peek(1) == '.' ? 2 : 1;  // dot_dot: the second dot begins no number
            return true;
        case Kind::Digit: return number();
        case Kind::Quote: return string(at_, false);
        case Kind::DoubleQuote: return quoted_identifier();
        case Kind::Dollar: return dollar();
        case Kind::Refused: return false;
        case Kind::Other: ++at_; return true;
    }
    return false;
}

// White space and comments, any mixture: one blank, unless nothing stands before or after.
bool Cutter::gap() {
    copy_run(at_);
    bool blank = false;
    bool dropped_block = false;
    bool kept_line = false;
    while (at_ != end_) {
        const char* const begin = at_;
        if (kind_of(*at_) == Kind::Space) {
            ++at_;
            blank = true;
            continue;
        }
        const bool block = at_block_comment();
        if (block) {
            if (!skip_block_comment()) return false;
        } else if (at_line_comment()) {
            skip_line_comment();
        } else {
            break;
        }
        if (!is_hint({begin, at_})) {
            blank = true;
            dropped_block |= block;
            continue;
        }
        if (blank && !template_.empty()) template_.push_back(' ');
        blank = false;
        kept_line |= !block;
        if (!hint(begin)) return false;
    }
    if (blank && at_ != end_ && !template_.empty()) template_.push_back(' ');
    run_ = at_;
    // Between two strings the block comment parts them, and the line comment alone would join them.
    return !(dropped_block && kept_line);
}

// A hint stays with its end of line, without which it would swallow what follows.
bool Cutter::hint(const char* begin) {
    if (*begin == '-' && at_ != end_) ++at_;
    const std::string_view text{begin, at_};
    template_.append(text);
    return !holds_refused(text);
}

void Cutter::skip_line_comment() {
    while (at_ != end_ && !ends_line(*at_)) ++at_;
}

bool Cutter::skip_block_comment() {
    std::size_t depth = 0;
    while (at_ != end_) {
        if (at_block_comment()) {
            ++depth;
            at_ += 2;
        } else if (*at_ == '*' && peek(1) == '/') {
            at_ += 2;
            if (--depth == 0) return true;
        } else {
            ++at_;
        }
    }
    return false;
}

bool Cutter::word() {
    const char* const begin = at_;
    const char* at = begin + 1;  // a local: at_ itself would be written in every turn, as a char may alias it
    while (at != end_ && continues_word(*at)) ++at;
    at_ = at;
    const auto length = static_cast<std::size_t>(at - begin);
    if (length == 1) {
        const char prefix = lower(*begin);
        if (peek(0) == '\'' && (prefix == 'e' || prefix == 'b' || prefix == 'x' || prefix == 'n'))
            return string(begin, prefix == 'e');
        if (prefix == 'u' && peek(0) == '&' && (peek(1) == '\'' || peek(1) == '"')) {
            ++at_;
            if (*at_ == '\'') return string(begin, false);
            keep_literals_ = true;
            return quoted_identifier();
        }
    } else if (length == 7 && equals_ignoring_case({begin, length}, "explain")) {
        keep_literals_ = true;
    } else if (length == 2 && equals_ignoring_case({begin, length}, "do") && may_begin_statement(begin)) {
        keep_literals_ = true;
    }
    return true;
}

// Not behind what ends the part before DO in ON CONFLICT ... DO and in CREATE RULE: a word, a literal, a
// closing bracket or quote.
bool Cutter::may_begin_statement(const char* word) const {
    std::string_view before{run_, word};
    if (before.find_first_not_of(' ') == std::string_view::npos) before = template_;
    const auto last = before.find_last_not_of(' ');
    if (last == std::string_view::npos) return true;
    const char c = before[last];
    return !continues_word(c) && c != ')' && c != ']' && c != '"' && c != kNumberPlaceholder &&
           c != kStringPlaceholder;
}

// decinteger, decimal, real. Hexadecimal and 1_000 (PostgreSQL 16) end at the letter: the rest stays in the
// template, where older versions read an alias.
bool Cutter::number() {
    const char* const begin = at_;
    const auto digits = [this] {
        while (at_ != end_ && kind_of(*at_) == Kind::Digit) ++at_;
    };
    digits();
    if (peek(0) == '.' && peek(1) != '.') {  // decimalfail: 1..2 is a range
        ++at_;
        digits();
    }
    if (lower(peek(0)) == 'e') {
        const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
        if (kind_of(peek(1 + sign)) == Kind::Digit) {
            at_ += 1 + sign;
            digits();
        }
    }
    return literal(begin, kNumberPlaceholder);
}

bool Cutter::quoted_identifier() {
    const char* const begin = at_;
    const void* const close = std::memchr(at_ + 1, '"', static_cast<std::size_t>(end_ - at_ - 1));
    if (close == nullptr) return false;
    // A doubled quote is taken for two identifiers side by side: the bytes that stay are the same.
    at_ = static_cast<const char*>(close) + 1;
    return !holds_refused({begin, at_});
}

bool Cutter::dollar() {
    const char* const begin = at_++;
    if (kind_of(peek(0)) == Kind::Digit) {  // param
        while (at_ != end_ && kind_of(*at_) == Kind::Digit) ++at_;
        return true;
    }
    const char* tag = at_;
    while (tag != end_ && continues_tag(*tag)) ++tag;
    if (tag == end_ || *tag != '$') return true;  // dolqfailed: a dollar by itself
    const std::string_view delimiter{begin, tag + 1};
    const std::string_view body{tag + 1, end_};
    const std::size_t close = body.find(delimiter);
    if (close == std::string_view::npos) return false;
    at_ = body.data() + close + delimiter.size();
    return literal(begin, kStringPlaceholder);
}

bool Cutter::literal(const char* begin, char placeholder) {
    if (keep_literals_) return !holds_refused({begin, at_});
    copy_run(begin);
    run_ = at_;
    template_.push_back(placeholder);
    note_place(begin);
    append_length(static_cast<std::size_t>(at_ - begin));
    literals_.append(begin, static_cast<std::size_t>(at_ - begin));
    return true;
}

void Cutter::append_length(std::size_t bytes) {
    const auto length = static_cast<std::uint32_t>(bytes);
    char raw[sizeof length];
    std::memcpy(raw, &length, sizeof length);
    literals_.append(raw, sizeof length);
}

// From `begin` (a prefix or the quote itself); at_ is on the opening quote.
bool Cutter::string(const char* begin, bool escapes) {
    if (!skip_quoted(escapes)) return false;
    const char* piece_end = at_;
    Continuation continuation = find_continuation();
    if (continuation == Continuation::None) return literal(begin, kStringPlaceholder);

    copy_run(begin);
    std::string& out = keep_literals_ ? template_ : literals_;
    if (!keep_literals_) {
        template_.push_back(kStringPlaceholder);
        note_place(begin);
        append_length(0);
    }
    const std::size_t text_at = out.size();
    out.append(begin, piece_end);
    while (continuation == Continuation::Found) {
        const char* const piece = at_;
        if (!skip_quoted(escapes)) return false;
        out.push_back('\n');
        out.append(piece, at_);
        continuation = find_continuation();
    }
    run_ = at_;
    if (continuation == Continuation::Refused) return false;
    if (keep_literals_) return !holds_refused(std::string_view(out).substr(text_at));
    const auto length = static_cast<std::uint32_t>(out.size() - text_at);
    std::memcpy(out.data() + text_at - sizeof length, &length, sizeof length);
    return true;
}

// quotecontinue: white space with at least one newline, line comments among it, then a quote. Moves there if
// found.
Continuation Cutter::find_continuation() {
    const char* const back = at_;
    bool newline = false;
    bool hint = false;
    while (at_ != end_) {
        const char* const begin = at_;
        if (kind_of(*at_) == Kind::Space) {
            newline |= ends_line(*at_++);
        } else if (at_line_comment()) {
            skip_line_comment();
            hint |= is_hint({begin, at_});
        } else {
            break;
        }
    }
    if (newline && peek(0) == '\'') return hint ? Continuation::Refused : Continuation::Found;
    at_ = back;
    return Continuation::None;
}

// From the opening quote to behind the closing one.
bool Cutter::skip_quoted(bool escapes) {
    if (!escapes) return skip_plain_quoted();
    for (++at_; at_ != end_; ++at_) {
        if (*at_ == '\\') {
            if (++at_ == end_) return false;
        } else if (*at_ == '\'') {
            ++at_;
            if (peek(0) != '\'') return true;
        }
    }
    return false;
}

bool Cutter::skip_plain_quoted() {
    const char* const open = at_++;
    for (;;) {
        const void* const close = std::memchr(at_, '\'', static_cast<std::size_t>(end_ - at_));
        if (close == nullptr) return false;
        at_ = static_cast<const char*>(close) + 1;
        if (peek(0) != '\'') break;
        ++at_;
    }
    return options_.standard_conforming_strings ||
           std::string_view(open, at_).find('\\') == std::string_view::npos;
}

bool is_ascii(std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    return true;
}

}  // namespace

static bool cut(std::string_view sql, NormalizeOptions options, std::string& template_text,
                std::string& literals, std::vector<std::uint32_t>* places) {
    template_text.clear();
    literals.clear();
    if (sql.find('\0') != std::string_view::npos) return false;
    if (!options.ascii_safe_encoding && !is_ascii(sql)) return false;
    return Cutter(sql, options, template_text, literals, places).cut();
}

bool normalize(std::string_view sql, NormalizeOptions options, std::string& template_text,
               std::string& literals) {
    return cut(sql, options, template_text, literals, nullptr);
}

std::vector<std::uint32_t> literal_places(std::string_view sql, NormalizeOptions options) {
    std::string template_text, literals;
    std::vector<std::uint32_t> places;
    if (!cut(sql, options, template_text, literals, &places)) places.clear();
    return places;
}

}  // namespace warmfront::sql
