#include <algorithm>

#include <fmt/format.h>

#include "sql/cacheability.h"
#include "sql/cacheability_labels.h"
#include "sql/cacheability_rules.h"

namespace warmfront::sql {
namespace {

bool named_in(const std::vector<RelationName>& names, const Relation& relation) {
    return std::ranges::any_of(names, [&](const RelationName& name) {
        return name.name == relation.name && (name.schema.empty() || name.schema == relation.schema);
    });
}

// Also of a partition or child, whose rows show in its parent.
std::optional<Refusal> by_kind(const Relation& relation) {
    const auto refuse = [&](std::string_view label, std::string_view why) {
        return Refusal{label, fmt::format("reads {}.{}, {}", relation.schema, relation.name, why)};
    };
    if (relation.persistence == 't' || relation.schema.starts_with("pg_temp"))
        return refuse(label::kTempTable, "a temporary table");
    if (is_builtin(relation.oid) || relation.schema == "pg_toast")
        return refuse(label::kSystemCatalog, "a system catalog");
    switch (relation.kind) {
        case 'r':
        case 'p':
        case 'v':
        case 'm': return std::nullopt;
        case 'f': return refuse(label::kForeignTable, "a foreign table, whose changes are not seen");
        case 'S': return refuse(label::kSequence, "a sequence, which changes outside of transactions");
        default: return refuse(label::kUnknownRelation, "which is no table");
    }
}

std::optional<Refusal> by_family(const Relation& relation, const AnalysisContext& context) {
    for (const auto* member : with_descendants(relation, *context.catalog)) {
        if (auto refusal = by_kind(*member)) return refusal;
        if (named_in(context.exclude, *member)) {
            return Refusal{label::kExcluded, fmt::format("reads {}.{}, which cache.exclude names",
                                                         member->schema, member->name)};
        }
    }
    for (const auto* ancestor : with_ancestors(relation, *context.catalog)) {
        if (named_in(context.exclude, *ancestor)) {
            return Refusal{label::kExcluded, fmt::format("reads a part of {}.{}, which cache.exclude names",
                                                         ancestor->schema, ancestor->name)};
        }
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
        if (relation->row_security) {
            return Refusal{label::kRowSecurity,
                           fmt::format("reads {}.{}, whose row-level security may depend on the session",
                                       relation->schema, relation->name)};
        }
    }
    if (reach.truncated || reach.relations.size() > kReadsMax) {
        return Refusal{label::kTooManyRelations,
                       fmt::format("reads more than {} tables and views", kReadsMax)};
    }
    return std::nullopt;
}

}  // namespace warmfront::sql
