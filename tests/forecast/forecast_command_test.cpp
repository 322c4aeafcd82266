#include "forecast/forecast_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "forecast/plot.h"

using namespace warmfront;
using namespace warmfront::forecast;

namespace {

// A directory of its own, gone at the end.
class Directory {
public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forecast_XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    std::string write(const std::string& name, const std::string& text) const {
        const std::string path = (path_ / name).string();
        std::ofstream(path) << text;
        return path;
    }
    std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path_ / name).rdbuf();
        return text.str();
    }
    [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

std::string three_weeks() {
    std::string csv = "ts,value\n";
    for (int hour = 0; hour < 504; ++hour)
        csv +=
            std::to_string(hour * 3'600) + "," + std::to_string(hour % 24 < 8 ? 10 : 100 + hour % 24) + "\n";
    return csv;
}

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("warmfront forecast: a line a step, after the last of the input") {
    const Directory directory;
    ForecastArguments arguments;
    arguments.input = directory.write("hours.csv", three_weeks());
    arguments.horizon = 5;
    const CommandOutput output = run_forecast_command(arguments);
    CHECK(output.code == 0);
    CHECK(lines_of(output.to_stdout) == 6);
    CHECK(output.to_stdout.starts_with("ts,point,lo95,hi95\n1970-01-22T00:00:00Z,"));
    CHECK(output.to_stderr.find("step found: 3600 s\nseasons found: 24") != std::string::npos);
    double point = 0;
    REQUIRE(std::sscanf(output.to_stdout.c_str(), "ts,point,lo95,hi95\n1970-01-22T00:00:00Z,%lf", &point) ==
            1);
    CHECK(point == doctest::Approx(10).epsilon(0.05));
}

TEST_CASE("warmfront forecast: errors leave standard output empty and the code 1") {
    const Directory directory;
    const std::string hours = directory.write("hours.csv", three_weeks());
    const std::string wrong = directory.write("wrong.csv", "0,1\n60,x\n");
    const std::string day = directory.write("day.txt", "2026-13-01 no month\n");
    struct Row {
        ForecastArguments arguments;
        std::string_view says;
    };
    std::vector<Row> rows(7, {ForecastArguments{}, ""});
    for (Row& row : rows) row.arguments.input = hours;
    rows[0].arguments.input = "/nowhere/at/all.csv", rows[0].says = "it cannot be read";
    rows[1].arguments.input = wrong, rows[1].says = "line 2: \"x\" is no number";
    rows[2].arguments.step = "fast", rows[2].says = "--step fast: expected a duration";
    rows[3].arguments.season = "24,x", rows[3].says = "--season 24,x: expected numbers of steps";
    rows[4].arguments.model = "oracle", rows[4].says = "model \"oracle\": expected one of auto";
    rows[5].arguments.holidays = day, rows[5].says = "day.txt:1: expected a holiday, such as";
    rows[6].arguments.horizon = 1'000'000, rows[6].says = "--horizon 1000000: at most";
    for (const auto& [arguments, says] : rows) {
        CAPTURE(says);
        const CommandOutput output = run_forecast_command(arguments);
        CHECK(output.code == 1);
        CHECK(output.to_stdout.empty());
        CHECK(output.to_stderr.find(says) != std::string::npos);
    }
}

TEST_CASE("warmfront forecast --backtest: a line a model, the choice, and a plot with what came") {
    const Directory directory;
    ForecastArguments arguments;
    arguments.input = directory.write("hours.csv", three_weeks());
    arguments.holidays = directory.write("days.txt", "1970-01-08 day of rest  # a comment\n");
    arguments.backtest = true;
    arguments.plot = directory.path("plot.svg");
    const CommandOutput output = run_forecast_command(arguments);
    CHECK(output.code == 0);
    for (const char* model :
         {"\nauto ", "\nseasonal-naive ", "\nholt-winters ", "\nridge ", "\nchoice at the last origin: "}) {
        CAPTURE(model);
        CHECK(output.to_stdout.find(model) != std::string::npos);
    }
    const std::string svg = directory.read("plot.svg");
    CHECK(svg.starts_with("<svg"));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(svg.find("what came") != std::string::npos);
}

TEST_CASE("warmfront forecast --backtest: says what drives the load, where there are trees to ask") {
    // Long quiet, and twenty times as much on the hours of some days that a file names: nothing else tells.
    const Directory directory;
    std::string csv = "ts,value\n", days;
    for (int hour = 0; hour < 24 * 90; ++hour) {
        const int day = hour / 24;
        const bool apart = day * day % 11 == 3;
        csv += std::to_string(hour * 3'600) + "," + std::to_string((apart ? 400 : 20) + hour % 3) + "\n";
        if (apart && hour % 24 == 0) {
            const int month = day < 31 ? 1 : day < 59 ? 2 : 3, before = month == 1 ? 0 : month == 2 ? 31 : 59;
            char text[40];
            std::snprintf(text, sizeof text, "1970-%02d-%02d import\n", month, day - before + 1);
            days += text;
        }
    }
    ForecastArguments arguments;
    arguments.input = directory.write("hours.csv", csv);
    arguments.holidays = directory.write("days.txt", days);
    arguments.season = "24";
    arguments.horizon = 24;
    arguments.backtest = true;
    for (const auto& [model, asked] : {std::pair("auto", "boosted-trees"), std::pair("tree", "tree")}) {
        CAPTURE(model);
        arguments.model = model;
        const CommandOutput output = run_forecast_command(arguments);
        CHECK(output.code == 0);
        CAPTURE(output.to_stdout);
        const std::string begin = std::string("\nwhat drives this load, as ") + asked + " see it: holidays ";
        CHECK(output.to_stdout.find(begin) != std::string::npos);
    }
    arguments.model = "ridge";
    CHECK(run_forecast_command(arguments).to_stdout.find("what drives") == std::string::npos);
}
