// config/page.h: docs/configuration.md, made from the settings table.
//
// `warmfront --print-configuration-page > docs/configuration.md` writes it anew; a test compares the two.
#pragma once

#include <string>

namespace warmfront {

[[nodiscard]] std::string configuration_markdown();

}  // namespace warmfront
