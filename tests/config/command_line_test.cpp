#include "config/command_line.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront;

static tl::expected<CommandLine, CommandLineExit> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "warmfront");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

static std::string errors(std::vector<const char*> arguments) {
    const auto line = parse(std::move(arguments));
    if (line) return "parsed";
    CHECK(line.error().code == 1);
    CHECK(line.error().to_stdout.empty());
    return line.error().to_stderr;
}

TEST_CASE("command line: without arguments it runs with the defaults") {
    const auto line = parse({});
    REQUIRE(line);
    CHECK(line->mode == CommandLine::Mode::Run);
    CHECK(line->config_file.empty());
    CHECK(line->settings.listen == Settings{}.listen);
}

TEST_CASE("command line: flags become settings, repeated ones lists") {
    const auto line = parse({"--listen", "a:1", "--listen=/run/s", "--upstream", "host=h user=u",
                             "--http=b:2", "--state-dir", "/s", "--set", "cache.memory=1GiB", "--set",
                             "cache.exclude=a", "--set", "cache.exclude=b"});
    REQUIRE(line);
    CHECK(line->settings.listen == std::vector<Address>{{"a", 1, ""}, {"", 0, "/run/s"}});
    CHECK(line->settings.upstream == "host=h user=u");
    CHECK(line->settings.http == Address{"b", 2, ""});
    CHECK(line->settings.state_dir == "/s");
    CHECK(line->settings.cache.memory == std::size_t{1} << 30);
    CHECK(line->settings.cache.exclude == std::vector<std::string>{"a", "b"});
    const auto again = load_settings_file(line->config_file, line->overrides);
    REQUIRE(again);
    CHECK(again->listen == line->settings.listen);
}

TEST_CASE("command line: the modes") {
    CHECK(parse({"--check"})->mode == CommandLine::Mode::Check);
    CHECK(parse({"--print-configuration-page"})->mode == CommandLine::Mode::PrintConfigurationPage);
}

TEST_CASE("command line: help and version go to stdout with code 0") {
    for (const auto& [flag, text] : std::vector<std::pair<const char*, std::string>>{
             {"--help", "--state-dir"}, {"-h", "--set"}, {"--version", "warmfront 0."}}) {
        CAPTURE(flag);
        const auto line = parse({flag});
        REQUIRE_FALSE(line);
        CHECK(line.error().code == 0);
        CHECK(line.error().to_stderr.empty());
        CHECK(line.error().to_stdout.find(text) != std::string::npos);
    }
}

TEST_CASE("command line: all errors come at once, code 1") {
    CHECK(errors({"--lisen", "a:1", "--http", "nowhere", "--set", "threads", "--set", "threads=x", "--config",
                  "/nowhere/f"}) ==
          "--lisen: expected a known flag (did you mean \"--listen\"?)\n"
          "a:1: expected a known flag\n"
          "--set: expected NAME=VALUE\n"
          "/nowhere/f: expected a readable file: No such file or directory\n"
          "--http: http: expected host:port, *:port, [::1]:port with brackets for IPv6, or nothing, found "
          "\"nowhere\"\n"
          "--set: threads: expected a whole number from 0 to 1024, found \"x\"\n");
    CHECK(errors({"serve"}) == "serve: expected a known flag\n");
    CHECK(errors({"--sett=threads=1"})
              .starts_with("--sett=threads=1: expected a known flag (did you mean \"--set\"?)"));
    CHECK(errors({"--listen"}).find("--listen") != std::string::npos);
    CHECK(errors({"--listen", ""}).starts_with("--listen: listen: expected"));
}

TEST_CASE("command line: a flag takes one value, the next argument is its own") {
    CHECK(errors({"--listen", "a:1", "b:2"}) == "b:2: expected a known flag\n");
}

TEST_CASE("command line: forecast is a command of its own, which needs no settings") {
    const auto line =
        parse({"forecast", "--input", "-", "--horizon", "24", "--season", "24,168", "--backtest"});
    REQUIRE(line);
    CHECK(line->mode == CommandLine::Mode::Forecast);
    CHECK(line->forecast.input == "-");
    CHECK(line->forecast.horizon == 24);
    CHECK(line->forecast.season == "24,168");
    CHECK(line->forecast.model == "auto");
    CHECK(line->forecast.backtest);
    CHECK(errors({"forecast"}).find("--input") != std::string::npos);
    CHECK(errors({"forecast", "--input", "a", "--horizont", "3"}).find("--horizont") != std::string::npos);
    CHECK(errors({"forecast", "--input", "a", "--horizon", "many"}).find("--horizon") != std::string::npos);
}

TEST_CASE("command line: history, out and in, with the program's own flags on either side") {
    const auto out = parse({"history", "export", "--output", "f.csv", "--state-dir", "/s"});
    REQUIRE(out);
    CHECK(out->mode == CommandLine::Mode::HistoryExport);
    CHECK(out->history.file == "f.csv");
    CHECK(out->settings.state_dir == "/s");
    const auto in = parse({"--state-dir", "/s", "history", "import", "--format", "csv"});
    REQUIRE(in);
    CHECK(in->mode == CommandLine::Mode::HistoryImport);
    CHECK(in->history.file.empty());
    CHECK(in->settings.state_dir == "/s");
    CHECK(errors({"history"}).find("subcommand is required") != std::string::npos);
    CHECK(errors({"history", "export", "--format", "xml"}).find("csv") != std::string::npos);
    CHECK(errors({"history", "export", "--bogus"}) == "--bogus: expected a known flag\n");
}
