// How depth is bounded without parsing. Every level of a tree costs at least one token, and tokens that end
// up side by side in one list (after a comma, after AND and OR, whose chains the grammar flattens) do not add
// up. So per open bracket a run of tokens is counted that starts anew there; what still nests across those
// (left-deep UNION and JOIN, CASE, which brackets without a bracket) is counted apart and never forgotten
// before its bracket closes. AND is also part of BETWEEN, whose right side can hold a further one: from a
// BETWEEN on it is a token like others. The sum over the open brackets bounds the depth.
#include "sql/statement_scan.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "sql/statement.h"

namespace warmfront::sql {
namespace {

struct FreeScan {
    void operator()(PgQuery__ScanResult* scan) const { pg_query__scan_result__free_unpacked(scan, nullptr); }
};
using Scan = std::unique_ptr<PgQuery__ScanResult, FreeScan>;

// nullptr where the lexer fails.
Scan scan(const std::string& sql) {
    const PgQueryScanResult packed = pg_query_scan(sql.c_str());
    Scan unpacked;
    if (packed.error == nullptr) {
        unpacked.reset(pg_query__scan_result__unpack(
            nullptr, packed.pbuf.len, reinterpret_cast<const std::uint8_t*>(packed.pbuf.data)));
    }
    pg_query_free_scan_result(packed);
    return unpacked;
}

class Nesting {
public:
    void take(PgQuery__Token token) {
        switch (token) {
            case PG_QUERY__TOKEN__ASCII_40:  // (
            case PG_QUERY__TOKEN__ASCII_91:  // [
                grow(levels_.back().run);
                levels_.push_back({});
                return;
            case PG_QUERY__TOKEN__ASCII_41:  // )
            case PG_QUERY__TOKEN__ASCII_93:  // ]
                if (levels_.size() > 1) {
                    total_ -= levels_.back().run + levels_.back().kept;
                    levels_.pop_back();
                }
                return;
            case PG_QUERY__TOKEN__ASCII_44:  // ,
            case PG_QUERY__TOKEN__OR: start_run(); return;
            case PG_QUERY__TOKEN__AND:
                if (levels_.back().between) return grow(levels_.back().run);
                return start_run();
            case PG_QUERY__TOKEN__BETWEEN: levels_.back().between = true; return grow(levels_.back().run);
            case PG_QUERY__TOKEN__ASCII_59:  // ; is outside of any bracket, or the text does not parse
                levels_.assign(1, {});
                total_ = 0;
                return;
            case PG_QUERY__TOKEN__UNION:
            case PG_QUERY__TOKEN__EXCEPT:
            case PG_QUERY__TOKEN__INTERSECT:
            case PG_QUERY__TOKEN__JOIN:
            case PG_QUERY__TOKEN__CASE: grow(levels_.back().kept); return;
            case PG_QUERY__TOKEN__SQL_COMMENT:
            case PG_QUERY__TOKEN__C_COMMENT: return;
            default: grow(levels_.back().run);
        }
    }
    [[nodiscard]] std::size_t deepest() const { return deepest_; }

private:
    struct Level {
        std::size_t run = 0, kept = 0;
        bool between = false;
    };
    void start_run() {
        total_ -= levels_.back().run;
        levels_.back().run = 0;
    }
    void grow(std::size_t& counter) {
        ++counter;
        deepest_ = std::max(deepest_, ++total_);
    }

    std::vector<Level> levels_{1};
    std::size_t total_ = 0, deepest_ = 0;
};

constexpr std::string_view kHint = "warmfront:";
constexpr std::string_view kBlanks = " \t\r\n\f\v";

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

bool may_nest_too_deeply(std::string_view sql) {
    if (sql.size() <= kNestingMax) return false;  // no token is shorter than a byte
    const Scan tokens = scan(std::string(sql));
    if (!tokens) return false;
    Nesting nesting;
    for (std::size_t i = 0; i < tokens->n_tokens; ++i) nesting.take(tokens->tokens[i]->token);
    return nesting.deepest() > kNestingMax;
}

std::string hint_in(std::string_view sql) {
    if (sql.find(kHint) == std::string_view::npos || sql.size() > kStatementBytesMax) return {};
    const std::string text(sql);
    const Scan tokens = scan(text);
    if (!tokens) return {};
    for (std::size_t i = 0; i < tokens->n_tokens; ++i) {
        const auto& token = *tokens->tokens[i];
        const bool block = token.token == PG_QUERY__TOKEN__C_COMMENT;
        if (!block && token.token != PG_QUERY__TOKEN__SQL_COMMENT) continue;
        auto comment = std::string_view(text).substr(token.start + 2, token.end - token.start - 2);
        if (block) comment.remove_suffix(std::min<std::size_t>(2, comment.size()));
        comment = trim(comment);
        if (comment.starts_with(kHint)) return std::string(trim(comment.substr(kHint.size())));
    }
    return {};
}

std::pair<std::string_view, std::string_view> sides_of_assignment(std::string_view text) {
    const Scan tokens = scan(std::string(text));
    if (!tokens) return {};
    int depth = 0;
    for (std::size_t i = 0; i < tokens->n_tokens; ++i) {
        const auto& token = *tokens->tokens[i];
        switch (token.token) {
            case PG_QUERY__TOKEN__ASCII_91:
            case PG_QUERY__TOKEN__ASCII_40: ++depth; break;
            case PG_QUERY__TOKEN__ASCII_93:
            case PG_QUERY__TOKEN__ASCII_41: --depth; break;
            case PG_QUERY__TOKEN__COLON_EQUALS:
            case PG_QUERY__TOKEN__ASCII_61:
                if (depth != 0) break;
                return {text.substr(0, static_cast<std::size_t>(token.start)),
                        text.substr(static_cast<std::size_t>(token.end))};
            default: break;
        }
    }
    return {};
}

std::vector<Lexeme> lexemes_of(std::string_view sql) {
    const Scan tokens = scan(std::string(sql));
    std::vector<Lexeme> lexemes;
    for (std::size_t i = 0; tokens && i < tokens->n_tokens; ++i) {
        const auto& token = *tokens->tokens[i];
        if (token.token == PG_QUERY__TOKEN__SQL_COMMENT || token.token == PG_QUERY__TOKEN__C_COMMENT)
            continue;
        const auto text = sql.substr(static_cast<std::size_t>(token.start),
                                     static_cast<std::size_t>(token.end - token.start));
        const bool quoted = text.starts_with('"') || text.ends_with('\'');
        std::string folded(text);
        for (char& c : folded) {
            if (!quoted && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        lexemes.push_back({text, std::move(folded)});
    }
    return lexemes;
}

std::string_view query_of_prepare(std::string_view sql) {
    const Scan tokens = scan(std::string(sql));
    if (!tokens) return {};
    const std::span all(tokens->tokens, tokens->n_tokens);
    const auto as = std::ranges::find(all, PG_QUERY__TOKEN__AS, &PgQuery__ScanToken::token);
    return as == all.end() ? std::string_view{} : sql.substr(static_cast<std::size_t>((*as)->end));
}

}  // namespace warmfront::sql
