// CLI11 throws at the first error; what can be collected instead is: unknown arguments as "extras", values as
// overrides, which the loader checks.
#include "config/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include <fmt/format.h>

#include "config/nearest.h"
#include "config/settings_table.h"
#include "config/version.h"

namespace warmfront {
namespace {

constexpr std::string_view kAbout =
    "warmfront: a caching proxy in front of PostgreSQL. Errors in flags and file are all reported at once.";

struct Flag {
    const char* name;
    const char* setting;
    const char* text;
};
constexpr Flag kSettingFlags[] = {
    {"--listen", "listen", "where clients connect: host:port or a socket's path; again for each further one"},
    {"--upstream", "upstream", "the PostgreSQL behind: libpq connection string or URI"},
    {"--http", "http", "where metrics, health and the live page are served: host:port"},
    {"--state-dir", "state_dir", "where what must survive a restart is kept"},
};

// What was on the command line, before it is judged.
struct Arguments {
    std::string config_file;
    bool check = false;
    bool print_page = false;
    std::vector<std::string> settings[std::size(kSettingFlags)];
    std::vector<std::string> set;
    std::vector<std::string> unknown;
    ForecastArguments forecast;
    HistoryArguments history;
};

void declare_forecast(CLI::App& app, ForecastArguments& arguments) {
    CLI::App& forecast = *app.add_subcommand("forecast", "forecast the load in a file of lines \"ts,value\"");
    forecast.add_option("--input", arguments.input, "the file, or - for standard input")
        ->type_name("FILE")
        ->required();
    forecast.add_option("--horizon", arguments.horizon, "how many steps ahead (default: one season)")
        ->type_name("STEPS");
    forecast.add_option("--step", arguments.step, "30s, 5m, 1h, 1d, ... (default: as the file has it)")
        ->type_name("DURATION");
    forecast
        .add_option("--season", arguments.season, "lengths of up to two seasons in steps, such as 24,168")
        ->type_name("STEPS");
    forecast.add_option("--model", arguments.model, "auto, or a model's name")->type_name("NAME");
    forecast.add_option("--holidays", arguments.holidays, "a file with a day and its name on each line")
        ->type_name("FILE");
    forecast.add_flag("--backtest", arguments.backtest, "compare the models on the last fifth instead");
    forecast.add_option("--plot", arguments.plot, "draw history, forecast and interval as SVG")
        ->type_name("FILE");
}

// Flags of the whole program may follow them too: --config, --state-dir.
void declare_history(CLI::App& app, HistoryArguments& arguments) {
    CLI::App& history = *app.add_subcommand("history", "the history of requests in state_dir, out and in");
    history.require_subcommand(1)->fallthrough();
    CLI::App& out = *history.add_subcommand("export", "write it as CSV")->fallthrough();
    out.add_option("--output", arguments.file, "the file, or - for standard output (the default)")
        ->type_name("FILE");
    CLI::App& in = *history.add_subcommand("import", "add what was exported")->fallthrough();
    in.add_option("--input", arguments.file, "the file, or - for standard input (the default)")
        ->type_name("FILE");
    for (CLI::App* each : {&out, &in})
        each->add_option("--format", arguments.format, "csv is the only one")->check(CLI::IsMember({"csv"}));
}

void declare(CLI::App& app, Arguments& arguments) {
    app.set_version_flag("--version", fmt::format("warmfront {}", version()));
    app.allow_extras();
    app.add_option("--config", arguments.config_file, "the YAML file with the settings")->type_name("FILE");
    app.add_flag("--check", arguments.check, "say whether the settings are right, and end");
    for (std::size_t i = 0; i < std::size(kSettingFlags); ++i)
        app.add_option(kSettingFlags[i].name, arguments.settings[i], kSettingFlags[i].text)
            ->type_name("VALUE")
            ->expected(1)
            ->take_all()
            ->allow_extra_args(false);
    app.add_option("--set", arguments.set,
                   "any setting by its name; again for each further one or item of a list")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_flag("--print-configuration-page", arguments.print_page, "print docs/configuration.md, and end");
    declare_forecast(app, arguments.forecast);
    declare_history(app, arguments.history);
}

std::string known_flag_near(const CLI::App& app, std::string_view unknown) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) names.push_back(option->get_name());
    const std::vector<std::string_view> known(names.begin(), names.end());
    const auto meant = nearest(unknown.substr(0, unknown.find('=')), known);
    return meant ? fmt::format(" (did you mean \"{}\"?)", *meant) : std::string();
}

void add_override(std::vector<Override>& overrides, const std::string& flag, const std::string& setting,
                  const std::string& value) {
    const auto same = std::ranges::find(overrides, setting, &Override::setting);
    if (same == overrides.end())
        overrides.push_back({flag, setting, {value}});
    else
        same->values.push_back(value);
}

std::vector<Override> overrides_of(const Arguments& arguments, std::vector<std::string>& errors) {
    std::vector<Override> overrides;
    for (std::size_t i = 0; i < std::size(kSettingFlags); ++i)
        for (const std::string& value : arguments.settings[i])
            add_override(overrides, kSettingFlags[i].name, kSettingFlags[i].setting, value);
    for (const std::string& pair : arguments.set) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos)
            errors.push_back("--set: expected NAME=VALUE");
        else
            add_override(overrides, "--set", pair.substr(0, equals), pair.substr(equals + 1));
    }
    return overrides;
}

CommandLineExit failure(const std::vector<std::string>& errors) {
    return {1, "", fmt::format("{}\n", fmt::join(errors, "\n"))};
}

tl::expected<CommandLine, CommandLineExit> judge(const CLI::App& app, const Arguments& arguments) {
    std::vector<std::string> errors;
    const CLI::App& command = app.got_subcommand("forecast") ? *app.get_subcommand("forecast") : app;
    for (const std::string& unknown : arguments.unknown)
        errors.push_back(
            fmt::format("{}: expected a known flag{}", unknown, known_flag_near(command, unknown)));
    CommandLine line;
    line.config_file = arguments.config_file;
    line.overrides = overrides_of(arguments, errors);
    if (arguments.check) line.mode = CommandLine::Mode::Check;
    if (arguments.print_page) line.mode = CommandLine::Mode::PrintConfigurationPage;
    if (app.got_subcommand("forecast")) {
        if (!errors.empty()) return tl::unexpected(failure(errors));
        line.mode = CommandLine::Mode::Forecast;
        line.forecast = arguments.forecast;
        return line;
    }
    if (app.got_subcommand("history")) {
        const bool out = app.get_subcommand("history")->got_subcommand("export");
        line.mode = out ? CommandLine::Mode::HistoryExport : CommandLine::Mode::HistoryImport;
        line.history = arguments.history;
    }
    auto settings = load_settings_file(line.config_file, line.overrides);
    if (!settings)
        for (const SettingsError& error : settings.error()) errors.push_back(to_line(error));
    if (!errors.empty()) return tl::unexpected(failure(errors));
    line.settings = *std::move(settings);
    return line;
}

}  // namespace

tl::expected<CommandLine, CommandLineExit> parse_command_line(int argc, const char* const* argv) {
    CLI::App app{std::string(kAbout), "warmfront"};
    Arguments arguments;
    declare(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return tl::unexpected(CommandLineExit{0, app.help(), ""});
    } catch (const CLI::CallForVersion& version_line) {
        return tl::unexpected(CommandLineExit{0, std::string(version_line.what()) + "\n", ""});
    } catch (const CLI::ParseError& error) {
        return tl::unexpected(failure({error.what()}));
    }
    arguments.unknown = app.remaining(true);
    return judge(app, arguments);
}

}  // namespace warmfront
