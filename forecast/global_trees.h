// forecast/global_trees.h: one ensemble of boosted trees for many series.
//
// Each series is scaled by its own typical load, so that what was learnt from all of them holds for each (the
// winners of the M5 competition: Makridakis et al., 2022). A series that was not there when the trees grew is
// forecast as well, as long as it has a warm-up of its own. Lives on one thread at a time.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "forecast/load_scale.h"
#include "forecast/model.h"
#include "forecast/tree_learner.h"

namespace warmfront::forecast {

class GlobalTrees {
public:
    struct Options {
        std::size_t horizon_max = 24;
        std::size_t examples_max = 120'000;  // of all series together; some 125 bytes each
        const Calendar* calendar = nullptr;  // outlives this object
        std::uint64_t seed = 1;
        StopCheck stop{};
        bool grow_on_everything = true;  // TreeLearner::Options
    };
    explicit GlobalTrees(const Options& options);

    // Learns from all series that are long enough; others are left out. Fails with 22023 if that leaves too
    // little, with 57014 if it was stopped.
    [[nodiscard]] Result<void> fit(std::span<const Series> series);
    // The same one by one, for who cannot hold all series at once: sample() each, then learn(). `of` series
    // share the examples.
    void sample(const Series& series, std::size_t of);
    // Likewise with so many examples of it, whatever examples_max.
    void sample_some(const Series& series, std::size_t examples);
    [[nodiscard]] Result<void> learn();

    // What comes after each series, `horizon` buckets each, as Model::forecast says. Where a series is
    // shorter than two buckets, or holds no known value, its forecast is empty. Fails as XGBoost does.
    [[nodiscard]] Result<std::vector<std::vector<double>>> forecast(std::span<const Series> series,
                                                                    std::size_t horizon) const;
    [[nodiscard]] Result<std::vector<Importance>> importance() const { return learner_.importance(); }
    [[nodiscard]] const TreeLearner& learner() const { return learner_; }

    // A series on its own scale, ready for the trees.
    struct Prepared {
        LoadScale scale;
        Features features;
    };
    [[nodiscard]] static Prepared prepare(const Series& series, const Calendar* calendar);

private:
    Options options_;
    TreeLearner learner_;
};

}  // namespace warmfront::forecast
