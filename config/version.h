// config/version.h: which warmfront this is, as CMakeLists.txt says.
#pragma once

#include <string_view>

namespace warmfront {

[[nodiscard]] std::string_view version();  // "0.1.0"

}  // namespace warmfront
