// How well the automatic choice forecasts: rolling origins over the last part of each series of a directory,
// beside every single model and, where given, forecasts that others made at the same origins.
//
//   forecast_accuracy DIRECTORY [--origins N] [--from SHARE] [--others FILE]... [--only SERIES] [--models
//   A,B]
//
// DIRECTORY holds index.csv (heading "name,step_s,season,season2,n"; a season of 0: none) and NAME.csv for
// each name (heading "ts,value"). --others: lines "series,method,origin,h,point,lo95,hi95" with a heading;
// origin is the number of buckets known, h counts from 1.
//
// MASE at h: the mean absolute error of the steps 1 to h, divided by that of the seasonal naive forecast
// (first season of index.csv) within what comes before the first origin.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "forecast/automatic.h"
#include "forecast/backtest.h"
#include "forecast/prepare.h"
#include "forecast/roster.h"
#include "forecast/score.h"
#include "forecast/series_csv.h"

using namespace warmfront::forecast;

namespace {

constexpr std::string_view kAutomatic = "auto";

[[noreturn]] void die(const std::string& why) {
    fmt::print(stderr, "forecast_accuracy: {}\n", why);
    std::exit(1);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) die(fmt::format("cannot read {}", path));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> split(const std::string& line, char by) {
    std::vector<std::string> parts;
    std::istringstream stream(line);
    for (std::string part; std::getline(stream, part, by);) parts.push_back(part);
    return parts;
}

struct Named {
    std::string name;
    Series series;
    std::size_t season = 1;
};

// What one forecaster said at one origin.
struct Said {
    std::vector<double> point, lo, hi;
};
using ByOrigin = std::map<std::size_t, Said>;

struct Measured {
    std::vector<double> mase, coverage, pinball;  // at each horizon
    std::vector<double> peak_height, peak_place;  // one an origin
    double cpu_ms_max = 0;
};

struct Arguments {
    std::string directory;
    std::size_t origins = 24;
    double from = 0.8;
    std::vector<std::string> others, models;
    std::string only;
};

Arguments parse(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string flag = argv[i];
        if (!flag.starts_with("--")) {
            arguments.directory = flag;
            continue;
        }
        if (++i == argc) die(flag + ": expected a value");
        if (flag == "--origins")
            arguments.origins = std::strtoul(argv[i], nullptr, 10);
        else if (flag == "--from")
            arguments.from = std::strtod(argv[i], nullptr);
        else if (flag == "--others")
            arguments.others.emplace_back(argv[i]);
        else if (flag == "--only")
            arguments.only = argv[i];
        else if (flag == "--models")
            arguments.models = split(argv[i], ',');
        else
            die(flag + ": expected a known flag");
    }
    if (arguments.directory.empty()) die("expected a directory");
    return arguments;
}

std::vector<Named> load(const Arguments& arguments) {
    std::vector<Named> all;
    std::istringstream index(read_file(arguments.directory + "/index.csv"));
    std::string line;
    std::getline(index, line);
    while (std::getline(index, line)) {
        const auto cells = split(line, ',');
        if (cells.size() < 4) die("index.csv: expected name,step_s,season,season2");
        if (!arguments.only.empty() && cells[0] != arguments.only) continue;
        auto csv = read_series_csv(read_file(arguments.directory + "/" + cells[0] + ".csv"), cells[0],
                                   std::strtol(cells[1].c_str(), nullptr, 10));
        if (!csv) die(csv.error().text);
        Named named{cells[0], std::move(csv->series), 1};
        for (const int column : {2, 3})
            if (const auto season =
                    std::strtoul(cells[static_cast<std::size_t>(column)].c_str(), nullptr, 10);
                season > 1)
                named.series.seasons.push_back(season);
        if (!named.series.seasons.empty()) named.season = named.series.seasons.front();
        all.push_back(std::move(named));
    }
    return all;
}

std::map<std::string, std::map<std::string, ByOrigin>> load_others(const std::vector<std::string>& files) {
    std::map<std::string, std::map<std::string, ByOrigin>> others;  // series, method
    for (const std::string& file : files) {
        std::istringstream lines(read_file(file));
        std::string line;
        std::getline(lines, line);
        while (std::getline(lines, line)) {
            const auto cells = split(line, ',');
            if (cells.size() < 7) die(file + ": expected series,method,origin,h,point,lo95,hi95");
            Said& said = others[cells[0]][cells[1]][std::strtoul(cells[2].c_str(), nullptr, 10)];
            said.point.push_back(std::strtod(cells[4].c_str(), nullptr));
            said.lo.push_back(std::strtod(cells[5].c_str(), nullptr));
            said.hi.push_back(std::strtod(cells[6].c_str(), nullptr));
        }
    }
    return others;
}

