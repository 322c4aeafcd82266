// Errors are collected in a Report on the way; the settings count only if it stays empty. yaml-cpp keeps both
// of two equal keys in a map, which is how duplicates are noticed, and throws, which ends here.
#include "config/load.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "config/checks.h"
#include "config/conninfo.h"
#include "config/nearest.h"
#include "config/settings_table.h"

namespace warmfront {
namespace {

constexpr std::size_t kErrorsMax = 100;
constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;
constexpr std::size_t kQuotedBytesMax = 60;
constexpr std::string_view kYamlHint = " (a value that starts with * or [, as addresses may, needs quotes)";

class Report {
public:
    void add(std::string place, std::string_view key, std::string text) {
        if (errors_.size() < kErrorsMax)
            errors_.push_back({std::move(place), std::string(key), std::move(text)});
        else
            ++left_out_;
    }
    [[nodiscard]] bool empty() const { return errors_.empty(); }
    [[nodiscard]] bool mentions(std::string_view key) const {
        return std::ranges::find(errors_, key, &SettingsError::key) != errors_.end();
    }
    [[nodiscard]] std::vector<SettingsError> take() {
        if (left_out_ > 0)
            errors_.push_back({errors_.back().place, "", fmt::format("{} more errors", left_out_)});
        return std::move(errors_);
    }

private:
    std::vector<SettingsError> errors_;
    std::size_t left_out_ = 0;
};

// A written value and where it stands.
struct Written {
    RawValue value;
    std::string place;
    std::vector<std::string> item_places;  // of records, where each begins
    std::vector<std::vector<std::string>> field_places;
};

std::string quoted(std::string_view text) {
    std::string shown = mask_passwords(text);
    if (shown.size() > kQuotedBytesMax) shown = shown.substr(0, kQuotedBytesMax) + "...";
    std::ranges::replace_if(
        shown, [](unsigned char c) { return c < ' '; }, ' ');
    return '"' + shown + '"';
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
    const auto meant = nearest(word, known);
    return meant ? fmt::format(" (did you mean \"{}\"?)", *meant) : std::string();
}

std::string describe_found(const Setting& setting, const RawValue& value, const Mismatch& mismatch) {
    if (value.shape == RawValue::Shape::Nothing) return "nothing";
    if (!mismatch.found.empty())
        return quoted(mismatch.found) + did_you_mean(mismatch.found, mismatch.choices);
    if (mismatch.item < value.items.size())
        return quoted(value.items[mismatch.item]) + did_you_mean(value.items[mismatch.item], setting.choices);
    if (value.shape == RawValue::Shape::List) return fmt::format("a list of {}", value.items.size());
    if (value.shape == RawValue::Shape::Records) return fmt::format("a list of {}", value.records.size());
    return quoted(value.items.front());
}

std::string place_of(const Written& written, const Mismatch& mismatch) {
    if (mismatch.item >= written.item_places.size()) return written.place;
    if (mismatch.item < written.field_places.size()) {
        const auto& fields = written.field_places[mismatch.item];
        if (mismatch.field < fields.size()) return fields[mismatch.field];
    }
    return written.item_places[mismatch.item];
}

void assign(const Setting& setting, const Written& written, Settings& settings, Report& report) {
    const auto mismatch = setting.assign(settings, written.value);
    if (!mismatch) return;
    report.add(place_of(written, *mismatch), setting.name,
               fmt::format("expected {}, found {}",
                           mismatch->expected.empty() ? setting.expected : mismatch->expected,
                           describe_found(setting, written.value, *mismatch)));
}

// The node as a RawValue; place_of(mark) says where something stands. False if it is too composed.
template <typename PlaceOf>
bool read_value(const YAML::Node& node, const PlaceOf& place_of, bool lists_allowed, Written& written) {
    using Shape = RawValue::Shape;
    const auto take_item = [&](const YAML::Node& item) {
        written.value.items.push_back(item.Scalar());
        written.item_places.push_back(place_of(item.Mark()));
    };
    const auto take_record = [&](const YAML::Node& map) {
        written.item_places.push_back(place_of(map.Mark()));
        auto& record = written.value.records.emplace_back();
        auto& places = written.field_places.emplace_back();
        for (const auto& pair : map) {
            if (!pair.first.IsScalar()) return false;
            auto& field = record.emplace_back(RawValue::Field{pair.first.Scalar(), "", {}});
            if (lists_allowed && pair.second.IsSequence()) {
                for (const auto& item : pair.second) {
                    if (!item.IsScalar()) return false;
                    field.items.push_back(item.Scalar());
                }
            } else if (pair.second.IsScalar()) {
                field.value = pair.second.Scalar();
            } else if (!pair.second.IsNull()) {
                return false;
            }
            places.push_back(place_of(pair.first.Mark()));
        }
        return true;
    };
    if (node.IsNull()) return true;
    if (node.IsScalar()) {
        written.value.shape = Shape::Scalar;
        take_item(node);
        return true;
    }
    if (node.IsMap()) {
        written.value.shape = Shape::Records;
        return take_record(node);
    }
    written.value.shape = node.size() > 0 && node[0].IsMap() ? Shape::Records : Shape::List;
    for (const auto& item : node) {
        if (written.value.shape == Shape::Records ? !item.IsMap() || !take_record(item) : !item.IsScalar())
            return false;
        if (written.value.shape == Shape::List) take_item(item);
    }
    return true;
}

void report_unknown(std::string place, std::string_view name, Report& report) {
    std::string text = "expected the name of a setting" + did_you_mean(name, setting_names());
    report.add(std::move(place), name, std::move(text));
}

// Walks one file's nodes.
class FileReader {
public:
    FileReader(std::string_view file_name, Settings& settings, Report& report)
        : file_name_(file_name), settings_(settings), report_(report) {}

