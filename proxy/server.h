// proxy/server.h: builds every object of the running proxy, hands each what it needs, and runs the loops.
//
// The calling thread becomes the one that handles signals: SIGTERM and SIGINT drain and end, SIGHUP reloads.
#pragma once

#include "config/command_line.h"

namespace warmfront {

// Serves until told to end. The process's exit code: 0 after a drained end, 1 if it could not start (said in
// the log).
[[nodiscard]] int serve(const CommandLine& command_line);

}  // namespace warmfront
