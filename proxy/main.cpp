// The program: reads the command line, then serves, or does the one thing asked.

#include <csignal>
#include <cstdio>

#include "config/command_line.h"
#include "config/page.h"
#include "forecast/forecast_command.h"
#include "proxy/history_command.h"
#include "proxy/server.h"

namespace {

int run_forecast(const warmfront::ForecastArguments& arguments) {
    const auto output = warmfront::forecast::run_forecast_command(arguments);
    std::fputs(output.to_stderr.c_str(), stderr);
    std::fputs(output.to_stdout.c_str(), stdout);
    return output.code;
}

}  // namespace

int main(int argc, char** argv) {
    using warmfront::CommandLine;
    const auto command_line = warmfront::parse_command_line(argc, argv);
    if (!command_line) {
        std::fputs(command_line.error().to_stdout.c_str(), stdout);
        std::fputs(command_line.error().to_stderr.c_str(), stderr);
        return command_line.error().code;
    }
    std::signal(SIGPIPE, SIG_IGN);
    switch (command_line->mode) {
        case CommandLine::Mode::Run: return warmfront::serve(*command_line);
        case CommandLine::Mode::HistoryExport: return warmfront::export_history(*command_line);
        case CommandLine::Mode::HistoryImport: return warmfront::import_history(*command_line);
        case CommandLine::Mode::Check: std::puts("the settings are right"); return 0;
        case CommandLine::Mode::PrintConfigurationPage:
            std::fputs(warmfront::configuration_markdown().c_str(), stdout);
            return 0;
        case CommandLine::Mode::Forecast: return run_forecast(command_line->forecast);
    }
    return 1;
}
