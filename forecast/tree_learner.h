// forecast/tree_learner.h: trees on forecast/features.h, over one series or many.
//
// A direct forecast: how far ahead is an input like any other, so that one ensemble serves all horizons. The
// target is how far the load is off what its slot, days of its name and the damped present let expect; an
// ensemble of no trees at all still forecasts the season. Against over-fitting: the latest buckets are held
// back, boosting stops when they are forecast no better, and how many trees that took is what is grown on
// everything. Examples are sampled within a bound. Lives on one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "forecast/booster.h"
#include "forecast/damping.h"
#include "forecast/features.h"
#include "forecast/importance.h"

namespace warmfront::forecast {

class TreeLearner {
public:
    struct Options {
        Booster::Options trees;
        std::size_t horizon_max = 1;
        double held_back = 0.2;          // of each series' time, the latest
        bool grow_on_everything = true;  // again, once it is known how many trees are good; doubles the work
        std::uint64_t seed = 1;
    };
    explicit TreeLearner(const Options& options);

    // Adds up to `examples` (origin, target) pairs of the series, evenly over its time and over the horizons.
    // Returns how many: 0 where the series is shorter than its warm-up and one target.
    std::size_t sample(const Features& series, std::size_t examples);

    // Learns from what was sampled, which is then forgotten, but for the held back part (for importance()).
    // Fails with 22023 if that is fewer than kExamplesMin, or as Booster::train does.
    [[nodiscard]] Result<void> learn(const StopCheck& stop = {});
    static constexpr std::size_t kExamplesMin = 50;

    // On the series' scale: what comes 1 to `horizon` buckets after the last one of each series, one after
    // the other. After learn(). An infinite or missing prediction of a tree counts as 0.
    [[nodiscard]] Result<std::vector<float>> forecast(std::span<const Features* const> series,
                                                      std::size_t horizon) const;
    [[nodiscard]] Result<std::vector<float>> forecast(const Features& series, std::size_t horizon) const;

    // What the held back forecasts would lose without each group of features.
    [[nodiscard]] Result<std::vector<Importance>> importance() const;

    [[nodiscard]] std::size_t rounds() const { return rounds_; }
    [[nodiscard]] std::size_t rounds_made() const { return rounds_made_; }

private:
    void subtract_damping(Rows& rows) const;
    // What row i lets expect without trees, over the season's mean up to the origin; and the damped part of
    // it.
    [[nodiscard]] double expected_over_level(const Rows& rows, std::size_t i) const;
    [[nodiscard]] double damped(const Rows& rows, std::size_t i) const;
    [[nodiscard]] Result<void> grow(const StopCheck& stop);

    Options options_;
    Damping damping_;
    Rows train_, held_back_;
    std::optional<Booster> trees_,
        judged_;  // judged_: has not seen what was held back; empty: trees_ has not
    std::uint64_t sampled_ = 0;
    std::size_t rounds_ = 0, rounds_made_ = 0;
};

}  // namespace warmfront::forecast
