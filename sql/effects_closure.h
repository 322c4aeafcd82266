// sql/effects_closure.h: from a written relation to all that changes with it. Internal to sql/effects.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "sql/analysis_reach.h"
#include "sql/effects.h"

namespace warmfront::sql {

class Closure {
public:
    static constexpr std::size_t kRelationsMax = 10'000;  // a closure of more is everything

    // Adds to `out`. Both outlive the closure.
    Closure(const Scope& scope, StatementEffects& out) : scope_(scope), out_(out) {}

    void write(const WriteTarget& target);
    // The functions and operators that the statement calls, also in the views that it reads.
    void run(const Statement& statement, const Scope& scope);
    void everything(std::string reason);
    // Puts the relations in order; call last.
    void finish();

private:
    // What happens to rows of a relation, as far as foreign keys care.
    static constexpr unsigned kAdds = 1, kUpdates = 2, kDeletes = 4;

    void write(const Relation& relation, unsigned acts);
    void write_through(const Relation& view, unsigned acts);
    void cascade(const Relation& relation, unsigned acts);
    void call(const FunctionUse& use, const Scope& scope);
    [[nodiscard]] bool first_time(const Relation& relation, unsigned acts);
    [[nodiscard]] const Catalog& catalog() const { return *scope_.catalog; }

    const Scope& scope_;
    StatementEffects& out_;
    std::unordered_map<const Relation*, unsigned> visited_;
};

}  // namespace warmfront::sql
