// proxy/admin/explain_rows.h: rows and columns that a statement looks at or changes, in words.
#pragma once

#include <string>

#include "sql/catalog.h"
#include "sql/predicate_plan.h"

namespace warmfront::admin {

// "id = $1 and kind = 'x' (columns id, kind, name)", "any row (all columns)"
[[nodiscard]] std::string rows_looked_at(const sql::Footprint& footprint, const sql::Relation& relation);
// "id = $1; id = $1, name = $2 (column name)": a row before and after; "any row (all columns)"
[[nodiscard]] std::string rows_changed(const sql::ChangePlan& change, const sql::Relation& relation);

}  // namespace warmfront::admin
