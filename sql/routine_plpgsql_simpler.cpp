// Works on tokens, not on a tree: what it takes for a statement may be part of an expression (THEN r.f = 1 in
// a CASE). The text is then no PL/pgSQL any more and the routine opaque, as it would have been.
#include <algorithm>
#include <array>

#include "sql/routine_plpgsql.h"
#include "sql/statement_scan.h"

namespace warmfront::sql {
namespace {

template <std::size_t count>
bool holds(const std::array<std::string_view, count>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

// Behind which a statement begins; behind the first four nothing else does.
constexpr std::array<std::string_view, 4> kBefore{";", "begin", "loop", ">>"};
constexpr std::array<std::string_view, 2> kBeforeAny{"then", "else"};
// What begins a query, or is not the name of a cursor, after FOR x IN.
constexpr std::array<std::string_view, 12> kNoCursor{"delete", "execute", "explain", "insert",
                                                     "merge",  "reverse", "select",  "show",
                                                     "table",  "update",  "values",  "with"};
constexpr std::array<std::string_view, 4> kAfterDirection{"from", "in", "into", ";"};

class Simplifier {
public:
    explicit Simplifier(std::string_view body) : body_(body), all_(lexemes_of(body)) {}

    SimplerPlpgsql run() {
        while (at_ < all_.size()) {
            const auto first = at_;
            if (!(begins_statement() && (field() || next() || open() || fetch())) && !loop()) ++at_;
            if (at_ <= first) at_ = first + 1;
        }
        out_.text.append(body_.substr(copied_));
        return std::move(out_);
    }

private:
    [[nodiscard]] bool is(std::size_t i, std::string_view word) const {
        return i < all_.size() && all_[i].folded == word;
    }
    [[nodiscard]] bool is_name(std::size_t i) const {
        if (i >= all_.size()) return false;
        const char c = all_[i].folded.front();
        return c == '"' || c == '_' || (c >= 'a' && c <= 'z') || (c & 0x80) != 0;
    }
    [[nodiscard]] bool surely_begins_statement() const {
        return at_ == 0 || holds(kBefore, all_[at_ - 1].folded);
    }
    [[nodiscard]] bool begins_statement() const {
        return surely_begins_statement() || holds(kBeforeAny, all_[at_ - 1].folded);
    }
    [[nodiscard]] std::size_t find(std::size_t from, std::string_view word) const {
        while (from < all_.size() && all_[from].folded != word) ++from;
        return from;
    }

    // Replaces the lexemes from the present one up to `end` and goes on behind them.
    bool replace(std::size_t end, std::string_view by) {
        const auto begin_at = static_cast<std::size_t>(all_[at_].text.data() - body_.data());
        const auto& last = all_[end - 1].text;
        out_.text.append(body_.substr(copied_, begin_at - copied_)).append(by);
        copied_ = static_cast<std::size_t>(last.data() + last.size() - body_.data());
        at_ = end;
        return true;
    }

    // r.field := x
    bool field() {
        std::size_t end = at_;
        while (is_name(end) && is(end + 1, ".") && is_name(end + 2)) end += 2;
        const bool assigns = is(end + 1, ":=") || (is(end + 1, "=") && surely_begins_statement());
        if (end == at_ || is(at_, "new") || is(at_, "old") || !assigns) return false;
        out_.assigns_fields = true;
        return replace(end + 2, " PERFORM ");
    }

    // RETURN NEXT;
    bool next() {
        return is(at_, "return") && is(at_ + 1, "next") && is(at_ + 2, ";") && replace(at_ + 2, "NULL");
    }

    // OPEN c; OPEN c (1); OPEN c [NO] [SCROLL] FOR SELECT ...; its query is in the declaration, or follows.
    bool open() {
        if (!is(at_, "open") || !is_name(at_ + 1)) return false;
        out_.uses_cursors = true;
        if (is(at_ + 2, ";")) return replace(at_ + 2, "NULL");
        if (is(at_ + 2, "(")) return replace(at_ + 2, "PERFORM ");
        auto end = at_ + 2;
        while (is(end, "no") || is(end, "scroll")) ++end;
        return is(end, "for") && replace(end + 1, " ");
    }

    // FETCH 2 FROM c INTO x; MOVE c; CLOSE c;
    bool fetch() {
        if (!is(at_, "fetch") && !is(at_, "move") && !is(at_, "close")) return false;
        const auto end = find(at_, ";");
        if (find(at_, "(") < end || find(at_, ":=") < end || find(at_, "=") < end) return false;
        auto behind = at_;  // the direction, of one constant at most
        while (behind < end && !holds(kAfterDirection, all_[behind].folded)) ++behind;
        if (behind > at_ + 3) return false;
        out_.uses_cursors = true;
        return end < all_.size() && replace(end, "NULL");
    }

    // FOR r IN c LOOP; FOR r IN c (1) LOOP
    bool loop() {
        if (!is(at_, "for") || !is_name(at_ + 1) || !is(at_ + 2, "in") || !is_name(at_ + 3) ||
            holds(kNoCursor, all_[at_ + 3].folded))
            return false;
        if (!is(at_ + 4, "loop") && !is(at_ + 4, "(")) return false;
        const auto end = find(at_ + 4, "loop");
        if (std::any_of(all_.begin() + static_cast<std::ptrdiff_t>(at_),
                        all_.begin() + static_cast<std::ptrdiff_t>(end),
                        [](const Lexeme& lexeme) { return lexeme.folded == ".." || lexeme.folded == ";"; }))
            return false;  // of integers
        out_.uses_cursors = true;
        at_ += 3;
        return replace(at_ + 1, is(at_ + 1, "(") ? "SELECT " : "SELECT 1 ");
    }

    std::string_view body_;
    std::vector<Lexeme> all_;
    std::size_t at_ = 0, copied_ = 0;
    SimplerPlpgsql out_;
};

}  // namespace

SimplerPlpgsql simpler_plpgsql(std::string_view body) {
    return Simplifier(body).run();
}

}  // namespace warmfront::sql
