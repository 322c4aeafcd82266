// sql/functions.h: what is known of PostgreSQL's own functions, by name, and how far others are trusted.
//
// Source: pg_proc of PostgreSQL 12 to 17. Pure; thread-safe.
#pragma once

#include <string_view>

#include "sql/catalog.h"

namespace warmfront::sql {

// What calling a built-in function may change. The volatile ones that are not in the table change nothing
// that a cached answer can show: sequences, large objects, locks, statistics, slots, notifications.
enum class FunctionEffect {
    None,
    Settings,    // set_config
    Roles,       // pg_reload_conf: settings of all sessions
    Everything,  // runs SQL text that it is given, or writes a catalog
};
[[nodiscard]] FunctionEffect effect_of_builtin(std::string_view name);

// Whether a built-in STABLE function's result depends on nothing but its arguments and the settings in a
// session's fingerprint (TimeZone, DateStyle, lc_*, default_text_search_config, ...). arguments as in
// FunctionUse.
[[nodiscard]] bool is_reproducible(std::string_view name, int arguments);

// Built-in types that no function is named after: uuid(x) is a cast then.
[[nodiscard]] bool is_type_without_function(std::string_view name);

// Whether a function may change rows: not built in, VOLATILE, and not one of the C functions of an extension
// known to write nothing (uuid-ossp, pgcrypto, ...). PostgreSQL's word is taken for STABLE and IMMUTABLE.
[[nodiscard]] bool may_write(const Function& function);

}  // namespace warmfront::sql
