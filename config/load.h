// config/load.h: from the text of a configuration file, and flags over it, to settings. The one door to
// yaml-cpp.
//
// The file is one YAML map of the settings in config/settings_table.h, those with a dot in sections
// ("cache:", then "memory: 1GiB" indented) or under their dotted name. A flag wins over the file. Every error
// is found and reported at once; only what is not YAML at all ends with the first. Pure, except for reading
// the file.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "config/settings.h"

namespace warmfront {

struct SettingsError {
    std::string
        place;        // "warmfront.yaml:3:7" (line, column, from 1), "warmfront.yaml", or the flag "--listen"
    std::string key;  // the setting's dotted name, or what was written there; may be empty
    std::string text;  // what was expected and what was found
    bool operator==(const SettingsError&) const = default;
};
[[nodiscard]] std::string to_line(const SettingsError& error);  // "place: key: text"

// What a flag says about one setting; several values make a list.
struct Override {
    std::string flag;     // "--listen"
    std::string setting;  // "listen"
    std::vector<std::string> values;
};

// In the order of the file, then of the flags, then conflicts between settings. At most 100; the last says if
// more were left out.
template <typename T>
using Loaded = tl::expected<T, std::vector<SettingsError>>;

// file_name is only named in errors.
[[nodiscard]] Loaded<Settings> load_settings(std::string_view text, std::string_view file_name,
                                             const std::vector<Override>& overrides = {});

// Reads the file of at most 1 MiB; an empty path means no file: defaults and flags alone.
[[nodiscard]] Loaded<Settings> load_settings_file(const std::string& path,
                                                  const std::vector<Override>& overrides = {});

}  // namespace warmfront
