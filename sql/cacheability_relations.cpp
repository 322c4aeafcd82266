#include <fmt/format.h>

#include "sql/cacheability.h"
#include "sql/cacheability_labels.h"
#include "sql/cacheability_rules.h"
#include "sql/choices.h"

namespace warmfront::sql {
namespace {

bool turned_on(const Relation& relation, const AnalysisContext& context) {
    return context.choices != nullptr && context.choices->turned_on(relation, *context.catalog);
}

std::string how_to_turn_on(const Relation& relation) {
    return fmt::format("tables: {{name: {}.{}, cache: on}} keeps it all the same", relation.schema,
                       relation.name);
}

// Also of a partition or child, whose rows show in its parent.
std::optional<Refusal> by_kind(const Relation& relation, const AnalysisContext& context) {
    const auto refuse = [&](std::string_view label, std::string_view why) {
        return Refusal{label, fmt::format("reads {}.{}, {}", relation.schema, relation.name, why)};
    };
    if (relation.persistence == 't' || relation.schema.starts_with("pg_temp"))
        return refuse(label::kTempTable, "a temporary table");
    if (relation.schema == "pg_toast") return refuse(label::kSystemCatalog, "a system catalog");
    if (is_builtin(relation.oid)) {
        // Its views tell of the session, of locks and of what happens: nobody can vouch for those.
        if (relation.kind != 'r') return refuse(label::kSystemCatalog, "a system view");
        if (turned_on(relation, context)) return std::nullopt;
        return refuse(label::kSystemCatalog, fmt::format("a system catalog; {}", how_to_turn_on(relation)));
    }
    switch (relation.kind) {
        case 'r':
        case 'p':
        case 'v':
        case 'm': return std::nullopt;
        case 'f':
            if (turned_on(relation, context)) return std::nullopt;
            return refuse(label::kForeignTable, fmt::format("a foreign table, whose changes are not seen; {}",
                                                            how_to_turn_on(relation)));
        case 'S': return refuse(label::kSequence, "a sequence, which changes outside of transactions");
        default: return refuse(label::kUnknownRelation, "which is no table");
    }
}

std::optional<Refusal> by_family(const Relation& relation, const AnalysisContext& context) {
    for (const auto* member : with_descendants(relation, *context.catalog)) {
        if (auto refusal = by_kind(*member, context)) return refusal;
    }
    if (context.choices == nullptr || context.ignore_turned_off) return std::nullopt;
    if (const auto* off = context.choices->turned_off(relation, *context.catalog)) {
        return Refusal{label::kExcluded, fmt::format("reads {}.{}, which {} turns off", relation.schema,
                                                     relation.name, off->setting)};
    }
    return std::nullopt;
}

Refusal unknown(const RelationName& name) {
    const auto written = name.schema.empty() ? name.name : name.schema + "." + name.name;
    if (name.schema.starts_with("pg_temp"))
        return {label::kTempTable, fmt::format("reads {}, a temporary table", written)};
    return {label::kUnknownRelation,
            fmt::format("reads {}, which the catalog snapshot does not hold (temporary, or just created)",
                        written)};
}

}  // namespace

std::optional<Refusal> by_relations(const Reach& reach, const AnalysisContext& context) {
    if (!reach.unknown.empty()) return unknown(reach.unknown.front());
    if (!reach.unreadable_view.empty()) {
        return Refusal{label::kUnreadableView,
                       fmt::format("the definition of view {} is not understood", reach.unreadable_view)};
    }
    for (const auto* relation : reach.relations) {
        if (auto refusal = by_family(*relation, context)) return refusal;
    }
    if (reach.truncated || reach.relations.size() > kReadsMax) {
        return Refusal{label::kTooManyRelations,
                       fmt::format("reads more than {} tables and views", kReadsMax)};
    }
    return std::nullopt;
}

}  // namespace warmfront::sql
