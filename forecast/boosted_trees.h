// forecast/boosted_trees.h: regression trees on lags, slots and the calendar, for one series.
//
// Three kinds in one: boosted trees with early stopping, a random forest, a single tree; see
// forecast/tree_learner.h for how they learn and are kept from over-fitting. Stronger than linear models
// where effects meet ("mornings, but not on holidays"), and slower: a fit takes tens of milliseconds.
#pragma once

#include <optional>
#include <vector>

#include "forecast/load_scale.h"
#include "forecast/model.h"
#include "forecast/tree_learner.h"

namespace warmfront::forecast {

class BoostedTrees : public Model {
public:
    explicit BoostedTrees(Booster::Kind kind = Booster::Kind::Boosted) : kind_(kind) {}

    [[nodiscard]] std::string_view name() const override;  // "boosted-trees", "random-forest", "tree"
    // Needs 60 known values. Learns from the latest kBucketsLearnt buckets. FitOptions::calendar must outlive
    // the model.
    [[nodiscard]] Result<void> fit(const Series& series, const FitOptions& options) override;
    [[nodiscard]] std::vector<double> forecast(std::size_t horizon) const override;
    [[nodiscard]] bool extend(const std::vector<double>& values) override;

    // What drives this load, the most important first; judged on the part that was held back. After fit().
    [[nodiscard]] Result<std::vector<Importance>> importance() const { return learner_->importance(); }
    [[nodiscard]] const TreeLearner& learner() const { return *learner_; }  // after fit()

    static constexpr std::size_t kBucketsLearnt = 20'000;
    static constexpr std::size_t kExamples = 4'000;

private:
    Booster::Kind kind_;
    LoadScale scale_;
    std::optional<Features> features_;
    std::optional<TreeLearner> learner_;
};

// Fails with 22023 where the series holds what is no load (infinite, negative), a season below 2, or fewer
// than `known_min` known values; `who` is named in the text.
[[nodiscard]] Result<void> check_load(const Series& series, std::size_t known_min, std::string_view who);

}  // namespace warmfront::forecast
