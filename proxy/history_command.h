// proxy/history_command.h: `warmfront history export` and `import`: the history of a state_dir as CSV
// (forecast/history_csv.h), to a file and back. A proxy that records into it may run meanwhile.
#pragma once

#include "config/command_line.h"

namespace warmfront {

// Both give the process's exit code: 0, or 1 after a line on stderr that says what failed. What was exported
// until then is left in the output; an import is whole or nothing.
[[nodiscard]] int export_history(const CommandLine& command_line);
[[nodiscard]] int import_history(const CommandLine& command_line);

}  // namespace warmfront
