// sql/effects.h: what a statement may change: relations in closure, or everything with the reason.
//
// Followed are partitions and inheritance, updatable views, rules, the actions of foreign keys, triggers, and
// functions in SQL and PL/pgSQL, each in turn. Sound on the coarse side: whatever cannot be read is
// everything. Taken on trust, as PostgreSQL itself does: that functions labelled STABLE or IMMUTABLE write
// nothing. Writes that leave PostgreSQL and come back by another connection (dblink, a foreign table whose
// server is this one, COPY TO PROGRAM 'psql ...') are writes past warmfront, which its mode answers for.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sql/analysis.h"

namespace warmfront::sql {

struct StatementEffects {
    static constexpr std::size_t kStepsMax = 200;

    Effects effects;
    // Sorted, unique, among effects.relations: those that may change in another way than by the rows that the
    // statement's own INSERT, UPDATE or DELETE names: by a trigger, rule, cascade, function, view or WITH
    // query, or because a trigger may alter the row on its way in. The others change by those rows only, and
    // so do their partitions, children and ancestors. (COPY FROM names no rows, TRUNCATE all of them.)
    std::vector<Oid> indirect;
    // Sorted, unique, among effects.relations: those that foreign keys act on because of those rows. If they
    // are not in `indirect`, they change in no rows but those that refer to them.
    std::vector<Oid> cascaded;
    std::string reason;  // why effects.everything; empty otherwise
    bool changes_settings = false;
    bool changes_catalog = false;
    bool changes_roles = false;
    // If the context asks for them: what leads to what, a line each, indented by two blanks a level; at most
    // kStepsMax and then "...".
    std::vector<std::string> steps;
};

// A statement with its inner ones. PREPARE and EXPLAIN do not run theirs; EXECUTE may run anything.
// DECLARE counts what its query does: a cursor ends with its transaction, or ran to its end in it (WITH
// HOLD), so what a later FETCH makes it do is covered when that transaction ends, and FETCH itself changes
// nothing.
[[nodiscard]] StatementEffects effects_of(const Statement& statement, const AnalysisContext& context);

}  // namespace warmfront::sql
