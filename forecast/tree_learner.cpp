#include "forecast/tree_learner.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace warmfront::forecast {
namespace {

constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
constexpr double kTargetMax = 5;  // on the log scale: further off is an outlier to learn from only so far

// Evenly over [0, 1) without a period that a season could share (Weyl's sequence).
double spread(std::uint64_t i) {
    return static_cast<double>((i * kMix) >> 11) * 0x1p-53;
}

// Half of the examples within the next few buckets, where the present counts; the rest evenly to the end.
std::size_t ahead_of(std::uint64_t i, std::size_t horizon_max) {
    const double at = spread(i);
    const double share = i % 2 == 0 ? at * at * at : at;
    return 1 + static_cast<std::size_t>(share * static_cast<double>(horizon_max));
}

std::vector<ColumnGroup> column_groups() {
    std::vector<ColumnGroup> groups(kFeatureGroups);
    const auto& table = feature_table();
    for (std::size_t i = 0; i < table.size(); ++i) {
        ColumnGroup& group = groups[static_cast<std::size_t>(table[i].group)];
        group.name = name_of(table[i].group);
        group.columns.push_back(i);
    }
    return groups;
}

}  // namespace

TreeLearner::TreeLearner(const Options& options) : options_(options), damping_(options.horizon_max) {
    train_.columns = held_back_.columns = kFeatures;
    sampled_ = options.seed * 7'919;
}

std::size_t TreeLearner::sample(const Features& series, std::size_t examples) {
    const std::size_t begin = series.warm_up(), size = series.size();
    if (size < begin + 2) return 0;
    const std::size_t origins = size - 1 - begin;
    const auto cut = static_cast<std::size_t>(static_cast<double>(size) * (1 - options_.held_back));
    std::size_t added = 0;
    for (std::size_t k = 0; k < examples; ++k) {
        const std::uint64_t i = sampled_++;
        const std::size_t reach = std::min(options_.horizon_max, origins);
        const std::size_t ahead = ahead_of(i, reach);
        const std::size_t room = size - ahead - begin;
        const auto origin =
            begin + static_cast<std::size_t>((static_cast<double>(k) + 0.5) / static_cast<double>(examples) *
                                             static_cast<double>(room));
        const std::size_t target = origin + ahead;
        if (target >= size || !series.known(target)) continue;
        const bool late = target >= cut;
        const double off = series.value(target) - series.base(origin, target);
        const double bounded = std::clamp(off, -kTargetMax, kTargetMax);
        if (!late) damping_.add(series.terms(origin, target), ahead, bounded);
        series.write(origin, target, (late ? held_back_ : train_).add(static_cast<float>(bounded)));
        ++added;
    }
    return added;
}

double TreeLearner::damped(const Rows& rows, std::size_t i) const {
    const float* row = rows.inputs.data() + i * rows.columns;
    Features::Terms terms{};
    std::copy_n(row, terms.size(), terms.begin());
    const double ahead = std::round(std::expm1(static_cast<double>(row[kAheadAt])));
    return damping_.expected(terms, static_cast<std::size_t>(ahead));
}

double TreeLearner::expected_over_level(const Rows& rows, std::size_t i) const {
    const float* row = rows.inputs.data() + i * rows.columns;
    double expected = static_cast<double>(row[kSlotAt]);
    for (const std::size_t effect : {kHolidayEffectAt, kEventEffectAt})
        if (!std::isnan(row[effect])) expected += static_cast<double>(row[effect]);
    return expected + damped(rows, i);
}

void TreeLearner::subtract_damping(Rows& rows) const {
    for (std::size_t i = 0; i < rows.size(); ++i) rows.targets[i] -= static_cast<float>(damped(rows, i));
}

Result<void> TreeLearner::learn(const StopCheck& stop) {
    if (train_.size() < kExamplesMin)
        return fail("22023",
                    "trees: the history is too short: no season and a half before what is held back");
    damping_.learn();
    subtract_damping(train_);
    subtract_damping(held_back_);
    auto grown = grow(stop);
    train_ = {};
    train_.columns = kFeatures;
    return grown;
}

Result<void> TreeLearner::grow(const StopCheck& stop) {
    Booster::Options trees = options_.trees;
    trees.seed = options_.seed;
    auto grown = Booster::train(train_, held_back_, trees, stop);
    if (!grown) return tl::unexpected(grown.error());
    rounds_ = grown->rounds();
    rounds_made_ = grown->rounds_made();
    trees_ = *std::move(grown);
    if (!options_.grow_on_everything || rounds_ == 0 || held_back_.size() == 0) return {};
    train_.inputs.insert(train_.inputs.end(), held_back_.inputs.begin(), held_back_.inputs.end());
    train_.targets.insert(train_.targets.end(), held_back_.targets.begin(), held_back_.targets.end());
    train_.weights.insert(train_.weights.end(), held_back_.weights.begin(), held_back_.weights.end());
    trees.rounds_max = trees.kind == Booster::Kind::Boosted ? rounds_ : trees.rounds_max;
    auto again = Booster::train(train_, {}, trees, stop);
    if (!again) return tl::unexpected(again.error());
    judged_ = std::exchange(trees_, *std::move(again));
    return {};
}

Result<std::vector<float>> TreeLearner::forecast(std::span<const Features* const> series,
                                                 std::size_t horizon) const {
    Rows rows;
    rows.columns = kFeatures;
    std::vector<float> expected;
    rows.inputs.reserve(series.size() * horizon * kFeatures);
    expected.reserve(series.size() * horizon);
    for (const Features* one : series) {
        const std::size_t origin = one->size() - 1;
        for (std::size_t ahead = 1; ahead <= horizon; ++ahead) {
            one->write(origin, origin + ahead, rows.add(0));
            expected.push_back(
                static_cast<float>(one->base(origin, origin + ahead) +
                                   damping_.expected(one->terms(origin, origin + ahead), ahead)));
        }
    }
    const auto predicted = trees_->predict(rows);
    if (!predicted) return tl::unexpected(predicted.error());
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (std::isfinite((*predicted)[i])) expected[i] += (*predicted)[i];
    return expected;
}

Result<std::vector<float>> TreeLearner::forecast(const Features& series, std::size_t horizon) const {
    const Features* one = &series;
    return forecast(std::span(&one, 1), horizon);
}

// Slots, days' effects and damping are inputs too: they are shuffled with their groups, and the whole
// forecast is judged, not the trees' part of it alone.
Result<std::vector<Importance>> TreeLearner::importance() const {
    const Booster& trees = judged_ ? *judged_ : *trees_;
    Rows rows = held_back_;
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows.targets[i] += static_cast<float>(expected_over_level(rows, i));
    const auto predict = [&](const Rows& shuffled) {
        auto predicted = trees.predict(shuffled);
        if (!predicted) return predicted;
        for (std::size_t i = 0; i < shuffled.size(); ++i)
            (*predicted)[i] += static_cast<float>(expected_over_level(shuffled, i));
        return predicted;
    };
    const auto groups = column_groups();
    return permutation_importance(rows, groups, predict, options_.seed);
}

}  // namespace warmfront::forecast
