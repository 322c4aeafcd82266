// The rules in order: what the statement does, what it reads (cacheability_relations.cpp), what it computes
// (cacheability_functions.cpp). The last two look into the views as well.
#include "sql/cacheability.h"

#include "sql/cacheability_labels.h"
#include "sql/cacheability_rules.h"
#include "sql/choices.h"

namespace warmfront::sql {
namespace {

std::optional<Refusal> refuse(std::string_view label, std::string text) {
    return Refusal{label, std::move(text)};
}

std::optional<Refusal> by_form(const Statement& statement, const Choices* choices) {
    if (statement.writes_in_cte) return refuse(label::kWrites, "changes rows in a WITH query");
    if (statement.locks_rows) return refuse(label::kLocksRows, "locks rows (FOR UPDATE or FOR SHARE)");
    if (statement.samples) return refuse(label::kSample, "reads a random sample (TABLESAMPLE)");
    if (statement.system_columns)
        return refuse(label::kSystemColumn,
                      "reads a system column (ctid, xmin, ...), which changes without the row");
    if (statement.reads_clock &&
        !vouched(choices, &FunctionSettings::clock, "pg_catalog", "current_timestamp"))
        return refuse(
            label::kClock,
            "reads the clock (CURRENT_TIMESTAMP, CURRENT_DATE, ...); pass the time as a parameter, or "
            "list current_timestamp in functions.clock");
    return std::nullopt;
}

}  // namespace

std::span<const std::string_view> refusal_labels() {
    return label::kAll;
}

std::optional<Refusal> refusal_of(const Reach& reach, const AnalysisContext& context) {
    for (const auto& part : reach.parts) {
        if (auto refusal = by_form(*part.statement, context.choices)) return refusal;
    }
    if (reach.relations.empty() && reach.unknown.empty()) {
        auto refusal = by_functions(reach.parts.front());  // what a function reads may not be known
        if (refusal && refusal->label == label::kUserFunction) return refusal;
        return refuse(label::kNoTable, "reads no table, so that there is nothing to gain");
    }
    if (auto refusal = by_relations(reach, context)) return refusal;
    for (const auto& part : reach.parts) {
        if (auto refusal = by_functions(part)) return refusal;
        if (auto refusal = by_types(part)) return refusal;
        if (auto refusal = by_time(part)) return refusal;
    }
    return std::nullopt;
}

}  // namespace warmfront::sql
