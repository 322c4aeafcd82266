// sql/session_settings_table.h: what each setting (GUC) of PostgreSQL 12 to 17 means for answers. Internal to
// sql/session_settings; the decisions with their reasons are in the .cpp.
#pragma once

#include <span>
#include <string_view>

namespace warmfront::sql {

// Settings whose values make up a session's fingerprint, spelled as PostgreSQL shows them.
[[nodiscard]] std::span<const std::string_view> fingerprinted_settings();

// Whether no kept answer depends on this setting (in any case). Every name with a dot that is not
// fingerprinted is one.
[[nodiscard]] bool same_setting(std::string_view a, std::string_view b);  // any case
[[nodiscard]] bool is_harmless_setting(std::string_view name);

}  // namespace warmfront::sql
