// config/settings_table.h: every setting there is: its name, its type and range, what it does, how it is
// reached.
//
// The one table that the loader, --check, SHOW CONFIG, reloading and docs/configuration.md read: a new
// setting is a member of Settings and a row here. The default is what a fresh Settings{} holds. Immutable,
// hence thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/setting_types.h"
#include "config/settings.h"

namespace warmfront {

enum class Reload { Live, Restart };  // Live: a reload applies it; Restart: it holds until the process ends

struct Setting {
    std::string_view name;  // dotted, as in "cache.memory"
    Reload reload;
    std::string_view text;  // what it does, in sentences
    std::string expected;   // type and range, as in "a size from 1KiB to 1GiB, such as 256MiB"
    std::vector<std::string_view> choices;  // the words it knows, if it is a choice
    bool takes_records;                     // a list of maps, not of texts
    bool takes_lists;                       // within those maps

    // Sets it from what was written, or says what does not fit and changes nothing.
    std::function<std::optional<Mismatch>(Settings&, const RawValue&)> assign;
    std::function<std::string(const Settings&)> print;  // as text, passwords hidden; empty for nothing
    std::function<bool(const Settings&, const Settings&)> same;
    std::function<void(Settings& to, const Settings& from)> copy;
};

[[nodiscard]] std::span<const Setting> settings_table();
[[nodiscard]] const Setting* find_setting(std::string_view name);  // nullptr if there is none

// The known names, for the nearest one to a mistyped name.
[[nodiscard]] std::vector<std::string_view> setting_names();
// The settings of a section ("cache"); empty if there is no such section. Settings outside sections: section
// "".
[[nodiscard]] std::vector<const Setting*> settings_in(std::string_view section);
[[nodiscard]] std::string_view section_of(
    std::string_view name);  // "cache" of "cache.memory", "" of "listen"

}  // namespace warmfront
