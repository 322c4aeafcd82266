// It comes to an end because every step goes to a relation not yet visited with these acts, or to a routine
// not yet entered, each in the same circumstances (search path, user); kRelationsMax, kRoutinesMax and
// kDepthMax bound the rest.
//
// Nothing stops at `everything`: what comes after may still change settings or make temporary objects.
#include "sql/effects_closure.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "sql/choices.h"
#include "sql/functions.h"
#include "sql/session_settings.h"

namespace warmfront::sql {
namespace {

std::string written(const RelationName& name) {
    return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

template <typename Object>
std::string written(const Object& object) {
    return object.schema + "." + object.name;
}

bool partitioned(const Relation& relation, const Catalog& catalog) {
    return relation.kind == 'p' || std::ranges::any_of(relation.parents, [&](Oid oid) {
               const auto* parent = catalog.find(oid);
               return parent != nullptr && parent->kind == 'p';
           });
}

std::string acts_of(unsigned acts) {
    std::string text;
    for (const auto& [act, name] : std::array<std::pair<unsigned, std::string_view>, 4>{
             {{kInsert, "INSERT"}, {kUpdate, "UPDATE"}, {kDelete, "DELETE"}, {kTruncate, "TRUNCATE"}}}) {
        if ((acts & act) != 0) text.append(text.empty() ? "" : " OR ").append(name);
    }
    return text;
}

unsigned acts_of(const WriteTarget& target, const Statement& statement) {
    if (statement.kind == StatementKind::Truncate || statement.kind == StatementKind::Refresh)
        return kTruncate;
    return (target.inserts ? kInsert : 0) | (target.updates ? kUpdate : 0) | (target.deletes ? kDelete : 0);
}

// The one BEFORE trigger of PostgreSQL's own that gives a row back as it was.
bool alters_row(const Function& builtin) {
    return builtin.name != "suppress_redundant_updates_trigger";
}

// Of a statement in a routine: besides rows, it changes what the session has or is in the midst of.
bool alters_session(StatementKind kind) {
    switch (kind) {
        case StatementKind::Begin:
        case StatementKind::Commit:
        case StatementKind::Rollback:
        case StatementKind::Savepoint:
        case StatementKind::ReleaseSavepoint:
        case StatementKind::RollbackToSavepoint:
        case StatementKind::PrepareTransaction:
        case StatementKind::CommitPrepared:
        case StatementKind::RollbackPrepared:
        case StatementKind::SetTransaction:
        case StatementKind::Discard:
        case StatementKind::PrepareStatement:
        case StatementKind::ExecuteStatement:
        case StatementKind::Deallocate:
        case StatementKind::RoleChange:
        case StatementKind::Ddl:
        case StatementKind::Other: return true;
        default: return false;
    }
}

class Deeper {
public:
    explicit Deeper(std::size_t& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

private:
    std::size_t& depth_;
};

}  // namespace

Closure::Closure(const AnalysisContext& context, bool settled, StatementEffects& out)
    : context_(context),
      out_(out),
      running_(settled ? scope_of(context) : Scope{context.catalog, nullptr, context.user}) {}

void Closure::run(const Statement& statement) {
    execute(statement, {scope_of(context_), running_, true, true});
}

void Closure::finish() {
    for (auto* oids : {&out_.effects.relations, &out_.indirect, &out_.cascaded}) {
        if (out_.effects.everything) oids->clear();
        std::ranges::sort(*oids);
        oids->erase(std::ranges::unique(*oids).begin(), oids->end());
    }
}

void Closure::step(std::string_view text) {
    if (!context_.tells_steps || out_.steps.size() > StatementEffects::kStepsMax) return;
    if (out_.steps.size() == StatementEffects::kStepsMax)
        out_.steps.emplace_back("...");
    else
        out_.steps.push_back(std::string(2 * depth_, ' ').append(text));
}

void Closure::everything(std::string reason) {
    step("everything: " + reason);
    if (out_.effects.everything) return;
    out_.effects.everything = true;
    out_.reason = std::move(reason);
}

void Closure::opaque(std::string reason) {
    out_.changes_settings = out_.changes_catalog = true;
    everything(std::move(reason));
}

Scope Closure::unknown() const {
    return {context_.catalog, nullptr, {}, context_.choices};
}

// What the search path comes to for the owner, where that matters, is not known.
Scope Closure::as_owner(const Relation& relation, const Scope& scope) const {
    const bool runs_code = relation.has_triggers || relation.has_rules || relation.calls_functions;
    const bool by_user = scope.search_path != nullptr &&
                         std::ranges::find(*scope.search_path, "$user") != scope.search_path->end();
    return runs_code || by_user ? unknown() : scope;
}

// --- statements ---

void Closure::execute(const Statement& statement, const Frame& frame) {
    const auto event_triggers = [&] {
        if (catalog().has_event_triggers) opaque("an event trigger may write");
    };
    switch (statement.kind) {
        case StatementKind::Select:
        case StatementKind::Insert:
        case StatementKind::Update:
        case StatementKind::Delete:
        case StatementKind::Merge:
        case StatementKind::Truncate:
        case StatementKind::CopyFrom:
        case StatementKind::CopyTo: rows(statement, frame); break;
        case StatementKind::Refresh:
            event_triggers();
            refresh(statement, frame);
            break;
        case StatementKind::CreateTemp:
            event_triggers();
            if (!frame.client) opaque("creates a temporary table, whose name may hide others");
            rows(statement, frame);
            break;
        case StatementKind::Maintenance: event_triggers(); break;
        case StatementKind::ExecuteStatement: everything("runs a prepared statement"); break;
        case StatementKind::CommitPrepared: everything("commits what another session wrote"); break;
        case StatementKind::Do: block(statement, frame); break;
        case StatementKind::Call: call_procedure(statement, frame); break;
        case StatementKind::Other: everything("is a kind of statement that is not known"); break;
        case StatementKind::RoleChange:
            out_.changes_roles = out_.changes_catalog = true;
            everything("changes roles, rights or settings");
            break;
        case StatementKind::Ddl:
            out_.changes_catalog = true;
            everything("changes the catalog");
            break;
        case StatementKind::Set:
            if (frame.client) break;
            if (statement.isolation != Isolation::Default) opaque("sets the isolation level");
            out_.changes_settings |=
                statement.name.empty() || alters_answers(statement.name) || catalog().watches(statement.name);
            break;
        case StatementKind::Begin:
        case StatementKind::Commit:
        case StatementKind::Rollback:
        case StatementKind::Savepoint:
        case StatementKind::ReleaseSavepoint:
        case StatementKind::RollbackToSavepoint:
        case StatementKind::PrepareTransaction:
        case StatementKind::RollbackPrepared:
        case StatementKind::SetTransaction:
        case StatementKind::Discard:
        case StatementKind::PrepareStatement:
        case StatementKind::Deallocate: break;
        case StatementKind::Empty:
        case StatementKind::Show:
        case StatementKind::DeclareCursor:
        case StatementKind::Fetch:
        case StatementKind::CloseCursor:
        case StatementKind::Explain:
        case StatementKind::ExplainAnalyze:
        case StatementKind::Listen:
        case StatementKind::Notify:
        case StatementKind::Lock:
        case StatementKind::SetConstraints: break;
    }
    if (!frame.client && alters_session(statement.kind)) opaque("runs what a routine seldom runs");
    if (statement.kind == StatementKind::PrepareStatement || statement.kind == StatementKind::Explain) return;
    for (const auto& inner : statement.inner)
        execute(inner, {frame.names, frame.running, frame.client, false, frame.transition_tables});
}

void Closure::rows(const Statement& statement, const Frame& frame) {
    const bool names_any = !statement.reads.empty() || !statement.writes.empty();
    const bool may_write = catalog().has_writing_functions() || !statement.writes.empty();
    if (context_.has_temporary && names_any && may_write)
        everything("the session has temporary objects: a view, rule or trigger among them may write");
    query(statement, frame);
    for (const auto& target : statement.writes) {
        const auto meant = frame.names.relations(target.relation);
        if (meant.empty()) {
            everything(
                fmt::format("writes {}, which the catalog snapshot does not hold", written(target.relation)));
        }
        const auto acts = acts_of(target, statement);
        const bool direct = frame.direct && statement.writes.size() == 1 && !statement.writes_in_cte &&
                            meant.size() == 1 && statement.kind != StatementKind::Refresh;
        for (const auto* relation : meant) {
            step(fmt::format("{} {}", acts_of(acts), written(*relation)));
            const Deeper deeper(depth_);
            write(*relation, {acts | (statement.cascade ? kTruncateReferencing : 0), !direct, frame.running});
        }
    }
}

void Closure::refresh(const Statement& statement, const Frame& frame) {
    rows(statement, frame);
    for (const auto* view : frame.names.relations(statement.writes.front().relation)) {
        const auto definition = definition_of(*view);
        if (!definition) {
            everything("the definition of the materialized view is not understood");
            continue;
        }
        // Runs as the view's owner; from PostgreSQL 17 on with a search path of its own.
        query(*definition, {frame.names.of_views(), unknown()});
    }
}

void Closure::query(const Statement& statement, const Frame& frame) {
    auto reach = reach_of(statement, frame.names);
    if (frame.transition_tables != nullptr) {
        std::erase_if(reach.unknown, [&](const RelationName& name) {
            return name.schema.empty() &&
                   std::ranges::find(*frame.transition_tables, name.name) != frame.transition_tables->end();
        });
    }
    for (const auto& part : reach.parts) {
        const Frame inside{part.scope, frame.running};
        for (const auto& use : part.statement->functions) {
            const bool procedure =
                part.statement->kind == StatementKind::Call && &use == &part.statement->functions.front();
            if (!procedure || !part.scope.functions(use).empty()) call(use, inside);
        }
        for (const auto* domain : catalog().calling_domains()) {
            if (std::ranges::find(part.statement->types, domain->name, &RelationName::name) !=
                part.statement->types.end())
                call_checks(*domain, frame.running);
        }
    }
    for (const auto* relation : reach.relations) {
        if (relation->row_security && relation->calls_functions) call_expressions(*relation, frame.running);
    }
    if (catalog().has_volatile_casts) {
        if (catalog().volatile_casts.empty())
            everything("a user-defined cast of this database calls a volatile function");
        for (const auto function : catalog().volatile_casts) call(function, frame.running, "a cast");
    }
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

// --- writes ---

unsigned Closure::first_time(const Relation& relation, const Write& write) {
    auto& before = visited_[{&relation, write.running.search_path, write.running.user}];
    const auto fresh = write.acts & ~before;
    before |= write.acts;
    if (visited_.size() > kRelationsMax) {
        opaque("reaches too many relations");
        return 0;
    }
    return fresh;
}

void Closure::mark_indirect(const Relation& relation) {
    for (const auto* member : with_ancestors(relation, catalog())) out_.indirect.push_back(member->oid);
    for (const auto* member : with_descendants(relation, catalog())) out_.indirect.push_back(member->oid);
}

void Closure::mark_cascaded(const Relation& relation) {
    for (const auto* member : with_ancestors(relation, catalog())) out_.cascaded.push_back(member->oid);
    for (const auto* member : with_descendants(relation, catalog())) out_.cascaded.push_back(member->oid);
}

void Closure::write(const Relation& relation, Write write) {
    // A row moves between partitions by DELETE and INSERT.
    if ((write.acts & kUpdate) != 0 && partitioned(relation, catalog())) write.acts |= kDelete | kInsert;
    if (write.by_key) mark_cascaded(relation);
    if ((write.indirect && !write.by_key) || relation.kind == 'f') mark_indirect(relation);
    write.acts = first_time(relation, write);
    if (write.acts == 0) return;
    if (depth_ > kDepthMax) return opaque("reaches too far");
    if (is_builtin(relation.oid)) {
        out_.changes_settings = out_.changes_catalog = out_.changes_roles = true;
        return everything(fmt::format("writes {}, a system catalog", written(relation)));
    }
    if (relation.has_triggers && relation.triggers.empty())
        opaque(fmt::format("{} has triggers that are not known", written(relation)));
    if (relation.has_rules && relation.rules.empty())
        opaque(fmt::format("{} has rules that are not known", written(relation)));
    unsigned replaced = 0;
    for (const auto& trigger : relation.triggers) {
        if ((trigger.events & write.acts) == 0) continue;
        fire(trigger, relation, write);
        if (trigger.timing == 'i') replaced |= trigger.events;
    }
    for (const auto& rule : relation.rules) {
        if ((rule.event & write.acts) != 0) apply(rule, write);
    }
    if (relation.calls_functions) call_expressions(relation, write.running);
    if (relation.kind == 'v') {
        out_.effects.relations.push_back(relation.oid);
        write.acts &= ~replaced;
        if (write.acts != 0) write_through(relation, write);
        return;
    }
    for (const auto* ancestor : with_ancestors(relation, catalog()))
        out_.effects.relations.push_back(ancestor->oid);
    for (const auto child : relation.children) {
        const auto* other = catalog().find(child);
        if (other == nullptr) continue;
        step(fmt::format("part {}", written(*other)));
        const Deeper deeper(depth_);
        this->write(*other, write);
    }
    cascade(relation, write);
}

// An updatable view changes the one relation in its FROM; the others it names are taken along, since which
// one that is would have to be worked out.
void Closure::write_through(const Relation& view, const Write& write) {
    const auto definition = definition_of(view);
    if (!definition)
        return everything(fmt::format("the definition of view {} is not understood", written(view)));
    mark_indirect(view);
    const auto scope = write.running.of_views();
    query(*definition, {scope, write.running});
    for (const auto& name : definition->reads) {
        const auto meant = scope.relations(name);  // qualified: one, or none
        const auto* base = meant.empty() ? nullptr : meant.front();
        if (base == nullptr) {
            everything(fmt::format("view {} reads {}, which the catalog snapshot does not hold",
                                   written(view), written(name)));
            continue;
        }
        step(fmt::format("through the view: {} {}", acts_of(write.acts), written(*base)));
        const Deeper deeper(depth_);
        this->write(*base, {write.acts, true, write.running});
    }
}

void Closure::fire(const Trigger& trigger, const Relation& relation, const Write& write) {
    const auto* function = catalog().function(trigger.function);
    if (context_.tells_steps) {
        const std::string_view timing = trigger.timing == 'b'   ? "BEFORE"
                                        : trigger.timing == 'a' ? "AFTER"
                                                                : "INSTEAD OF";
        step(fmt::format("trigger {} of {} ({} {}{}) runs {}()", trigger.name, written(relation), timing,
                         acts_of(trigger.events), trigger.deferrable ? ", deferrable" : "",
                         function == nullptr ? "a function that is not known" : written(*function)));
    }
    const Deeper deeper(depth_);
    if (function == nullptr)
        return opaque(fmt::format("trigger {} of {} runs a function that is not known", trigger.name,
                                  written(relation)));
    const bool may_alter =
        trigger.per_row && trigger.timing == 'b' && (trigger.events & (kInsert | kUpdate)) != 0;
    const bool builtin = is_builtin(function->oid);
    if (may_alter && (builtin ? alters_row(*function) : !catalog().routine(*function)->keeps_new_row)) {
        step("may alter the row");
        mark_indirect(relation);
    }
    // At COMMIT, where a deferred one runs, settings may be others.
    if (!builtin && may_write(*function)) {
        enter(*function, trigger.deferrable ? unknown() : write.running,
              trigger.transition_tables.empty() ? nullptr : &trigger.transition_tables);
    }
}

void Closure::apply(const Rule& rule, const Write& write) {
    step(fmt::format("rule {}", rule.name));
    const Deeper deeper(depth_);
    const auto parsed = parse(rule.definition);
    if (!parsed || parsed->size() != 1) return opaque(fmt::format("rule {} is not understood", rule.name));
    const Frame frame{write.running.of_views(), write.running};
    query(parsed->front(), frame);  // its condition
    for (const auto& action : parsed->front().inner) execute(action, frame);
}

void Closure::cascade(const Relation& relation, const Write& write) {
    // Foreign keys act as the owner of the table that refers.
    const auto act = [&](const std::vector<Oid>& tables, unsigned acts, std::string_view when) {
        for (const auto oid : tables) {
            const auto* other = catalog().find(oid);
            if (other == nullptr) continue;
            step(fmt::format("foreign key of {} ({})", written(*other), when));
            const Deeper deeper(depth_);
            const bool by_key = !write.indirect && (acts & kTruncate) == 0;
            this->write(*other, {acts, true, as_owner(*other, write.running), by_key});
        }
    };
    if ((write.acts & kDelete) != 0)  // CASCADE deletes, SET NULL updates
        act(relation.cascades_on_delete, kUpdate | kDelete, "ON DELETE");
    if ((write.acts & kUpdate) != 0) act(relation.cascades_on_update, kUpdate, "ON UPDATE");
    if ((write.acts & kTruncateReferencing) == 0) return;
    for (const auto* member : with_ancestors(relation, catalog()))
        act(member->referenced_by, kTruncate | kTruncateReferencing, "TRUNCATE CASCADE");
}

void Closure::call_expressions(const Relation& relation, const Scope& running) {
    const auto caller = fmt::format("a default, check, generated column or policy of {}", written(relation));
    if (relation.called.empty()) opaque(fmt::format("{} calls a volatile function", caller));
    for (const auto function : relation.called) call(function, running, caller);
}

// --- calls ---

void Closure::call(const FunctionUse& use, const Frame& frame) {
    if (use.form == FunctionUse::Form::Operator) {
        for (const auto* symbol : catalog().operators_named(use.name)) {
            if (vouched(context_.choices, &FunctionSettings::user, symbol->schema, symbol->name)) continue;
            if (symbol->volatility == 'v' && !symbol->native)
                call(symbol->function, frame.running, fmt::format("operator {}", use.name));
        }
        return;
    }
    const auto candidates = frame.names.functions(use);
    const bool field = use.form == FunctionUse::Form::Field;
    if (candidates.empty() && !field && !is_type_without_function(use.name) &&
        catalog().type_named(use.name) == nullptr)
        everything(fmt::format("calls {}(), which the catalog snapshot does not hold", use.name));
    for (const auto* function : candidates) {
        if (field && !function->takes_row) continue;
        if (!is_builtin(function->oid)) {
            if (!vouched(context_.choices, &FunctionSettings::user, function->schema, function->name))
                call(*function, frame.running);
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

void Closure::call(Oid function, const Scope& running, std::string_view caller) {
    const auto* known = catalog().function(function);
    if (known == nullptr) return opaque(fmt::format("{} calls a volatile function", caller));
    if (!may_write(*known)) return;
    step(caller);
    const Deeper deeper(depth_);
    call(*known, running);
}

void Closure::call(const Function& function, const Scope& running) {
    call_checks(function, running);
    if (!may_write(function)) return call_defaults(function, running);
    step(fmt::format("calls {}()", written(function)));
    const Deeper deeper(depth_);
    if (function.kind != 'a') return enter(function, running);
    if (function.support.empty())
        opaque(fmt::format("calls {}(), an aggregate of which the functions are not known", function.name));
    for (const auto oid : function.support) call(oid, running, "aggregates with");
}

void Closure::call_checks(const Type& domain, const Scope& running) {
    for (const auto function : domain.called)
        call(function, running, fmt::format("a check of {}", written(domain)));
}

// What a function takes and gives may be of a domain. (Of what it casts to its statements tell.)
void Closure::call_checks(const Function& function, const Scope& running) {
    for (const auto* domain : catalog().calling_domains()) {
        const auto& types = function.argument_types;
        if (function.result == domain->oid || std::ranges::find(types, domain->oid) != types.end())
            call_checks(*domain, running);
    }
}

// A function that writes nothing may have defaults that do.
void Closure::call_defaults(const Function& function, const Scope& running) {
    if (function.defaults.empty()) return;
    if (!entered_.insert({Place{&function.defaults, running.search_path, running.user}, nullptr}).second)
        return;
    const auto defaults = defaults_of(function);
    if (!defaults) return opaque(fmt::format("{}() has defaults that are not understood", written(function)));
    query(*defaults, {running.of_views(), running});
}

void Closure::enter(const Function& function, const Scope& running, TransitionTables tables) {
    const auto routine = catalog().routine(function);
    const Scope scope = running.of_routine(function, *routine);
    if (!entered_.insert({Place{&function, scope.search_path, scope.user}, tables}).second) return;
    if (entered_.size() > kRoutinesMax) return opaque("calls too many functions");
    routines_.push_back(routine);
    follows_settings_ = true;
    Frame frame{function.atomic ? scope.of_views() : scope, scope};
    frame.transition_tables = tables;
    run_body(*routine, written(function) + "()", frame);
}

void Closure::run_body(const Routine& routine, std::string_view name, const Frame& frame) {
    if (depth_ > kDepthMax) return opaque("calls nest too deeply");
    if (!routine.opaque.empty()) return opaque(fmt::format("runs {}, which {}", name, routine.opaque));
    for (const auto* domain : catalog().calling_domains()) {
        if (std::ranges::any_of(routine.variable_types, [&](const std::string& type) {
                return type.find(domain->name) != std::string::npos;
            }))
            call_checks(*domain, frame.running);
    }
    for (const auto& statement : routine.statements) execute(statement, frame);
}

void Closure::call_procedure(const Statement& statement, const Frame& frame) {
    query(statement, frame);
    const auto& use = statement.functions.front();
    const auto candidates = frame.names.procedures(use);
    if (candidates.empty())
        opaque(fmt::format("calls {}(), which the catalog snapshot does not hold", use.name));
    for (const auto* procedure : candidates) {
        step(fmt::format("CALL {}()", written(*procedure)));
        const Deeper deeper(depth_);
        enter(*procedure, frame.running);
    }
}

void Closure::block(const Statement& statement, const Frame& frame) {
    step("DO");
    const Deeper deeper(depth_);
    const auto routine = std::make_shared<const Routine>(routine_of_block(statement.name, statement.body));
    routines_.push_back(routine);
    follows_settings_ = true;
    run_body(*routine, "a DO block", {frame.running, frame.running});
}

}  // namespace warmfront::sql
