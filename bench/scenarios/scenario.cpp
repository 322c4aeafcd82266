#include "bench/scenarios/scenario.h"

#include <algorithm>
#include <cmath>

namespace warmfront::bench {
namespace {

constexpr double kHours = 24;
constexpr int kBurstRate = 10;

// Zipf's law with exponent 0.8 by the inverse of its continuous form.
int zipf(int count, test::Random& random) {
    constexpr double kTheta = 0.8;
    const double u = static_cast<double>(random.below(1U << 30)) / (1U << 30);
    const double top = std::pow(static_cast<double>(count), 1 - kTheta);
    return std::min(count - 1, static_cast<int>(std::pow(u * (top - 1) + 1, 1 / (1 - kTheta))) - 1);
}

// The same for the same phase of the same day, whoever asks.
bool bursts(const Scenario& scenario, int day, std::size_t phase) {
    if (scenario.burst_chance == 0) return false;
    test::Random random(static_cast<std::uint64_t>(day) * 1009 + phase * 7 + 3);
    return random.below(1000) < static_cast<std::uint64_t>(scenario.burst_chance * 1000);
}

int set_of(const Now& now) {
    return now.burst ? 50 + now.day % 40 : now.phase.hot_set;
}

}  // namespace

const Program& Scenario::program_of(int day) const {
    const auto other = other_days.find(day);
    const int number =
        other != other_days.end() ? other->second : week[static_cast<std::size_t>(day) % week.size()];
    return programs[static_cast<std::size_t>(number)];
}

Now at(const Scenario& scenario, double time_s) {
    Now now;
    now.day = static_cast<int>(time_s / scenario.day_s);
    const double hour_s = scenario.day_s / kHours, midnight_s = now.day * scenario.day_s;
    const Program& program = scenario.program_of(now.day);
    std::size_t number = 0;
    while (number + 1 < program.size() && time_s >= midnight_s + program[number + 1].from_hour * hour_s)
        ++number;
    now.phase = program[number];
    now.phase_from_s = midnight_s + now.phase.from_hour * hour_s;
    now.phase_to_s =
        midnight_s + (number + 1 < program.size() ? program[number + 1].from_hour : kHours) * hour_s;
    now.burst = bursts(scenario, now.day, number);
    return now;
}

int draw(const Scenario& scenario, const Now& now, test::Random& random) {
    if (random.below(10'000) < static_cast<std::uint64_t>(scenario.noise * 10'000))
        return static_cast<int>(random.below(static_cast<std::uint64_t>(scenario.rows)));
    return rows_of(scenario, now)[static_cast<std::size_t>(zipf(scenario.set_rows, random))];
}

std::vector<int> rows_of(const Scenario& scenario, const Now& now) {
    std::vector<int> rows(static_cast<std::size_t>(scenario.set_rows));
    for (int i = 0; i < scenario.set_rows; ++i)
        rows[static_cast<std::size_t>(i)] = (set_of(now) * scenario.set_rows + i) % scenario.rows;
    return rows;
}

double rate_of(const Now& now) {
    return now.phase.rate * (now.burst ? kBurstRate : 1);
}

std::vector<double> rises(const Scenario& scenario, int first_day) {
    std::vector<double> found;
    for (double time_s = first_day * scenario.day_s; time_s < scenario.length_s();) {
        const Now now = at(scenario, time_s);
        const Now before = at(scenario, std::max(0.0, now.phase_from_s - 0.001));
        const bool rises = rate_of(now) > rate_of(before) || set_of(now) != set_of(before);
        if (rises && now.phase_from_s > 0) found.push_back(now.phase_from_s);
        time_s = now.phase_to_s + 0.001;
    }
    return found;
}

bool seen_before(const Scenario& scenario, int day) {
    for (int before = 0; before < day; ++before)
        if (&scenario.program_of(before) == &scenario.program_of(day)) return true;
    return false;
}

const std::vector<Scenario>& all_scenarios() {
    static const Program workday{{0, 20, 0}, {8, 200, 1}, {12, 300, 2}, {17, 250, 3}, {22, 20, 0}};
    static const Program weekend{{0, 20, 0}, {10, 350, 4}, {16, 400, 5}, {23, 20, 0}};
    static const Program holiday{{0, 20, 0}, {9, 450, 6}, {15, 400, 5}, {23, 20, 0}};
    static const Program office{{0, 5, 0}, {8.5, 250, 7}, {12, 120, 7}, {13, 250, 8}, {17.5, 5, 0}};
    static const Program closed{{0, 5, 0}};
    static const Program newsroom{{0, 30, 0}, {6, 80, 9}, {9, 60, 10}, {12, 80, 11}, {18, 100, 12}};
    static const std::string read = "SELECT id, author, body FROM comments WHERE id = $1";
    static const std::vector<Scenario> scenarios{
        {.name = "shop",
         .tells = "comments of a shop: hot products change with the hour, weekends and holidays are busier",
         .read = read,
         .days = 16,
         .programs = {workday, weekend, holiday},
         .week = {0, 0, 0, 0, 0, 1, 1},
         .other_days = {{3, 2}, {10, 2}, {14, 2}},
         .holidays = {3, 10, 14}},
        {.name = "support",
         .tells =
             "a support desk: customers' files in working hours, nearly nothing at night and on weekends",
         .read = read,
         .days = 9,
         .programs = {office, closed},
         .week = {0, 0, 0, 0, 0, 1, 1}},
        {.name = "news",
         .tells = "sentiment of the news: bursts that nobody can foresee, of which the alarm tells",
         .read = read,
         .days = 9,
         .programs = {newsroom},
         .week = {0, 0, 0, 0, 0, 0, 0},
         .burst_chance = 0.08},
    };
    return scenarios;
}

}  // namespace warmfront::bench
