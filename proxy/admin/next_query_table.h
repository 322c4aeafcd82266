// proxy/admin/next_query_table.h: what SHOW NEXT_QUERY shows. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/next_query_row.h"

namespace warmfront::admin {

[[nodiscard]] std::span<const std::string_view> next_query_columns();
[[nodiscard]] std::vector<std::vector<std::string>> next_query_table(
    std::span<const session::NextQueryView> views);

}  // namespace warmfront::admin
