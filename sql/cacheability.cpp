// The rules in order: what the statement does, what it reads (cacheability_relations.cpp), what it computes
// (cacheability_functions.cpp). The last two look into the views as well.
#include "sql/cacheability.h"

#include <fmt/format.h>

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

std::optional<Refusal> by_part(const Reach::Part& part, bool of_client) {
    if (auto refusal = by_functions(part, of_client)) return refusal;
    if (auto refusal = by_types(part)) return refusal;
    return by_time(part);
}

// What forbids it is in a policy: whoever asks does not see it in the statement.
std::optional<Refusal> told(std::optional<Refusal> refusal, const Reach::Part& part) {
    if (!refusal || part.policy_of == nullptr) return refusal;
    return refuse(label::kRowSecurity,
                  fmt::format("reads {}.{}, and a policy of its row-level security {}",
                              part.policy_of->schema, part.policy_of->name, refusal->text));
}

// Which of them a session means depends on when it ran the function first.
std::optional<Refusal> by_first_run(const Reach::Part& part) {
    if (!part.plpgsql) return std::nullopt;
    for (const RelationName& name : part.statement->reads) {
        if (part.scope.relations(name).size() < 2) continue;
        return refuse(
            label::kUserFunction,
            fmt::format("calls a function in PL/pgSQL that names {}, which several schemas of the search "
                        "path have; name it with its schema",
                        name.name));
    }
    return std::nullopt;
}

}  // namespace

std::span<const std::string_view> refusal_labels() {
    return label::kAll;
}

std::optional<Refusal> refusal_of(const Reach& reach, const AnalysisContext& context) {
    for (const auto& part : reach.parts) {
        if (auto refusal = told(by_form(*part.statement, context.choices), part)) return refusal;
    }
    if (reach.relations.empty() && reach.unknown.empty()) {
        auto refusal = by_functions(reach.parts.front(), true);  // what a function reads may not be known
        if (refusal && refusal->label == label::kUserFunction) return refusal;
        return refuse(label::kNoTable, "reads no table, so that there is nothing to gain");
    }
    if (auto refusal = by_relations(reach, context)) return refusal;
    for (const auto& part : reach.parts) {
        if (auto refusal = told(by_part(part, &part == &reach.parts.front()), part)) return refusal;
        if (auto refusal = by_first_run(part)) return refusal;
    }
    return std::nullopt;
}

}  // namespace warmfront::sql