    // False if the text is not YAML; what it was to say is then unknown.
    bool read(std::string_view text) {
        try {
            read_documents(YAML::LoadAll(std::string(text)));
            return true;
        } catch (const YAML::Exception& error) {
            report_.add(place(error.mark), "", "expected YAML: " + error.msg + std::string(kYamlHint));
            return false;
        }
    }

    // Where the setting stands in the file; the file's name if it does not.
    [[nodiscard]] std::string place_of(std::string_view name) const {
        const auto found = given_.find(name);
        return found == given_.end() ? file_name_ : found->second;
    }

private:
    void read_documents(const std::vector<YAML::Node>& documents) {
        if (documents.size() > 1)
            report_.add(place(documents[1].Mark()), "", "expected one YAML document, found a second one");
        if (documents.empty() || documents.front().IsNull()) return;
        if (documents.front().IsMap())
            read_section(documents.front(), "");
        else
            report_.add(place(documents.front().Mark()), "",
                        "expected settings, as in \"listen: 127.0.0.1:6432\"");
    }

    void read_section(const YAML::Node& section, const std::string& prefix) {
        for (const auto& pair : section) {
            if (pair.first.IsScalar())
                read_entry(prefix + pair.first.Scalar(), place(pair.first.Mark()), pair.second);
            else
                report_.add(place(pair.first.Mark()), "",
                            "expected the name of a setting, found something composed");
        }
    }

    void read_entry(const std::string& name, const std::string& key_place, const YAML::Node& node) {
        const Setting* setting = find_setting(name);
        if (!setting && settings_in(name).empty()) return report_unknown(key_place, name, report_);
        const auto [earlier, is_first] = given_.emplace(name, key_place);
        if (!is_first)
            return report_.add(key_place, name, "expected only once, found before at " + earlier->second);
        if (setting)
            read_setting(*setting, key_place, node);
        else if (node.IsMap())
            read_section(node, name + ".");
        else if (!node.IsNull())
            report_.add(
                place(node.Mark()), name,
                fmt::format("expected a section with settings such as {}", settings_in(name).front()->name));
    }

    void read_setting(const Setting& setting, const std::string& key_place, const YAML::Node& node) {
        Written written{RawValue{}, node.IsNull() ? key_place : place(node.Mark()), {}, {}};
        const auto place_of_mark = [this](const YAML::Mark& mark) { return place(mark); };
        const bool readable = (!node.IsMap() || setting.takes_records) &&
                              read_value(node, place_of_mark, setting.takes_lists, written);
        if (readable) return assign(setting, written, settings_, report_);
        report_.add(written.place, setting.name,
                    fmt::format("expected {}, found {}", setting.expected,
                                node.IsMap() ? "a section" : "a list with something composed in it"));
    }

