// forecast/analogs.h: which keys of a template will be asked for in the time ahead: those that were, on days
// like this one (the method of analogues: Lorenz, "Atmospheric predictability as revealed by naturally
// occurring analogues", 1969).
//
// A day is an offset into the past by a whole number of cycles; where it is cut does not matter. Each day is
// weighed by what is known beforehand (the same day of the longer cycle counts most; a holiday looks at
// holidays, other days at others) and by how much the last hours resemble its hours. Days whose hours ahead
// resemble each other are one case; a further case is that none of them holds and all goes on as just now.
// Within a case requests are Poisson, of a rate that is known from its days only so well (Gamma posterior,
// with the mean shares of all cases for a prior that weighs kPriorDays, kPriorRequests at most): seen twice
// on one day is less certain than twice on each of ten.
//
// Bounds: kDays days, kHolidays earlier holidays, Options::keys_max keys, and counts_max counts of 8 bytes:
// a key's requests in a 1/kSlots of a cycle, or in resolution_s if that is longer. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "forecast/calendar.h"

namespace warmfront::forecast {

class Analogs {
public:
    static constexpr std::int64_t kDays = 15;
    static constexpr std::size_t kHolidays = 3;
    static constexpr std::int64_t kSlots = 96;
    static constexpr double kPriorDays = 0.25, kPriorRequests = 2;

    struct Options {
        std::int64_t cycle_s = 86'400;       // a day
        std::int64_t longer_s = 0;           // a week, a multiple of it; 0: nothing longer repeats
        std::int64_t resolution_s = 1;       // the steps are no shorter
        std::size_t keys_max = 2'000;        // further ones are not taken
        std::size_t counts_max = 4'000'000;  // alike
        Calendar calendar;                   // holidays; events of all tables are holidays as well
    };
    explicit Analogs(const Options& options);

    struct Step {
        std::int64_t begin_s = 0, step_s = 0;
        double requests = 0;
    };
    // Steps of a key: ascending, none before one that was added, none overlapping another. False if the key
    // is one too many.
    bool add(std::uint64_t key, std::span<const Step> steps);
    [[nodiscard]] const std::vector<std::uint64_t>& keys() const { return keys_; }
    // End of the last step of all; as given where there is none.
    [[nodiscard]] std::int64_t last_s(std::int64_t otherwise) const {
        return keys_.empty() ? otherwise : last_s_;
    }

    // The time ahead: [from_s, from_s + within_s), its beginning [from_s, from_s + soon_s), and how many
    // requests are forecast for either. What happened is known until known_s.
    struct Window {
        std::int64_t known_s = 0, from_s = 0;
        double within_s = 60, soon_s = 60;
        double requests = 0, requests_soon = 0;  // none: none are expected
    };
    struct Key {
        std::uint64_t key = 0;
        double requests = 0, requests_soon = 0;  // expected
        double chance = 0, chance_soon = 0;      // that it is asked for at all
    };
    // Keys with a chance of at least kChanceMin, in no order. Nothing before the first whole cycle is over.
    static constexpr double kChanceMin = 0.001;
    [[nodiscard]] std::vector<Key> ahead(const Window& window) const;

    // The days looked at from a time, in seconds before it; ascending.
    [[nodiscard]] std::vector<std::int64_t> days_before(std::int64_t time_s) const;

private:
    using Counts = std::vector<double>;  // by place of the key
    struct Count {
        std::uint32_t slot = 0;  // number since epoch_s_
        float requests = 0;
    };
    struct Day {
        std::int64_t before_s = 0;
        double weight = 0;
        Counts ahead;
    };
    struct Case {
        double probability = 0;
        double days = 0;           // that it is known from
        Counts ahead, ahead_soon;  // of one day
    };
    [[nodiscard]] const Span* holiday_at(std::int64_t time_s) const;
    [[nodiscard]] double recent_least_s() const;
    [[nodiscard]] Counts counts(double from_s, double to_s) const;
    [[nodiscard]] std::vector<Day> weigh(const Window& window, double& none) const;
    void weigh_beforehand(std::vector<Day>& days, std::int64_t target_s, double& none) const;
    void weigh_by_resemblance(std::vector<Day>& days, std::int64_t known_s, double& none) const;
    [[nodiscard]] std::vector<Case> cases(const Window& window) const;
    [[nodiscard]] static Counts mean_shares(const std::vector<Case>& all, Counts Case::*counted);
    [[nodiscard]] Case going_on(const Window& window, double probability) const;

    void count(std::vector<Count>& counts, const Step& step);

    Options options_;
    std::int64_t slot_s_ = 1;
    std::int64_t epoch_s_ = 0;  // set by the first step, kEpochCycles before it
    std::vector<std::uint64_t> keys_;
    std::unordered_map<std::uint64_t, std::size_t> places_;  // in keys_
    std::vector<std::vector<Count>> counts_;                 // of each key, ascending
    std::size_t counted_ = 0;                                // in all of them
    std::int64_t first_s_ = INT64_MAX, last_s_ = INT64_MIN;
};

}  // namespace warmfront::forecast
