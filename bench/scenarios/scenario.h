// bench/scenarios/scenario.h: loads in compressed time: what is asked of an application's database, and when.
//
// A "day" lasts seconds. Its program is a list of phases; each asks for the rows of one hot set, drawn with
// Zipf's law, at a steady rate, and now and then for any row at all. Weekends, holidays and single days may
// have programs of their own. Nothing of this is known to warmfront but the length of day and week, and the
// holidays, as they are known to the user of a real one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/live/twin/random.h"

namespace warmfront::bench {

struct Phase {
    double from_hour = 0;  // until the next phase's, or midnight
    double rate = 0;       // requests a second
    int hot_set = 0;       // see Scenario::rows_of()
};

// What happens in a day, ascending, the first at hour 0.
using Program = std::vector<Phase>;

struct Scenario {
    std::string name, tells;  // one word; one sentence
    std::string read;         // a statement with one parameter, the row's number
    double day_s = 120;
    int days = 8;
    std::vector<Program> programs;
    std::vector<int> week;               // program of each day of the week
    std::map<int, int> other_days = {};  // day, counted from the first -> program
    std::vector<int> holidays = {};      // days that warmfront is told of
    double burst_chance = 0;             // that a phase brings a rush that nobody could foresee
    int set_rows = 250;                  // rows of a hot set
    int rows = 100'000;                  // rows of the table
    double noise = 0.01;                 // share of requests for any row

    [[nodiscard]] const Program& program_of(int day) const;
    [[nodiscard]] double length_s() const { return day_s * days; }
};

// What a scenario does at a time, in seconds since its beginning.
struct Now {
    int day = 0;
    Phase phase;
    double phase_from_s = 0, phase_to_s = 0;
    bool burst = false;  // ten times the rate, the rows of a set that was never hot
};
[[nodiscard]] Now at(const Scenario& scenario, double time_s);

// The row of the next request.
[[nodiscard]] int draw(const Scenario& scenario, const Now& now, test::Random& random);
// All rows of the phase's hot set, the most asked for first.
[[nodiscard]] std::vector<int> rows_of(const Scenario& scenario, const Now& now);
[[nodiscard]] double rate_of(const Now& now);

// Begins of phases with a higher rate or another hot set than before, from `first_day` on.
[[nodiscard]] std::vector<double> rises(const Scenario& scenario, int first_day);

// Whether a day before had the same program: otherwise nobody can know what it brings.
[[nodiscard]] bool seen_before(const Scenario& scenario, int day);

[[nodiscard]] const std::vector<Scenario>& all_scenarios();

}  // namespace warmfront::bench
