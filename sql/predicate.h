// sql/predicate.h: which rows of which relations a query looks at, and which rows a write changes, with the
// catalog's columns and types; and what that comes to with the values of one execution.
//
// Soundness: a row that a footprint leaves out cannot alter the answer, whether it comes, goes or changes; a
// write changes no rows but those described. In doubt a footprint is the whole relation and a write any row
// of it. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sql/analysis_reach.h"
#include "sql/change.h"
#include "sql/predicate_plan.h"
#include "sql/value.h"

namespace warmfront::sql {

// The values of one execution. Views stay valid as long as what they were made of.
class StatementValues {
public:
    // Of a simple query: the literals of sql/tokenizer.h's normalize().
    [[nodiscard]] static StatementValues of_literals(std::string_view literals, bool utf8);
    // Of a Bind: one RawValue per parameter.
    [[nodiscard]] static StatementValues of_parameters(std::span<const RawValue> parameters, bool utf8);
    StatementValues() = default;  // nothing is known but constants

    [[nodiscard]] std::optional<RawValue> find(const ValueSource& source) const;

private:
    [[nodiscard]] std::optional<RawValue> literal(const ValueSource& source, RawValue value) const;

    std::vector<std::string_view> literals_;
    std::span<const RawValue> parameters_;
    bool utf8_ = true;
};

// The footprints of a query, several for a table that it names several times; nullopt where the statement's
// names or conditions cannot be told: every relation is then looked at as a whole.
// literal_places: where literals begin in the statement's text that a template replaces, ascending.
[[nodiscard]] std::optional<std::vector<Footprint>> footprints_of(
    const Reach& reach, std::span<const std::uint32_t> literal_places);

// What an INSERT, UPDATE or DELETE does to its target and the target's partitions, children and parents;
// empty where any row may be changed.
[[nodiscard]] std::vector<ChangePlan> changes_of(const Statement& statement, const Scope& scope,
                                                 std::span<const std::uint32_t> literal_places);

// What foreign keys do to the tables `cascaded` because of such changes (of all their parents that are in the
// closure of the statement); those for which it cannot be told are left out.
[[nodiscard]] std::vector<ChangePlan> cascades_of(std::span<const ChangePlan> changes,
                                                  std::span<const Oid> cascaded, const Catalog& catalog);

// What a COPY FROM STDIN adds to its target and the target's partitions and parents, likewise.
[[nodiscard]] std::vector<CopyPlan> copies_of(const Statement& statement, const Scope& scope);

// One line of its data as a row; empty (any row) where it is not understood.
[[nodiscard]] RowImage image_of_line(const CopyPlan& plan, std::string_view line, bool utf8);

// The rows that have one of each key's values, combos_max combinations at most; nullopt where a value is not
// judged or there are too many.
[[nodiscard]] std::optional<std::vector<RowImage>> images_of(std::span<const ColumnValues> keys,
                                                             const StatementValues& values,
                                                             std::size_t images_max);
[[nodiscard]] RowsChange change_of(const ChangePlan& plan, const StatementValues& values);

// The bounds with these values; nullopt where they are not judged. Nothing is within if low > high.
struct Interval {
    std::int64_t low, high;  // of CanonicalValue::order, both within
};
[[nodiscard]] std::optional<Interval> interval_of(const ColumnRange& range, const StatementValues& values);

}  // namespace warmfront::sql
