#include "forecast/global_trees.h"

#include <algorithm>
#include <cmath>

namespace warmfront::forecast {
namespace {

constexpr std::size_t kExamplesOfOneMin = 4;
constexpr std::size_t kRowsAtOnce = 65'536;  // forecast in one go: 8 MiB of inputs

TreeLearner::Options options_of(const GlobalTrees::Options& options) {
    TreeLearner::Options learning;
    learning.trees.rounds_max = 150;
    learning.trees.patience = 10;
    learning.trees.depth = 6;
    learning.trees.learning_rate = 0.12;
    learning.trees.rows_min = 30;
    learning.horizon_max = options.horizon_max;
    learning.grow_on_everything = options.grow_on_everything;
    learning.seed = options.seed;
    return learning;
}

bool is_known(double value) {
    return !std::isnan(value);
}

}  // namespace

GlobalTrees::GlobalTrees(const Options& options) : options_(options), learner_(options_of(options)) {}

GlobalTrees::Prepared GlobalTrees::prepare(const Series& series, const Calendar* calendar) {
    const LoadScale scale{std::span<const double>(series.values)};
    Features::Shape shape = Features::shape_of(series, calendar);
    shape.typical = scale.typical();
    Features features(shape);
    features.reserve(series.size());
    for (const double value : series.values) features.append(is_known(value) ? scale.forward(value) : value);
    return {scale, std::move(features)};
}

void GlobalTrees::sample(const Series& series, std::size_t of) {
    const std::size_t share = options_.examples_max / std::max<std::size_t>(of, 1);
    sample_some(series, std::max(share, kExamplesOfOneMin));
}

void GlobalTrees::sample_some(const Series& series, std::size_t examples) {
    const Prepared prepared = prepare(series, options_.calendar);
    learner_.sample(prepared.features, std::min(examples, 2 * series.size()));
}

Result<void> GlobalTrees::learn() {
    return learner_.learn(options_.stop);
}

Result<void> GlobalTrees::fit(std::span<const Series> series) {
    // Beyond the bound not every series can give an example: evenly spread ones do.
    const std::size_t most = std::max<std::size_t>(options_.examples_max / kExamplesOfOneMin, 1);
    const std::size_t stride = (series.size() + most - 1) / most;
    for (std::size_t i = 0; i < series.size(); i += std::max<std::size_t>(stride, 1)) {
        if (options_.stop && options_.stop()) return fail("57014", "the growing of trees was stopped");
        sample(series[i], std::min(series.size(), most));
    }
    return learn();
}

Result<std::vector<std::vector<double>>> GlobalTrees::forecast(std::span<const Series> series,
                                                               std::size_t horizon) const {
    std::vector<std::vector<double>> forecasts(series.size());
    std::vector<Prepared> prepared;
    std::vector<std::size_t> places;
    const auto flush = [&]() -> Result<void> {
        std::vector<const Features*> features;
        features.reserve(prepared.size());
        for (const Prepared& one : prepared) features.push_back(&one.features);
        const auto scaled = learner_.forecast(features, horizon);
        if (!scaled) return tl::unexpected(scaled.error());
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t h = 0; h < horizon; ++h)
                forecasts[places[i]].push_back(
                    prepared[i].scale.back(static_cast<double>((*scaled)[i * horizon + h])));
        prepared.clear();
        places.clear();
        return {};
    };
    for (std::size_t i = 0; i < series.size(); ++i) {
        if (series[i].size() < 2 || std::ranges::none_of(series[i].values, is_known)) continue;
        prepared.push_back(prepare(series[i], options_.calendar));
        places.push_back(i);
        if (places.size() * horizon < kRowsAtOnce) continue;
        if (auto done = flush(); !done) return tl::unexpected(done.error());
    }
    if (!places.empty())
        if (auto done = flush(); !done) return tl::unexpected(done.error());
    return forecasts;
}

}  // namespace warmfront::forecast
