// config/command_line.h: what the command line asks for. The one door to CLI11.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "config/load.h"
#include "config/settings.h"

namespace warmfront {

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
        HistoryExport,           // the history in the settings' state_dir, to a file
        HistoryImport,           // and back
    };
    Mode mode = Mode::Run;
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
