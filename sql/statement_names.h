// sql/statement_names.h: reads names off libpg_query's lists of String nodes. Internal to sql/statement*.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include <pg_query/pg_query.pb-c.h>

namespace warmfront::sql {

// "" unless the node is a String.
inline std::string_view text_of(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_STRING) return {};
    return node->string->sval;
}

// The last two parts of "[catalog.][schema.]name".
inline std::pair<std::string_view, std::string_view> qualified(std::size_t count,
                                                               PgQuery__Node* const* name) {
    if (count == 0) return {};
    return {count > 1 ? text_of(name[count - 2]) : std::string_view(), text_of(name[count - 1])};
}

// PostgreSQL's own spelling of a temporary relation: CREATE TEMP, or the schema pg_temp (or pg_temp_3).
inline bool is_temporary(const PgQuery__RangeVar* name) {
    return name != nullptr && (std::string_view(name->relpersistence) == "t" ||
                               std::string_view(name->schemaname).starts_with("pg_temp"));
}

}  // namespace warmfront::sql
