// sql/effects.h: what a statement may change: relations in closure, or everything with the reason.
//
// Sound on the coarse side. Taken on trust, as PostgreSQL itself does: that functions labelled STABLE or
// IMMUTABLE write nothing. Writes that leave PostgreSQL and come back by another connection (dblink, a
// foreign table whose server is this one, COPY TO PROGRAM 'psql ...') are writes past warmfront, which its
// mode answers for. Pure; thread-safe.
#pragma once

#include <string>

#include "sql/analysis.h"

namespace warmfront::sql {

struct StatementEffects {
    Effects effects;
    std::string reason;  // why effects.everything; empty otherwise
    bool changes_settings = false;
    bool changes_catalog = false;
    bool changes_roles = false;
};

// A statement with its inner ones. PREPARE and EXPLAIN do not run theirs; EXECUTE may run anything.
// DECLARE counts what its query does: a cursor ends with its transaction, or ran to its end in it (WITH
// HOLD), so what a later FETCH makes it do is covered when that transaction ends, and FETCH itself changes
// nothing.
[[nodiscard]] StatementEffects effects_of(const Statement& statement, const AnalysisContext& context);

}  // namespace warmfront::sql
