// config/command_line.h: what the command line asks for. The one door to CLI11.
#pragma once

#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "config/load.h"
#include "config/settings.h"

namespace warmfront {

// `warmfront forecast`, as it was written; forecast/forecast_command.h judges what the texts mean.
struct ForecastArguments {
    std::string input;        // a file, or "-"
    std::size_t horizon = 0;  // steps; 0: one season
    std::string step;         // empty: as the input has it
    std::string season;       // steps, "24,168"; empty: as the input shows it
    std::string model = "auto";
    std::string holidays;  // a file; empty: none
    bool backtest = false;
    std::string plot;  // a file to write; empty: none
};

// `warmfront history export` and `import`.
struct HistoryArguments {
    std::string format = "csv";
    std::string file;  // to write or to read; empty or "-": standard output or input
};

struct CommandLine {
    enum class Mode {
        Run,
        Check,                   // the settings are right: say so and end
        PrintConfigurationPage,  // configuration_markdown() to stdout
        Forecast,                // the subcommand; no settings are loaded for it
        HistoryExport,           // the history in the settings' state_dir, to a file
        HistoryImport,           // and back
    };
    Mode mode = Mode::Run;
    ForecastArguments forecast;       // of Mode::Forecast
    HistoryArguments history;         // of Mode::HistoryExport and Mode::HistoryImport
    Settings settings;                // of the file and the flags over it
    std::string config_file;          // empty: none. A reload is load_settings_file(config_file, overrides).
    std::vector<Override> overrides;  // the flags
};

// The program ends at once: --help and --version (code 0), or errors (code 1, every one of them on a line).
struct CommandLineExit {
    int code = 0;
    std::string to_stdout;
    std::string to_stderr;
};

// Loads the settings too, so that errors in flags and in the file are reported together.
[[nodiscard]] tl::expected<CommandLine, CommandLineExit> parse_command_line(int argc,
                                                                            const char* const* argv);

}  // namespace warmfront