ByOrigin run(const Named& named, const std::string& model, const std::vector<Origin>& origins,
             double& cpu_ms_max) {
    ByOrigin by_origin;
    for (const Origin& origin : origins) {
        const double begun = thread_cpu_s();
        AutomaticOptions options;
        options.model = model;
        options.fit.horizon_max = origin.horizon;
        const auto chosen = Automatic::choose(first(named.series, origin.bucket), options);
        if (!chosen && model != kAutomatic) return {};  // this model has nothing to say of this series
        if (!chosen) die(fmt::format("{}: {}", named.name, chosen.error().text));
        const Forecast forecast = chosen->forecast(origin.horizon);
        cpu_ms_max = std::max(cpu_ms_max, 1e3 * (thread_cpu_s() - begun));
        by_origin[origin.bucket] = {forecast.point, forecast.lo95, forecast.hi95};
    }
    return by_origin;
}

Measured measure(const Named& named, const std::vector<std::size_t>& horizons,
                 const std::vector<Origin>& origins, const ByOrigin& by_origin) {
    Measured measured;
    const double scale =
        naive_scale(std::span(named.series.values).first(origins.front().bucket), named.season);
    for (const std::size_t horizon : horizons) {
        std::vector<double> actual, point, lo, hi;
        for (const auto& [bucket, said] : by_origin)
            for (std::size_t step = 0; step < horizon; ++step) {
                actual.push_back(actual_of(named.series, {bucket, horizon}, step));
                point.push_back(said.point[step]);
                lo.push_back(said.lo[step]);
                hi.push_back(said.hi[step]);
            }
        measured.mase.push_back(mae(actual, point) / scale);
        measured.coverage.push_back(coverage(actual, lo, hi));
        measured.pinball.push_back(
            (pinball(actual, lo, 0.025) + pinball(actual, point, 0.5) + pinball(actual, hi, 0.975)) / 3 /
            scale);
    }
    for (const auto& [bucket, said] : by_origin) {
        std::size_t peak = 0, there = 0;
        double height = -1;
        for (std::size_t step = 0; step < named.season; ++step) {
            const double actual = actual_of(named.series, {bucket, 1}, step);
            if (actual > height) height = actual, there = step;
            if (said.point[step] > said.point[peak]) peak = step;
        }
        if (height <= 0) continue;
        measured.peak_height.push_back(std::abs(said.point[peak] - height) / height);
        measured.peak_place.push_back(std::abs(static_cast<double>(peak) - static_cast<double>(there)));
    }
    return measured;
}

double geometric_mean(const std::vector<double>& ratios) {
    double sum = 0;
    for (const double ratio : ratios) sum += std::log(ratio);
    return std::exp(sum / static_cast<double>(ratios.size()));
}

// The lines of one series and horizon in both tables.
struct Lines {
    std::string mase, quality;
};

using Rows = std::vector<std::pair<std::string, Measured>>;

Lines lines_of(const std::string& name, std::size_t horizon, std::size_t at,
               const std::vector<std::string>& models, const Rows& own, const Rows& others) {
    Lines lines;
    lines.mase = fmt::format("| {} | {} |", name, horizon);
    for (const std::string& model : models) {
        const auto found = std::ranges::find(own, model, &Rows::value_type::first);
        lines.mase += found == own.end() ? " - |" : fmt::format(" {:.3f} |", found->second.mase[at]);
    }
    const auto mase_at = [at](const auto& row) { return row.second.mase[at]; };
    const auto pinball_at = [at](const auto& row) { return row.second.pinball[at]; };
    const auto best = std::ranges::min_element(others, {}, mase_at);
    const auto sharpest = std::ranges::min_element(others, {}, pinball_at);
    lines.mase +=
        best == others.end() ? "" : fmt::format(" {:.3f} ({}) |", best->second.mase[at], best->first);
    const Measured& ours = own.front().second;
    lines.quality = fmt::format("| {} | {} | {:.1f} % | {:.4f} |", name, horizon, 100 * ours.coverage[at],
                                ours.pinball[at]);
    if (sharpest != others.end())
        lines.quality += fmt::format(" {:.4f} ({}) |", sharpest->second.pinball[at], sharpest->first);
    lines.quality += fmt::format(" {:.1f} % | {:.1f} | {:.1f} |\n", 100 * median(ours.peak_height),
                                 median(ours.peak_place), ours.cpu_ms_max);
    return lines;
}

