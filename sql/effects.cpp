#include "sql/effects.h"

#include <utility>

#include "sql/effects_closure.h"

namespace warmfront::sql {
namespace {

// Without a catalog every name may mean anything.
bool may_do_anything(const Statement& statement) {
    const auto inner = [&] {
        for (const auto& each : statement.inner) {
            if (may_do_anything(each)) return true;
        }
        return false;
    };
    const bool names_anything =
        !statement.reads.empty() || !statement.writes.empty() || !statement.functions.empty();
    switch (statement.kind) {
        case StatementKind::Select:
        case StatementKind::Insert:
        case StatementKind::Update:
        case StatementKind::Delete:
        case StatementKind::Merge:
        case StatementKind::Truncate:
        case StatementKind::CopyFrom:
        case StatementKind::CopyTo: return names_anything || inner();
        case StatementKind::Refresh:
        case StatementKind::CreateTemp:
        case StatementKind::Maintenance:  // an event trigger may write
        case StatementKind::ExecuteStatement:
        case StatementKind::CommitPrepared:
        case StatementKind::Do:
        case StatementKind::Call:
        case StatementKind::Other:
        case StatementKind::RoleChange:
        case StatementKind::Ddl: return true;
        case StatementKind::DeclareCursor:
        case StatementKind::ExplainAnalyze: return inner();
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
        case StatementKind::Fetch:
        case StatementKind::CloseCursor:
        case StatementKind::Explain:
        case StatementKind::Listen:
        case StatementKind::Notify:
        case StatementKind::Lock:
        case StatementKind::SetConstraints: return false;
    }
    return true;
}

StatementEffects without_catalog(const Statement& statement) {
    StatementEffects found;
    if (!may_do_anything(statement)) return found;
    found.effects.everything = true;
    found.reason = "the catalog is not known yet";
    found.changes_roles = statement.kind == StatementKind::RoleChange;
    const bool runs_code = statement.kind == StatementKind::Do || statement.kind == StatementKind::Call;
    found.changes_settings = runs_code;
    found.changes_catalog = runs_code || found.changes_roles || statement.kind == StatementKind::Ddl;
    return found;
}

}  // namespace

StatementEffects effects_of(const Statement& statement, const AnalysisContext& context) {
    if (context.catalog == nullptr) return without_catalog(statement);
    StatementEffects found;
    Closure closure(context, context.names_known, found);
    closure.run(statement);
    closure.finish();
    if (!found.changes_settings || found.effects.everything || !closure.follows_settings()) return found;
    // One routine may have moved the search path for another.
    found = {};
    Closure unsettled(context, false, found);
    unsettled.run(statement);
    unsettled.finish();
    return found;
}

}  // namespace warmfront::sql
