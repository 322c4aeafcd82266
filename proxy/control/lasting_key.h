// proxy/control/lasting_key.h: what a cache key (cache/key.h) means, as bytes that mean the same in every
// process: its numbers for session settings and statement are those of one process.
//
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "sql/session_settings.h"
#include "sql/template.h"

namespace warmfront::control {

// 16 bytes: XXH3 (128 bits) of the settings' values, time limits aside, the statement's template and the rest
// of the key. `key` is one that was made with both.
[[nodiscard]] std::string lasting_key(const sql::SessionSettings& settings, const sql::Template& statement,
                                      std::string_view key);

}  // namespace warmfront::control