Rows rows_of_others(const Named& named, const std::map<std::string, ByOrigin>& by_method,
                    const std::vector<std::size_t>& horizons, const std::vector<Origin>& origins) {
    Rows rows;
    for (const auto& [method, by_origin] : by_method) {
        ByOrigin same;
        for (const Origin& origin : origins)
            if (by_origin.contains(origin.bucket)) same[origin.bucket] = by_origin.at(origin.bucket);
        if (same.size() == origins.size()) rows.emplace_back(method, measure(named, horizons, origins, same));
    }
    return rows;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

std::string heading(const std::vector<std::string>& columns) {
    std::string rule = "|";
    for (std::size_t i = 0; i < columns.size(); ++i) rule += "---|";
    return fmt::format("| {} |\n{}\n", fmt::join(columns, " | "), rule);
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments = parse(argc, argv);
    const auto others = load_others(arguments.others);
    std::vector<std::string> models{std::string(kAutomatic)};
    if (arguments.models.empty())
        for (const RosterEntry& entry : roster()) models.emplace_back(entry.name);
    else
        models.insert(models.end(), arguments.models.begin(), arguments.models.end());

    std::vector<std::string> columns{"series", "steps"};
    columns.insert(columns.end(), models.begin(), models.end());
    if (!others.empty()) columns.emplace_back("best other");
    fmt::print("{}", heading(columns));
    std::string quality, summary;
    std::map<std::string, std::vector<double>> covered, ratios, pinballs;
    for (const Named& named : load(arguments)) {
        const std::size_t longest = std::max<std::size_t>(12, named.season), size = named.series.size();
        const std::vector<std::size_t> horizons{1, 12, named.season};
        const auto from = static_cast<std::size_t>(std::floor(arguments.from * static_cast<double>(size)));
        const auto origins = spread_origins(from, size - longest, arguments.origins, longest);
        if (origins.empty())
            die(fmt::format("{}: its last part is shorter than the longest horizon: lower --from",
                            named.name));
        Rows own, compared;
        for (const std::string& model : models) {
            double cpu_ms = 0;
            const ByOrigin by_origin = run(named, model, origins, cpu_ms);
            if (by_origin.empty()) continue;
            own.emplace_back(model, measure(named, horizons, origins, by_origin));
            own.back().second.cpu_ms_max = cpu_ms;
        }
        if (const auto found = others.find(named.name); found != others.end())
            compared = rows_of_others(named, found->second, horizons, origins);
        for (std::size_t at = 0; at < horizons.size(); ++at) {
            const Lines lines = lines_of(named.name, horizons[at], at, models, own, compared);
            fmt::print("{}\n", lines.mase);
            quality += lines.quality;
            const std::string place =
                at == 2 ? "one season" : fmt::format("{} step{}", horizons[at], horizons[at] == 1 ? "" : "s");
            const Measured& ours = own.front().second;
            covered[place].push_back(ours.coverage[at]);
            if (compared.empty()) continue;
            double mase = INFINITY, loss = INFINITY;
            for (const auto& [method, measured] : compared) {
                mase = std::min(mase, measured.mase[at]);
                loss = std::min(loss, measured.pinball[at]);
            }
            ratios[place].push_back(ours.mase[at] / mase);
            pinballs[place].push_back(ours.pinball[at] / loss);
        }
    }
    columns = {"series", "steps", "in 95 %", "pinball"};
    if (!others.empty()) columns.emplace_back("best other");
    columns.insert(columns.end(), {"peak height off", "peak steps off", "CPU ms at most"});
    fmt::print("\n{}{}\n", heading(columns), quality);
    for (const auto& [place, shares] : covered)
        fmt::print("- {}: the 95 % interval held {:.1f} % in the mean, {:.1f} % of the worst series\n", place,
                   100 * mean(shares), 100 * *std::ranges::min_element(shares));
    for (const auto& [place, each] : ratios)
        fmt::print(
            "- {}: MASE by that of the best other of each series, geometric mean {:.3f}; pinball {:.3f}\n",
            place, geometric_mean(each), geometric_mean(pinballs[place]));
}
