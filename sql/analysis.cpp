#include "sql/analysis.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "sql/analysis_reach.h"
#include "sql/cacheability.h"
#include "sql/cacheability_labels.h"
#include "sql/choices.h"
#include "sql/effects.h"
#include "sql/predicate.h"
#include "sql/session_settings.h"

namespace warmfront::sql {
namespace {

QueryClass class_of(const Statement& statement, const Effects& effects) {
    switch (statement.kind) {
        case StatementKind::Select:
        case StatementKind::CopyTo:
            if (!statement.writes.empty() || std::ranges::any_of(statement.inner, [](const Statement& inner) {
                    return !inner.writes.empty();
                }))
                return QueryClass::Write;
            if (effects.everything) return QueryClass::Opaque;
            return effects.none() ? QueryClass::Read : QueryClass::Write;
        case StatementKind::ExplainAnalyze:
        case StatementKind::DeclareCursor:
            return statement.inner.empty() ? QueryClass::Opaque : class_of(statement.inner.front(), effects);
        case StatementKind::Explain:
        case StatementKind::Fetch:
        case StatementKind::CloseCursor: return QueryClass::Read;
        case StatementKind::Insert:
        case StatementKind::Update:
        case StatementKind::Delete:
        case StatementKind::Merge:
        case StatementKind::Truncate:
        case StatementKind::CopyFrom:
        case StatementKind::Refresh:
        case StatementKind::RoleChange:
        case StatementKind::Ddl:
        case StatementKind::CommitPrepared: return QueryClass::Write;
        case StatementKind::Begin:
        case StatementKind::Commit:
        case StatementKind::Rollback:
        case StatementKind::Savepoint:
        case StatementKind::ReleaseSavepoint:
        case StatementKind::RollbackToSavepoint:
        case StatementKind::PrepareTransaction:
        case StatementKind::RollbackPrepared:
        case StatementKind::SetTransaction: return QueryClass::Transaction;
        case StatementKind::Empty:
        case StatementKind::Set:
        case StatementKind::Show:
        case StatementKind::Discard:
        case StatementKind::PrepareStatement:
        case StatementKind::Deallocate:
        case StatementKind::Listen:
        case StatementKind::Notify:
        case StatementKind::Lock:
        case StatementKind::SetConstraints:
        case StatementKind::Maintenance:
        case StatementKind::CreateTemp: return QueryClass::Session;
        case StatementKind::Do:
        case StatementKind::Call: return effects.everything ? QueryClass::Opaque : QueryClass::Write;
        case StatementKind::ExecuteStatement:
        case StatementKind::Other: return QueryClass::Opaque;
    }
    return QueryClass::Opaque;
}

TransactionEffect transaction_of(const Statement& statement) {
    switch (statement.kind) {
        case StatementKind::Begin: return TransactionEffect::Begin;
        case StatementKind::Commit:
        case StatementKind::Rollback:
        case StatementKind::PrepareTransaction: return TransactionEffect::End;
        case StatementKind::SetTransaction:
        case StatementKind::Set:
            // SESSION CHARACTERISTICS are a setting for later transactions.
            return statement.isolation == Isolation::Default || statement.name == "SESSION CHARACTERISTICS"
                       ? TransactionEffect::None
                       : TransactionEffect::Isolation;
        case StatementKind::Do:
        case StatementKind::Call:
        case StatementKind::ExecuteStatement:  // also runs what was prepared by a Parse message, be it COMMIT
        case StatementKind::Other: return TransactionEffect::Mixed;
        default: return TransactionEffect::None;
    }
}

SavepointEffect savepoint_of(const Statement& statement) {
    switch (statement.kind) {
        case StatementKind::Savepoint: return SavepointEffect::Set;
        case StatementKind::ReleaseSavepoint: return SavepointEffect::Release;
        case StatementKind::RollbackToSavepoint: return SavepointEffect::BackTo;
        case StatementKind::ExecuteStatement:  // of what a Parse message prepared
        case StatementKind::Other: return SavepointEffect::Uncertain;
        default: return SavepointEffect::None;
    }
}

// Whether a statement may SET something, other than in a routine.
bool sets(const Statement& statement, const Catalog* catalog) {
    switch (statement.kind) {
        case StatementKind::Set:
            // Without a catalog it is not known which of an application's own settings matter.
            return statement.name.empty() || alters_answers(statement.name) || catalog == nullptr ||
                   catalog->watches(statement.name);
        case StatementKind::SetTransaction: return statement.name == "SESSION CHARACTERISTICS";
        case StatementKind::Discard:              // ALL resets; TEMP takes the temporary tables away
        case StatementKind::RollbackToSavepoint:  // undoes what was SET since
        case StatementKind::ExecuteStatement:
        case StatementKind::Other: return true;
        default: return false;
    }
}

bool runs_unseen_code(const Statement& statement) {
    return statement.kind == StatementKind::ExecuteStatement || statement.kind == StatementKind::Other;
}

bool prepares(StatementKind kind) {
    return kind == StatementKind::PrepareStatement || kind == StatementKind::ExecuteStatement ||
           kind == StatementKind::Deallocate || kind == StatementKind::Discard;
}

std::vector<Oid> oids_of(const std::vector<const Relation*>& relations) {
    std::vector<Oid> oids;
    oids.reserve(relations.size());
    for (const auto* relation : relations) oids.push_back(relation->oid);
    std::ranges::sort(oids);
    return oids;
}

// Whether it may make something that ends with the session and matters beyond it.
bool holds_in_session(const Statement& statement) {
    switch (statement.kind) {
        case StatementKind::Listen:
        case StatementKind::Do:
        case StatementKind::Call: return true;
        default: break;
    }
    return runs_unseen_code(statement) ||
           std::ranges::any_of(statement.functions, [](const FunctionUse& use) {
               return use.name.find("advisory") != std::string::npos;
           });
}

// What the statement does, EXPLAIN ANALYZE and the like taken for what they run.
void add_flags(Analysis& out, const Statement& statement, const Catalog* catalog) {
    out.changes_settings |= sets(statement, catalog);
    out.changes_catalog |= runs_unseen_code(statement);
    out.creates_temp |= statement.kind == StatementKind::CreateTemp;
    out.prepares_sql |= prepares(statement.kind);
    out.holds_in_session |= holds_in_session(statement);
    if (statement.kind == StatementKind::Deallocate || statement.kind == StatementKind::Discard)
        out.discards_statements |= statement.discards_all;
    if (statement.kind == StatementKind::Deallocate) out.deallocates = statement.name;
    const auto transaction = transaction_of(statement);
    if (transaction != TransactionEffect::None) out.transaction = transaction;
    if (statement.isolation != Isolation::Default) out.isolation = statement.isolation;
    if (statement.kind == StatementKind::PrepareStatement || statement.kind == StatementKind::Explain) return;
    for (const auto& inner : statement.inner) add_flags(out, inner, catalog);
}

// Whether an answer is kept only because its time or randomness was vouched for.
bool is_approximate(const Statement& statement, AnalysisContext context) {
    if (context.choices == nullptr) return false;
    const auto& functions = context.choices->functions;
    if (functions.clock.empty() && functions.changing.empty()) return false;
    Choices exact = *context.choices;
    exact.functions.clock.clear();
    exact.functions.changing.clear();
    context.choices = &exact;
    return refusal_of(reach_of(statement, scope_of(context), {.functions = true}), context).has_value();
}

void add_reads(Analysis& out, const Statement& statement, const AnalysisContext& context) {
    auto reach = reach_of(statement, scope_of(context), {.functions = true, .steps = context.tells_steps});
    out.reads = oids_of(reach.relations);
    out.read_steps = std::move(reach.steps);
    if (statement.kind != StatementKind::Select) return;
    if (auto refusal = refusal_of(reach, context)) {
        out.refusal = std::move(*refusal);
    } else if (out.effects.none() && !out.changes_settings) {
        out.cacheable = true;
        out.refusal = {};
        if (auto footprints = footprints_of(reach, context.literal_places))
            out.footprints = std::move(*footprints);
        out.read_once = !reach.routines.empty();
        out.approximate = is_approximate(statement, context);
        out.lifetime = lifetime_of(reach, context);
    } else {
        out.refusal = {label::kWrites, out.effects_reason};
    }
}

// Which rows of the relations in its effects a statement changes, where that is all that happens to them.
std::vector<ChangePlan> row_changes(const Statement& statement, const StatementEffects& found,
                                    const AnalysisContext& context) {
    if (found.effects.everything || context.catalog == nullptr || !statement.target_rows) return {};
    auto changes = changes_of(statement, scope_of(context), context.literal_places);
    const auto is_named = [&](Oid oid) {
        return std::ranges::find(changes, oid, &ChangePlan::relation) != changes.end();
    };
    // By a key of a table to itself rows change that refer to rows that refer to the named ones, and so on.
    std::vector<Oid> cascaded, otherwise = found.indirect;
    for (const auto oid : found.cascaded) (is_named(oid) ? otherwise : cascaded).push_back(oid);
    std::ranges::sort(otherwise);
    const auto is_otherwise = [&](Oid oid) { return std::ranges::binary_search(otherwise, oid); };
    std::erase_if(cascaded, is_otherwise);
    const auto left_out =
        std::erase_if(changes, [&](const ChangePlan& change) { return is_otherwise(change.relation); });
    if (left_out > 0) return changes;  // what refers to those is not known by their rows
    auto referring = cascades_of(changes, cascaded, *context.catalog);
    std::ranges::move(referring, std::back_inserter(changes));
    return changes;
}

std::vector<CopyPlan> copied_rows(const Statement& statement, const StatementEffects& found,
                                  const AnalysisContext& context) {
    if (found.effects.everything || context.catalog == nullptr || !found.indirect.empty()) return {};
    auto copies = copies_of(statement, scope_of(context));
    const bool all = std::ranges::all_of(found.effects.relations, [&](Oid oid) {
        return std::ranges::find(copies, oid, &CopyPlan::relation) != copies.end();
    });
    return all ? std::move(copies) : std::vector<CopyPlan>{};
}

Analysis one(const Statement& statement, const AnalysisContext& context) {
    Analysis out;
    out.statements = 1;
    out.refusal = {label::kNotASelect, "is no plain SELECT"};
    auto found = effects_of(statement, context);
    out.query_class = class_of(statement, found.effects);
    out.changes = row_changes(statement, found, context);
    out.copies = copied_rows(statement, found, context);
    out.effects = std::move(found.effects);
    out.effects_reason = std::move(found.reason);
    out.indirect = std::move(found.indirect);
    out.effect_steps = std::move(found.steps);
    out.changes_settings = found.changes_settings;
    out.changes_catalog = found.changes_catalog;
    out.changes_roles = found.changes_roles;
    add_flags(out, statement, context.catalog);
    out.savepoint = savepoint_of(statement);
    if (out.savepoint != SavepointEffect::None) out.savepoint_name = statement.name;
    if (statement.kind == StatementKind::PrepareStatement) out.sql_prepare = statement.name;
    if (statement.kind == StatementKind::ExecuteStatement && statement.functions.empty() &&
        statement.reads.empty())
        out.sql_execute = statement.name;
    if (context.catalog != nullptr && context.names_known)
        add_reads(out, statement, context);
    else if (statement.kind == StatementKind::Select)
        out.refusal =
            context.names_known
                ? Refusal{label::kCatalogUnknown, "the catalog of this database has not been read yet"}
                : Refusal{label::kSettingsUnknown, "the session's settings are not known"};
    return out;
}

void add(Analysis& to, Analysis other) {
    to.query_class = std::max(to.query_class, other.query_class, [](QueryClass a, QueryClass b) {
        // A string is called after the statement in it that matters most.
        const auto weight = [](QueryClass c) {
            switch (c) {
                case QueryClass::Read: return 0;
                case QueryClass::Session: return 1;
                case QueryClass::Transaction: return 2;
                case QueryClass::Write: return 3;
                case QueryClass::Opaque: return 4;
            }
            return 4;
        };
        return weight(a) < weight(b);
    });
    std::vector<Oid> reads;
    std::ranges::set_union(to.reads, other.reads, std::back_inserter(reads));
    to.reads = std::move(reads);
    to.effects.add(other.effects);
    to.copies.clear();
    to.changes.clear();  // one statement may change what is said of another's rows
    if (to.effects_reason.empty()) to.effects_reason = std::move(other.effects_reason);
    to.indirect = to.effects.relations;
    std::ranges::move(other.read_steps, std::back_inserter(to.read_steps));
    std::ranges::move(other.effect_steps, std::back_inserter(to.effect_steps));
    if (other.transaction != TransactionEffect::None) to.transaction = TransactionEffect::Mixed;
    if (other.savepoint != SavepointEffect::None) to.savepoint = SavepointEffect::Uncertain;
    if (other.isolation != Isolation::Default) to.isolation = other.isolation;
    to.changes_settings |= other.changes_settings;
    to.changes_catalog |= other.changes_catalog;
    to.changes_roles |= other.changes_roles;
    to.creates_temp |= other.creates_temp;
    to.holds_in_session |= other.holds_in_session;
    to.prepares_sql |= other.prepares_sql;
    to.discards_statements |= other.discards_statements;
    if (!other.deallocates.empty()) {
        to.discards_statements |= !to.deallocates.empty();  // more than one cannot be told: all
        to.deallocates = std::move(other.deallocates);
    }
    to.statements += other.statements;
}

Analysis unparsed(const Error& error) {
    Analysis out;
    out.query_class = QueryClass::Opaque;
    out.effects.everything = true;
    out.effects_reason = fmt::format("is not understood: {}", error.text);
    out.refusal = {label::kUnparsed, out.effects_reason};
    out.transaction = TransactionEffect::Mixed;
    out.savepoint = SavepointEffect::Uncertain;
    out.changes_settings = out.changes_catalog = out.changes_roles = out.creates_temp = out.prepares_sql =
        out.holds_in_session = true;
    out.discards_statements = true;
    return out;
}

// Errs on the side of true.
bool has_text_literals(std::string_view sql) {
    for (std::size_t i = 0; i < sql.size(); ++i) {
        if (sql[i] == '\'') return true;
        const bool parameter = i + 1 < sql.size() && sql[i + 1] >= '0' && sql[i + 1] <= '9';
        if (sql[i] == '$' && !parameter) return true;  // a dollar quote
    }
    const auto same = [](char a, char b) { return (a | 0x20) == b; };
    return !std::ranges::search(sql, std::string_view("null"), same).empty();  // transform_null_equals
}

Analysis all(const std::vector<Statement>& statements, AnalysisContext context) {
    Analysis out;
    out.query_class = statements.empty() ? QueryClass::Session : QueryClass::Read;
    out.refusal = {label::kNotASelect, "is empty"};
    if (statements.size() == 1) return one(statements.front(), context);
    for (const auto& statement : statements) {
        add(out, one(statement, context));
        // What follows may find its names elsewhere.
        if (out.changes_settings) context.names_known = false;
        if (out.creates_temp) context.has_temporary = true;
    }
    if (!statements.empty())
        out.refusal = {label::kSeveralStatements, fmt::format("holds {} statements", statements.size())};
    return out;
}

}  // namespace

std::string_view name_of(QueryClass query_class) {
    switch (query_class) {
        case QueryClass::Read: return "read";
        case QueryClass::Write: return "write";
        case QueryClass::Session: return "session";
        case QueryClass::Transaction: return "transaction";
        case QueryClass::Opaque: return "opaque";
    }
    return "opaque";
}

void Effects::add(const Effects& other) {
    everything |= other.everything;
    std::vector<Oid> both;
    if (!everything) std::ranges::set_union(relations, other.relations, std::back_inserter(both));
    relations = std::move(both);
}

Analysis analyse(std::string_view sql, const AnalysisContext& given) {
    AnalysisContext context = given;
    const std::uint64_t digest = digest_of(shown_text(sql));
    const auto* choice = given.choices == nullptr ? nullptr : given.choices->of_statement(digest);
    std::string hint = hint_in(sql);
    context.own_ttl_ms = ttl_in_hint(hint);
    if (choice != nullptr && !context.own_ttl_ms) context.own_ttl_ms = choice->ttl_ms;
    if (choice != nullptr) context.own_stale_ms = choice->stale_ms;
    context.ignore_turned_off = choice != nullptr && choice->cache == true;

    const auto statements = parse(sql);
    Analysis out = statements ? all(*statements, context) : unparsed(statements.error());
    out.read_once = out.read_once || has_text_literals(sql);
    out.digest = digest;
    out.hint = std::move(hint);
    if (out.cacheable && choice != nullptr && choice->cache == false) {
        out.cacheable = false;
        out.refusal = {label::kExcluded, "templates names it with cache: off"};
    }
    if (out.hint == "off") {
        out.cacheable = false;
        out.refusal = {label::kHintOff, "a comment says warmfront: off"};
    }
    return out;
}

}  // namespace warmfront::sql
