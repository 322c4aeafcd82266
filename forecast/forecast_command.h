// forecast/forecast_command.h: `warmfront forecast`: the models at work on a file.
//
// Reads the series (and holidays) named by the arguments and answers with what is to be written where; writes
// the plot, nothing else.
#pragma once

#include <string>

#include "config/command_line.h"

namespace warmfront::forecast {

struct CommandOutput {
    int code = 0;  // 0: done; 1: an error, told in to_stderr, and nothing in to_stdout
    std::string to_stdout;
    std::string to_stderr;  // repairs and errors, one a line
};

// Input "-" is standard input. At most kInputBytesMax are read; more is an error.
[[nodiscard]] CommandOutput run_forecast_command(const ForecastArguments& arguments);

inline constexpr std::size_t kInputBytesMax = 256u << 20;
inline constexpr std::size_t kHorizonMax = 100'000;

}  // namespace warmfront::forecast
