#include "config/reload.h"

#include "config/settings_table.h"

namespace warmfront {

std::vector<SettingChange> difference(const Settings& running, const Settings& loaded) {
    std::vector<SettingChange> changes;
    for (const Setting& setting : settings_table()) {
        if (setting.same(running, loaded)) continue;
        changes.push_back(
            {setting.name, setting.print(running), setting.print(loaded), setting.reload == Reload::Restart});
    }
    return changes;
}

Settings after_reload(const Settings& running, const Settings& loaded) {
    Settings next = running;
    for (const Setting& setting : settings_table())
        if (setting.reload == Reload::Live) setting.copy(next, loaded);
    return next;
}

}  // namespace warmfront
