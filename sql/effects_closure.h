// sql/effects_closure.h: from a statement to all that changes with it. Internal to sql/effects.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "sql/analysis_reach.h"
#include "sql/effects.h"
#include "sql/routine.h"

namespace warmfront::sql {

class Closure {
public:
    // More than these are everything.
    static constexpr std::size_t kRelationsMax = 10'000;
    static constexpr std::size_t kRoutinesMax = 1'000;
    static constexpr std::size_t kDepthMax = 100;

    // Adds to `out`. Both outlive the closure; the context's catalog is known. settled: the search path and
    // the user stay what the context says while the statement runs.
    Closure(const AnalysisContext& context, bool settled, StatementEffects& out);

    // A client's statement, inner ones included.
    void run(const Statement& statement);
    // Puts the relations in order; call last.
    void finish();

    // Some routine's names were looked up where the client's settings say.
    [[nodiscard]] bool follows_settings() const { return follows_settings_; }

private:
    using TransitionTables = const std::vector<std::string>*;  // names that mean no relation; nullptr: none

    // Where a statement's own names are looked up, and where those of the routines that it calls are.
    struct Frame {
        Scope names;
        Scope running;
        bool client = false;  // it is the client's own statement, or one inside that
        bool direct = false;  // it is the client's own statement itself
        TransitionTables transition_tables = nullptr;
    };
    static constexpr unsigned kTruncateReferencing =
        16;  // TRUNCATE ... CASCADE, beside the acts of catalog.h

    void execute(const Statement& statement, const Frame& frame);
    void rows(const Statement& statement, const Frame& frame);
    void refresh(const Statement& statement, const Frame& frame);
    void query(const Statement& statement, const Frame& frame);
    void call_procedure(const Statement& statement, const Frame& frame);
    void block(const Statement& statement, const Frame& frame);

    struct Write {
        unsigned acts = 0;
        bool indirect = true;
        Scope running;
        bool by_key = false;  // indirect, by a foreign key to rows that are named
    };
    void write(const Relation& relation, Write write);
    void write_through(const Relation& view, const Write& write);
    void fire(const Trigger& trigger, const Relation& relation, const Write& write);
    void apply(const Rule& rule, const Write& write);
    void cascade(const Relation& relation, const Write& write);
    void call_expressions(const Relation& relation, const Scope& running);

    void call(const FunctionUse& use, const Frame& frame);
    void call(const Function& function, const Scope& running);
    void call(Oid function, const Scope& running, std::string_view caller);
    void call_checks(const Type& domain, const Scope& running);
    void call_checks(const Function& function, const Scope& running);
    void call_defaults(const Function& function, const Scope& running);
    void enter(const Function& function, const Scope& running, TransitionTables tables = nullptr);
    void run_body(const Routine& routine, std::string_view name, const Frame& frame);

    void everything(std::string reason);
    // What code that cannot be read may do: all of it.
    void opaque(std::string reason);
    void mark_indirect(const Relation& relation);
    void mark_cascaded(const Relation& relation);
    // Those of the acts that are new for the relation there.
    [[nodiscard]] unsigned first_time(const Relation& relation, const Write& write);
    void step(std::string_view text);
    [[nodiscard]] const Catalog& catalog() const { return *context_.catalog; }
    [[nodiscard]] Scope as_owner(const Relation& relation, const Scope& scope) const;
    [[nodiscard]] Scope unknown() const;  // any search path, any user

    const AnalysisContext& context_;
    StatementEffects& out_;
    const Scope running_;
    std::size_t depth_ = 0;
    bool follows_settings_ = false;
    // What, search path, user.
    using Place = std::tuple<const void*, const void*, std::string_view>;
    std::map<Place, unsigned> visited_;
    std::set<std::pair<Place, TransitionTables>> entered_;
    std::vector<std::shared_ptr<const Routine>> routines_;  // kept alive: scopes point into them
};

}  // namespace warmfront::sql
