// sql/choices.h: what the settings say of single tables, statements and functions, ready for the analysis.
//
// A statement is meant by its digest: that of its text without literals, parameters, comments (hints apart)
// and superfluous blanks, so that an example of it is as good as its template. Immutable once made, pure;
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/settings.h"
#include "sql/analysis_reach.h"

namespace warmfront::sql {

struct Choices {
    struct Table {
        RelationName name;
        std::optional<bool> cache;
        std::optional<std::uint32_t> ttl_ms;
        std::string_view setting;  // that says so: "tables", "cache.exclude"
        std::optional<std::uint32_t> stale_ms = std::nullopt;
        bool operator==(const Table&) const = default;
    };
    struct Statement {
        std::optional<bool> cache;
        std::optional<std::uint32_t> ttl_ms, stale_ms;
        bool operator==(const Statement&) const = default;
    };
    std::vector<Table> tables;
    std::unordered_map<std::uint64_t, Statement> statements;  // by digest
    FunctionSettings functions;

    bool operator==(const Choices&) const = default;

    [[nodiscard]] const Statement* of_statement(std::uint64_t digest) const;
    // Whether the table, or one that it is a part of, or a part of it, is turned off: by which entry.
    [[nodiscard]] const Table* turned_off(const Relation& relation, const Catalog& catalog) const;
    [[nodiscard]] bool turned_on(const Relation& relation, const Catalog& catalog) const;
    // The least that is said of it or of its family.
    [[nodiscard]] std::optional<std::uint32_t> ttl_ms(const Relation& relation, const Catalog& catalog) const;
    [[nodiscard]] std::optional<std::uint32_t> stale_ms(const Relation& relation,
                                                        const Catalog& catalog) const;
    // The most of any answer; 0: none is given when PostgreSQL cannot be reached.
    [[nodiscard]] std::uint32_t stale_ms_max() const;
};
[[nodiscard]] Choices choices_of(const Settings& settings);

// Whether one of the lists of FunctionSettings names the function, with its schema or without. False without
// choices.
using VouchedList = std::vector<std::string> FunctionSettings::*;
[[nodiscard]] bool vouched(const Choices* choices, VouchedList list, std::string_view schema,
                           std::string_view name);

// The statement as it is shown and told apart: constants and parameters are '?'. A text that cannot be cut is
// told apart, but not shown: it may hold anything.
[[nodiscard]] std::string shown_text(std::string_view sql);
[[nodiscard]] std::uint64_t digest_of(std::string_view shown);
[[nodiscard]] std::string digest_text(std::uint64_t digest);  // 16 hexadecimal digits
[[nodiscard]] std::optional<std::uint64_t> parse_digest(std::string_view text);

// The least of the tables' that are read and of the statement's own (AnalysisContext), which stands in for
// cache.ttl; likewise for how long it may be stale, where what has none may not be.
[[nodiscard]] Lifetime lifetime_of(const Reach& reach, const AnalysisContext& context);

// "ttl=5s": its milliseconds; nullopt for another hint, and for what is not from 1ms to 30d.
[[nodiscard]] std::optional<std::uint32_t> ttl_in_hint(std::string_view hint);

}  // namespace warmfront::sql
