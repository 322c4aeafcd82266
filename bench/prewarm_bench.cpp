// What prewarming is worth, end to end, in compressed time: a "day" lasts two minutes.
//
//   build: ninja prewarm_bench; run: build/prewarm_bench [scenario] [days] [directory]
//
// Three warmfronts in front of one PostgreSQL get the same load at the same time: one without forecasts, one
// that forecasts and prewarms, and an oracle's: one without forecasts to which the load generator itself
// reads, a second before each rise, all that will be asked. The directory gets a table and a chart.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <thread>

#include <fmt/format.h>

#include "bench/scenarios/report.h"

using namespace warmfront::bench;
using namespace warmfront::test;

namespace {

constexpr std::string_view kCache = "cache: {ttl: 30s, memory: 64MiB}\n";
constexpr int kFirstDay = 2;  // from the third day on

std::string iso(std::int64_t time_s) {
    const std::time_t time = time_s;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// What the user of such a shop would write: the length of its day and week, its holidays.
std::string forecasting(const Scenario& scenario, std::int64_t begin_s) {
    const auto day = static_cast<std::int64_t>(scenario.day_s);
    std::string holidays;
    for (const int number : scenario.holidays)
        holidays += fmt::format("{}{}..{}", holidays.empty() ? "" : ", ", iso(begin_s + number * day),
                                iso(begin_s + (number + 1) * day));
    return fmt::format(
        "forecast:\n  bucket: 1s\n  seasons: [{}s, {}s]\n  horizon: 40s\n  retrain: 20s\n  keys: 4000\n"
        "  holidays: [{}]\nprewarm: {{lead: 2s, rate: 400}}\n",
        day, 7 * day, holidays);
}

void lay(const PostgresServer& server, const Scenario& scenario) {
    server.sql("CREATE TABLE comments (id int PRIMARY KEY, author text NOT NULL, body text NOT NULL)");
    server.sql(
        fmt::format("INSERT INTO comments SELECT i, 'author ' || i % 977, repeat(md5(i::text), 8) FROM "
                    "generate_series(0, {}) i; ANALYZE comments",
                    scenario.rows - 1));
}

const Scenario& scenario_named(std::string_view name) {
    for (const auto& scenario : all_scenarios())
        if (scenario.name == name) return scenario;
    std::fprintf(stderr, "prewarm_bench: expected one of");
    for (const auto& scenario : all_scenarios()) std::fprintf(stderr, " %s", scenario.name.c_str());
    std::fprintf(stderr, ", found \"%s\"\n", std::string(name).c_str());
    std::exit(2);
}

void write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    std::printf("wrote %s\n", path.c_str());
}

// Lines of a scrape that tell of forecasts and what came of them.
std::string forecast_lines(const std::string& metrics) {
    std::string text;
    for (std::size_t at = 0; at < metrics.size();) {
        const auto end = std::min(metrics.find('\n', at), metrics.size());
        const auto line = metrics.substr(at, end - at);
        if (line.starts_with("warmfront_prewarm") || line.starts_with("warmfront_forecast") ||
            line.starts_with("warmfront_alarm") || line.starts_with("warmfront_history"))
            text += line + "\n";
        at = end + 1;
    }
    return text;
}

}  // namespace

int main(int count, char** arguments) {
    Scenario scenario = scenario_named(count > 1 ? arguments[1] : "shop");
    if (count > 2) scenario.days = std::atoi(arguments[2]);
    const std::string directory = count > 3 ? arguments[3] : ".";
    const PostgresServer server({.settings = {"synchronous_commit=off", "autovacuum=off"}});
    lay(server, scenario);

    // Everybody begins with a whole second.
    const auto begin_s = static_cast<std::int64_t>(std::time(nullptr)) + 8;
    const std::string off =
        std::string(kCache) + "forecast.enabled: off\nprewarm.enabled: off\nnext_query.enabled: off\n";
    const WarmfrontProcess without(server, {.settings = off});
    const WarmfrontProcess with(server, {.settings = std::string(kCache) + forecasting(scenario, begin_s)});
    const WarmfrontProcess oracle(server, {.settings = off});
    const double wall_s =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double origin_s = steady_s() + static_cast<double>(begin_s) - wall_s;

    std::printf("%s: %s; %d days of %.0f s\n", scenario.name.c_str(), scenario.tells.c_str(), scenario.days,
                scenario.day_s);
    std::fflush(stdout);
    std::vector<warmfront::bench::Outcome> outcomes(3);
    {
        const auto run = [&](std::size_t number, const WarmfrontProcess& warmfront, const char* name) {
            return std::jthread([&, number, name] {
                outcomes[number] = run_load(scenario, warmfront,
                                            {.name = name,
                                             .end_s = scenario.length_s(),
                                             .oracle = number == 2,
                                             .origin_s = origin_s});
            });
        };
        const auto first = run(0, without, "without"), second = run(1, with, "prewarm"),
                   third = run(2, oracle, "oracle");
    }
    const std::string table =
        "From the third day on:\n\n" + table_of(scenario, outcomes, {.first = kFirstDay}) +
        "\nWithout the days that are the first of their kind, of which nobody can know:\n\n" +
        table_of(scenario, outcomes, {.first = kFirstDay, .seen_before = true});
    std::fputs(table.c_str(), stdout);
    std::fputs(forecast_lines(outcomes[1].metrics).c_str(), stdout);
    write(directory + "/" + scenario.name + ".md", table);
    write(directory + "/" + scenario.name + ".svg", chart_of(scenario, outcomes, 2));
    return 0;
}
