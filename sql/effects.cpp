#include "sql/effects.h"

#include <utility>

#include "sql/effects_closure.h"

namespace warmfront::sql {
namespace {

StatementEffects everything(std::string reason) {
    StatementEffects found;
    found.effects.everything = true;
    found.reason = std::move(reason);
    return found;
}

void add(StatementEffects& to, StatementEffects other) {
    if (to.reason.empty()) to.reason = std::move(other.reason);
    to.effects.add(other.effects);
    to.changes_settings |= other.changes_settings;
    to.changes_catalog |= other.changes_catalog;
    to.changes_roles |= other.changes_roles;
}

// A query or a change of rows, inner statements apart.
StatementEffects of_rows(const Statement& statement, const AnalysisContext& context) {
    if (context.catalog == nullptr) {
        if (statement.reads.empty() && statement.writes.empty() && statement.functions.empty()) return {};
        return everything("the catalog is not known yet");
    }
    const bool names_any = !statement.reads.empty() || !statement.writes.empty();
    if (context.has_temporary && names_any && context.catalog->has_writing_functions())
        return everything("the session has temporary objects: a view or trigger among them may write");
    StatementEffects found;
    const Scope scope = scope_of(context);
    Closure closure(scope, found);
    closure.run(statement, scope);
    for (const auto& target : statement.writes) closure.write(target);
    if (statement.cascade)
        closure.everything("TRUNCATE ... CASCADE empties every table that refers to this one");
    closure.finish();
    return found;
}

StatementEffects of_refresh(const Statement& statement, const AnalysisContext& context) {
    auto found = of_rows(statement, context);
    if (found.effects.everything) return found;
    const Scope scope = scope_of(context);
    Closure closure(scope, found);
    for (const auto* view : scope.relations(statement.writes.front().relation)) {
        const auto definition = definition_of(*view);
        if (!definition) return everything("the definition of the materialized view is not understood");
        closure.run(*definition, scope.of_views());
    }
    closure.finish();
    return found;
}

bool fires_event_triggers(const AnalysisContext& context) {
    return context.catalog == nullptr || context.catalog->has_event_triggers;
}

StatementEffects of_statement(const Statement& statement, const AnalysisContext& context) {
    switch (statement.kind) {
        case StatementKind::Select:
        case StatementKind::Insert:
        case StatementKind::Update:
        case StatementKind::Delete:
        case StatementKind::Merge:
        case StatementKind::Truncate:
        case StatementKind::CopyFrom:
        case StatementKind::CopyTo: return of_rows(statement, context);
        case StatementKind::Refresh:
            if (fires_event_triggers(context)) return everything("an event trigger may write");
            return of_refresh(statement, context);
        case StatementKind::CreateTemp:
            if (fires_event_triggers(context)) return everything("an event trigger may write");
            return of_rows(statement, context);
        case StatementKind::Maintenance:
            if (fires_event_triggers(context)) return everything("an event trigger may write");
            return {};
        case StatementKind::ExecuteStatement: return everything("runs a prepared statement");
        case StatementKind::CommitPrepared: return everything("commits what another session wrote");
        case StatementKind::Do: return everything("runs a DO block");
        case StatementKind::Call: return everything("calls a procedure");
        case StatementKind::Other: return everything("is a kind of statement that is not known");
        case StatementKind::RoleChange: {
            auto found = everything("changes roles, rights or settings");
            found.changes_roles = found.changes_catalog = true;
            return found;
        }
        case StatementKind::Ddl: {
            auto found = everything("changes the catalog");
            found.changes_catalog = true;
            return found;
        }
        case StatementKind::Empty:
        case StatementKind::Begin:
        case StatementKind::Commit:
        case StatementKind::Rollback:
        case StatementKind::Savepoint:
        case StatementKind::ReleaseSavepoint:
        case StatementKind::RollbackToSavepoint:
        case StatementKind::PrepareTransaction:
        case StatementKind::RollbackPrepared:
        case StatementKind::SetTransaction:
        case StatementKind::Set:
        case StatementKind::Show:
        case StatementKind::Discard:
        case StatementKind::PrepareStatement:
        case StatementKind::Deallocate:
        case StatementKind::DeclareCursor:
        case StatementKind::Fetch:
        case StatementKind::CloseCursor:
        case StatementKind::Explain:
        case StatementKind::ExplainAnalyze:
        case StatementKind::Listen:
        case StatementKind::Notify:
        case StatementKind::Lock:
        case StatementKind::SetConstraints: return {};
    }
    return everything("is a kind of statement that is not known");
}

bool runs_inner(StatementKind kind) {
    return kind != StatementKind::PrepareStatement && kind != StatementKind::Explain;
}

}  // namespace

StatementEffects effects_of(const Statement& statement, const AnalysisContext& context) {
    auto found = of_statement(statement, context);
    if (!runs_inner(statement.kind)) return found;
    for (const auto& inner : statement.inner) add(found, effects_of(inner, context));
    return found;
}

}  // namespace warmfront::sql
