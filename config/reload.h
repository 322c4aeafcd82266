// config/reload.h: what a reload changes: the difference of the running settings and those just loaded. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace warmfront {

struct SettingChange {
    std::string_view name;      // dotted, lives for ever
    std::string before, after;  // as text; equal where only a hidden password changed
    bool needs_restart;
    bool operator==(const SettingChange&) const = default;
};

// In the order of the settings table.
[[nodiscard]] std::vector<SettingChange> difference(const Settings& running, const Settings& loaded);

// The settings to run with after a reload: loaded ones, except those that need a restart.
[[nodiscard]] Settings after_reload(const Settings& running, const Settings& loaded);

}  // namespace warmfront
