// sql/statement_kind.h: what kind of statement a parse tree's root is, and the facts special to its kind.
// Internal to sql/statement*.
#pragma once

#include <string_view>

#include <pg_query/pg_query.pb-c.h>

#include "sql/statement.h"

namespace warmfront::sql {

// node: a RawStmt's statement, or one inside PREPARE, EXPLAIN, ...; sql: the text that its locations point
// into.
[[nodiscard]] Statement statement_of(const PgQuery__Node* node, std::string_view sql);

}  // namespace warmfront::sql
