// sql/catalog_settings.h: which settings the definitions of a database read. Internal to sql/catalog.
#pragma once

#include <string>
#include <vector>

#include "sql/catalog.h"

namespace warmfront::sql {

// Those that policies, views and functions name in current_setting(), lower case, sorted, unique; without the
// ones that every session is asked for anyway, and those that are not plain names. The catalog is indexed.
[[nodiscard]] std::vector<std::string> settings_read_by(const Catalog& catalog);

}  // namespace warmfront::sql
