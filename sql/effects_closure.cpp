// Depth is bounded: every step down (a child, a foreign key, a view) goes to a relation not visited with
// these acts yet, and kRelationsMax of them end it.
#include "sql/effects_closure.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sql/choices.h"
#include "sql/functions.h"

namespace warmfront::sql {
namespace {

std::string written(const RelationName& name) {
    return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

std::string written(const Relation& relation) {
    return relation.schema + "." + relation.name;
}

bool partitioned(const Relation& relation, const Catalog& catalog) {
    return relation.kind == 'p' || std::ranges::any_of(relation.parents, [&](Oid oid) {
               const auto* parent = catalog.find(oid);
               return parent != nullptr && parent->kind == 'p';
           });
}

}  // namespace

void Closure::everything(std::string reason) {
    if (out_.effects.everything) return;
    out_.effects.everything = true;
    out_.reason = std::move(reason);
}

void Closure::finish() {
    auto& relations = out_.effects.relations;
    if (out_.effects.everything) relations.clear();
    std::ranges::sort(relations);
    relations.erase(std::ranges::unique(relations).begin(), relations.end());
}

void Closure::write(const WriteTarget& target) {
    const auto meant = scope_.relations(target.relation);
    if (meant.empty())
        return everything(
            fmt::format("writes {}, which the catalog snapshot does not hold", written(target.relation)));
    for (const auto* relation : meant)
        write(*relation, kAdds | (target.updates ? kUpdates : 0) | (target.deletes ? kDeletes : 0));
}

bool Closure::first_time(const Relation& relation, unsigned acts) {
    auto& before = visited_[&relation];
    if ((before & acts) == acts) return false;
    before |= acts;
    if (visited_.size() > kRelationsMax) everything("reaches too many relations");
    return true;
}

void Closure::write(const Relation& relation, unsigned acts) {
    // Before PostgreSQL 15, an UPDATE that moves a row to another partition acts on foreign keys as a DELETE.
    if ((acts & kUpdates) != 0 && partitioned(relation, catalog())) acts |= kDeletes;
    if (out_.effects.everything || !first_time(relation, acts)) return;
    if (is_builtin(relation.oid)) {
        out_.changes_settings = out_.changes_catalog = out_.changes_roles = true;
        return everything(fmt::format("writes {}, a system catalog", written(relation)));
    }
    if (relation.has_triggers) return everything(fmt::format("{} has triggers", written(relation)));
    if (relation.has_rules) return everything(fmt::format("{} has rules", written(relation)));
    if (relation.calls_functions) {
        return everything(
            fmt::format("a default, check, generated column or policy of {} calls a volatile function",
                        written(relation)));
    }
    if (relation.kind == 'v') return write_through(relation, acts);
    for (const auto* ancestor : with_ancestors(relation, catalog()))
        out_.effects.relations.push_back(ancestor->oid);
    for (const auto child : relation.children) {
        if (const auto* other = catalog().find(child)) write(*other, acts);
    }
    cascade(relation, acts);
}

// An updatable view changes the one relation in its FROM; the others it names are taken along, since which
// one that is would have to be worked out.
void Closure::write_through(const Relation& view, unsigned acts) {
    const auto definition = definition_of(view);
    if (!definition)
        return everything(fmt::format("the definition of view {} is not understood", written(view)));
    out_.effects.relations.push_back(view.oid);
    const auto scope = scope_.of_views();
    run(*definition, scope);
    for (const auto& name : definition->reads) {
        const auto* base = scope.relation(name);
        if (base == nullptr)
            return everything(fmt::format("view {} reads {}, which the catalog snapshot does not hold",
                                          written(view), written(name)));
        write(*base, acts);
    }
}

void Closure::cascade(const Relation& relation, unsigned acts) {
    if ((acts & kDeletes) != 0) {  // CASCADE deletes, SET NULL updates
        for (const auto oid : relation.cascades_on_delete) {
            if (const auto* other = catalog().find(oid)) write(*other, kUpdates | kDeletes);
        }
    }
    if ((acts & kUpdates) != 0) {
        for (const auto oid : relation.cascades_on_update) {
            if (const auto* other = catalog().find(oid)) write(*other, kUpdates);
        }
    }
}

void Closure::run(const Statement& statement, const Scope& scope) {
    const auto reach = reach_of(statement, scope);
    for (const auto& part : reach.parts) {
        for (const auto& use : part.statement->functions) call(use, part.scope);
    }
    for (const auto* relation : reach.relations) {
        if (relation->row_security && relation->calls_functions)
            everything(fmt::format("a policy of {} calls a volatile function", written(*relation)));
    }
    if (catalog().has_volatile_casts)
        everything("a user-defined cast of this database calls a volatile function");
    // What cannot be looked into may be a view, which may call anything there is to be called.
    if (!catalog().has_writing_functions()) return;
    if (!reach.unreadable_view.empty())
        everything(fmt::format("the definition of view {} is not understood", reach.unreadable_view));
    if (!reach.unknown.empty()) {
        everything(fmt::format(
            "reads {}, which the catalog snapshot does not hold and which may be a view that calls "
            "a volatile function",
            written(reach.unknown.front())));
    }
    if (reach.truncated) everything("reads too many relations");
}

void Closure::call(const FunctionUse& use, const Scope& scope) {
    if (use.form == FunctionUse::Form::Operator) {
        for (const auto* symbol : catalog().operators_named(use.name)) {
            if (vouched(scope.choices, &FunctionSettings::user, symbol->schema, symbol->name)) continue;
            if (symbol->volatility == 'v' && !symbol->native)
                everything(fmt::format("operator {} calls a volatile function", use.name));
        }
        return;
    }
    const auto candidates = scope.functions(use);
    const bool field = use.form == FunctionUse::Form::Field;
    if (candidates.empty() && !field && !is_type_without_function(use.name) &&
        catalog().type_named(use.name) == nullptr)
        everything(fmt::format("calls {}(), which the catalog snapshot does not hold", use.name));
    for (const auto* function : candidates) {
        if (field && !function->takes_row) continue;
        const bool builtin = is_builtin(function->oid);
        if (!builtin && vouched(scope.choices, &FunctionSettings::user, function->schema, function->name))
            continue;
        if (may_write(*function))
            everything(fmt::format("calls {}(), which is volatile and not built in, so that it may write",
                                   use.name));
        if (!builtin) {
            // It may call set_config() and run DDL as well.
            if (may_write(*function)) out_.changes_settings = out_.changes_catalog = true;
            continue;
        }
        switch (effect_of_builtin(use.name)) {
            case FunctionEffect::None: break;
            case FunctionEffect::Settings: out_.changes_settings = true; break;
            case FunctionEffect::Roles: out_.changes_roles = true; break;
            case FunctionEffect::Everything:
                everything(fmt::format("calls {}(), which may run any query", use.name));
                break;
        }
    }
}

}  // namespace warmfront::sql
