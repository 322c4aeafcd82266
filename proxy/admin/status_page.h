// proxy/admin/status_page.h: the page at /, whole: markup, style and script.
#pragma once

#include <string_view>

namespace warmfront::admin {

[[nodiscard]] std::string_view status_page();
// Allows just that: its own style and script, and fetches from its own origin.
[[nodiscard]] std::string_view status_page_policy();

}  // namespace warmfront::admin
