// config/checks.h: settings that are right each for itself and wrong together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace warmfront {

struct Conflict {
    std::string_view setting;  // the one to change, or to give
    std::string_view other;    // the one that it does not go with; may be the same
    std::string text;          // what was expected
};

[[nodiscard]] std::vector<Conflict> find_conflicts(const Settings& settings);

}  // namespace warmfront
