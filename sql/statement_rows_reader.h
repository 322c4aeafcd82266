// sql/statement_rows_reader.h: reads sql/statement_rows off libpg_query's tree. Internal to sql/statement*.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <pg_query/pg_query.pb-c.h>

#include "sql/statement_rows.h"

namespace warmfront::sql {

// ctes: names that hide tables. sql: the text that the tree was made from.
[[nodiscard]] QueryLevel level_of(const PgQuery__SelectStmt& select,
                                  const std::vector<std::string_view>& ctes, std::string_view sql);

// nullopt where any row may be meant.
[[nodiscard]] std::optional<TargetRows> rows_of(const PgQuery__InsertStmt& insert, std::string_view sql);
[[nodiscard]] std::optional<TargetRows> rows_of(const PgQuery__UpdateStmt& update,
                                                const std::vector<std::string_view>& ctes,
                                                std::string_view sql);
[[nodiscard]] std::optional<TargetRows> rows_of(const PgQuery__DeleteStmt& erase,
                                                const std::vector<std::string_view>& ctes,
                                                std::string_view sql);

[[nodiscard]] std::optional<CopiedRows> rows_of(const PgQuery__CopyStmt& copy);

}  // namespace warmfront::sql
