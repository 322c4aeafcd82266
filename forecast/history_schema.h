// forecast/history_schema.h: the tables of a history file (docs/history.md describes them for users), and
// whether a file is one.
#pragma once

#include <string>
#include <string_view>

#include "config/result.h"
#include "forecast/board.h"
#include "forecast/sqlite_file.h"

namespace warmfront::forecast {

// In the columns subjects.kind: "database", "table", "template".
[[nodiscard]] std::string_view name_of(SeriesName::Kind kind);
// 22023 for other words.
[[nodiscard]] Result<SeriesName::Kind> kind_of(std::string_view word);

// Of a file open for writing: lays the tables if it is empty, else looks whether they are these. Fails with
// XX001 on a damaged file or another program's; a file of kCheckedBytesMax at most is read as a whole for it.
inline constexpr std::int64_t kCheckedBytesMax = std::int64_t{256} << 20;
[[nodiscard]] Result<void> lay_or_check(SqliteFile& file);
// Of one open for reading: whether it is a history.
[[nodiscard]] Result<void> check_is_history(SqliteFile& file);

}  // namespace warmfront::forecast
