#include "forecast/forecast_command.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "forecast/automatic.h"
#include "forecast/backtest_report.h"
#include "forecast/calendar_text.h"
#include "forecast/plot.h"
#include "forecast/prepare.h"
#include "forecast/seasons.h"
#include "forecast/series_csv.h"

namespace warmfront::forecast {
namespace {

constexpr std::size_t kHorizonUsual = 12;  // where there is no season

// What the arguments say, read and checked.
struct Task {
    Series series;
    std::string name;  // of the input, for texts
    Calendar calendar;
    std::size_t horizon = 1;
    std::string model;
    std::string notes;  // for standard error
};

Result<std::string> read_all(std::istream& stream, std::string_view name) {
    std::string text, chunk(1u << 16, '\0');
    while (stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || stream.gcount() > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
        if (text.size() > kInputBytesMax)
            return fail("54000", fmt::format("{}: more than {} MiB: forecast from fewer or longer steps",
                                             name, kInputBytesMax >> 20));
    }
    return text;
}

Result<std::string> read_input(const std::string& path) {
    if (path == "-") return read_all(std::cin, "standard input");
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail("58030", fmt::format("--input {}: it cannot be read", path));
    return read_all(file, path);
}

Result<std::vector<std::size_t>> parse_seasons(const std::string& text) {
    std::vector<std::size_t> seasons;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        std::size_t season = 0;
        const auto [end, error] = std::from_chars(text.data() + from, text.data() + to, season);
        if (error != std::errc() || end != text.data() + to || season < 2 || season > kCsvBucketsMax)
            return fail(
                "22023",
                fmt::format("--season {}: expected numbers of steps from 2 on, such as 24,168", text));
        seasons.push_back(season);
        from = to + 1;
    }
    std::ranges::sort(seasons);
    seasons.erase(std::ranges::unique(seasons).begin(), seasons.end());
    if (seasons.size() > 2) return fail("22023", fmt::format("--season {}: at most two seasons", text));
    return seasons;
}

Result<void> find_seasons(const ForecastArguments& arguments, Task& task) {
    if (!arguments.season.empty()) {
        auto seasons = parse_seasons(arguments.season);
        if (!seasons) return tl::unexpected(seasons.error());
        task.series.seasons = *std::move(seasons);
        return {};
    }
    task.series.seasons = guess_seasons(task.series);
    task.notes += task.series.seasons.empty()
                      ? "no season was found: give --season if there is one\n"
                      : fmt::format("seasons found: {} steps\n", fmt::join(task.series.seasons, ", "));
    return {};
}

Result<Task> prepare_task(const ForecastArguments& arguments) {
    Task task;
    task.name = arguments.input == "-" ? "standard input" : arguments.input;
    std::optional<std::int64_t> step_s;
    if (!arguments.step.empty()) {
        step_s = parse_step(arguments.step);
        if (!step_s)
            return fail("22023", fmt::format("--step {}: expected a duration such as 30s, 5m, 1h, 1d",
                                             arguments.step));
    }
    auto text = read_input(arguments.input);
    if (!text) return tl::unexpected(text.error());
    auto csv = read_series_csv(*text, task.name, step_s);
    if (!csv) return tl::unexpected(csv.error());
    for (const std::string& repair : csv->repairs) task.notes += repair + "\n";
    task.series = std::move(csv->series);
    if (!step_s) task.notes += fmt::format("step found: {} s\n", task.series.step_s);
    if (auto found = find_seasons(arguments, task); !found) return tl::unexpected(found.error());
    task.horizon = arguments.horizon > 0          ? arguments.horizon
                   : !task.series.seasons.empty() ? task.series.seasons.front()
                                                  : kHorizonUsual;
    if (task.horizon > kHorizonMax)
        return fail("22023", fmt::format("--horizon {}: at most {}", task.horizon, kHorizonMax));
    task.model = arguments.model;
    if (!arguments.holidays.empty()) {
        auto calendar = read_holidays(arguments.holidays);
        if (!calendar) return tl::unexpected(calendar.error());
        task.calendar = *std::move(calendar);
    }
    return task;
}

Result<void> write_plot(const std::string& path, const std::string& svg) {
    std::ofstream file(path, std::ios::binary);
    file << svg;
    file.close();
    if (!file) return fail("58030", fmt::format("--plot {}: it cannot be written", path));
    return {};
}

std::string number(double value) {
    return fmt::format("{:.{}f}", value, value < 1 ? 6 : 3);
}

AutomaticOptions options_of(const Task& task) {
    AutomaticOptions options;
    options.fit.calendar = &task.calendar;
    options.fit.horizon_max = task.horizon;
    options.model = task.model;
    return options;
}

Result<std::string> run_forecast(const Task& task, const std::string& plot) {
    const auto chosen = Automatic::choose(task.series, options_of(task));
    if (!chosen) return fail(chosen.error().sqlstate, fmt::format("{}: {}", task.name, chosen.error().text));
    const Forecast forecast = chosen->forecast(task.horizon);
    std::string csv = "ts,point,lo95,hi95\n";
    for (std::size_t step = 0; step < task.horizon; ++step)
        csv += fmt::format("{},{},{},{}\n", format_time(task.series.time_of(task.series.size() + step)),
                           number(forecast.point[step]), number(forecast.lo95[step]),
                           number(forecast.hi95[step]));
    if (!plot.empty())
        if (auto written = write_plot(
                plot, plot_svg(task.series, forecast, {}, fmt::format("{}: {}", task.name, forecast.model)));
            !written)
            return tl::unexpected(written.error());
    return csv;
}

Result<std::string> run_backtest(const Task& task, const std::string& plot) {
    const auto report = backtest_report(task.series, options_of(task));
    if (!report) return fail(report.error().sqlstate, fmt::format("{}: {}", task.name, report.error().text));
    if (!plot.empty())
        if (auto written = write_plot(
                plot, plot_svg(first(task.series, report->last_origin), report->last, report->last_actual,
                               fmt::format("{}: {}", task.name, report->last.model)));
            !written)
            return tl::unexpected(written.error());
    return report->text;
}

}  // namespace

CommandOutput run_forecast_command(const ForecastArguments& arguments) {
    CommandOutput output;
    const auto task = prepare_task(arguments);
    if (!task) return {1, "", task.error().text + "\n"};
    auto done =
        arguments.backtest ? run_backtest(*task, arguments.plot) : run_forecast(*task, arguments.plot);
    if (!done) return {1, "", task->notes + done.error().text + "\n"};
    return {0, *std::move(done), task->notes};
}

}  // namespace warmfront::forecast