    [[nodiscard]] std::string place(const YAML::Mark& mark) const {
        if (mark.is_null()) return file_name_;
        return fmt::format("{}:{}:{}", file_name_, mark.line + 1, mark.column + 1);
    }

    std::string file_name_;
    Settings& settings_;
    Report& report_;
    std::map<std::string, std::string, std::less<>>
        given_;  // settings and sections to the place of their key
};

// Records given in flags are YAML, one or a list of them in each; what is not stays the text that it is.
RawValue records_of(const std::vector<std::string>& values, bool lists_allowed) {
    RawValue as_text{values.size() == 1 ? RawValue::Shape::Scalar : RawValue::Shape::List, values, {}};
    if (values.size() == 1 && values.front().empty()) return {};
    Written all{RawValue{RawValue::Shape::Records, {}, {}}, "", {}, {}};
    for (const std::string& value : values) {
        Written one;
        try {
            const auto nowhere = [](const YAML::Mark&) { return std::string(); };
            if (!read_value(YAML::Load(value), nowhere, lists_allowed, one)) return as_text;
        } catch (const YAML::Exception&) {
            return as_text;
        }
        if (one.value.shape != RawValue::Shape::Records) return as_text;
        for (auto& record : one.value.records) all.value.records.push_back(std::move(record));
    }
    return std::move(all.value);
}

void apply_override(const Override& given, Settings& settings, Report& report) {
    const Setting* setting = find_setting(given.setting);
    if (!setting) return report_unknown(given.flag, given.setting, report);
    const auto shape = given.values.size() == 1 ? RawValue::Shape::Scalar : RawValue::Shape::List;
    Written written{RawValue{shape, given.values, {}}, given.flag, {}, {}};
    if (setting->takes_records) written.value = records_of(given.values, setting->takes_lists);
    assign(*setting, written, settings, report);
}

// What did not load still has its default, so a conflict with it would be made up.
void report_conflicts(const Settings& settings, const FileReader& file,
                      const std::vector<Override>& overrides, Report& report) {
    for (Conflict& conflict : find_conflicts(settings)) {
        if (report.mentions(conflict.setting) || report.mentions(conflict.other)) continue;
        const auto flag = std::ranges::find(overrides, conflict.setting, &Override::setting);
        report.add(flag == overrides.end() ? file.place_of(conflict.setting) : flag->flag, conflict.setting,
                   std::move(conflict.text));
    }
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

// The file's text, or what is wrong with it.
tl::expected<std::string, std::string> read_file(const std::string& path) {
    const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
    if (!file) return tl::unexpected(fmt::format("expected a readable file: {}", std::strerror(errno)));
    std::string text(kFileBytesMax + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()))
        return tl::unexpected(fmt::format("expected a readable file: {}", std::strerror(errno)));
    if (text.size() > kFileBytesMax) return tl::unexpected<std::string>("expected at most 1 MiB");
    return text;
}

}  // namespace

std::string to_line(const SettingsError& error) {
    return fmt::format("{}: {}{}{}", error.place, error.key, error.key.empty() ? "" : ": ", error.text);
}

Loaded<Settings> load_settings(std::string_view text, std::string_view file_name,
                               const std::vector<Override>& overrides) {
    Settings settings;
    Report report;
    FileReader file(file_name, settings, report);
    const bool is_yaml = file.read(text);
    for (const Override& given : overrides) apply_override(given, settings, report);
    if (is_yaml) report_conflicts(settings, file, overrides, report);
    if (!report.empty()) return tl::unexpected(report.take());
    return settings;
}

Loaded<Settings> load_settings_file(const std::string& path, const std::vector<Override>& overrides) {
    if (path.empty()) return load_settings("", "the settings", overrides);
    const auto text = read_file(path);
    if (text) return load_settings(*text, path, overrides);
    Settings unused;
    Report report;
    report.add(path, "", text.error());
    for (const Override& given : overrides) apply_override(given, unused, report);
    return tl::unexpected(report.take());
}

}  // namespace warmfront
