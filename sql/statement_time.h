// sql/statement_time.h: the types whose text input knows the word "now". Internal to sql/statement*.
#pragma once

#include <span>
#include <string_view>

namespace warmfront::sql {

// date, time, timestamp and their ranges, in PostgreSQL's internal spelling.
[[nodiscard]] bool is_time_type(std::string_view name);

}  // namespace warmfront::sql
