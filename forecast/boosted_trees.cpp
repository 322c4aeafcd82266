#include "forecast/boosted_trees.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace warmfront::forecast {
namespace {

constexpr std::size_t kKnownMin = 60;

Booster::Options options_of(Booster::Kind kind) {
    Booster::Options options;
    options.kind = kind;
    if (kind == Booster::Kind::Boosted) {
        options.rounds_max = 120;
        options.depth = 4;
        options.patience = 8;
    } else if (kind == Booster::Kind::Forest) {
        options.rounds_max = 60;
        options.depth = 7;
        options.column_share = 0.5;
        options.rows_min = 10;
    } else {
        options.depth = 4;
        options.rows_min = 40;
    }
    return options;
}

}  // namespace

Result<void> check_load(const Series& series, std::size_t known_min, std::string_view who) {
    std::size_t known = 0;
    for (const double value : series.values) {
        if (std::isnan(value)) continue;
        ++known;
        if (std::isinf(value) || value < 0)
            return fail("22023", fmt::format("{}: expected loads, found {}", who, value));
    }
    for (const std::size_t season : series.seasons)
        if (season < 2) return fail("22023", fmt::format("{}: expected seasons of 2 steps or more", who));
    if (known >= known_min) return {};
    return fail("22023",
                fmt::format("{}: expected {} known values or more, found {}", who, known_min, known));
}

std::string_view BoostedTrees::name() const {
    switch (kind_) {
        case Booster::Kind::Boosted: return "boosted-trees";
        case Booster::Kind::Forest: return "random-forest";
        case Booster::Kind::Tree: return "tree";
    }
    return "";
}

Result<void> BoostedTrees::fit(const Series& series, const FitOptions& options) {
    if (auto sound = check_load(series, kKnownMin, name()); !sound) return sound;
    Series recent = series;
    if (recent.size() > kBucketsLearnt) {
        const std::size_t dropped = recent.size() - kBucketsLearnt;
        recent.start_s = recent.time_of(dropped);
        recent.values.erase(recent.values.begin(),
                            recent.values.begin() + static_cast<std::ptrdiff_t>(dropped));
    }
    scale_ = LoadScale(std::span<const double>(recent.values));
    Features::Shape shape = Features::shape_of(recent, options.calendar);
    shape.typical = scale_.typical();
    features_.emplace(shape);
    features_->reserve(recent.size());
    static_cast<void>(extend(recent.values));

    TreeLearner::Options learning;
    learning.trees = options_of(kind_);
    learning.horizon_max = options.horizon_max;
    learning.seed = options.seed;
    learner_.emplace(learning);
    learner_->sample(*features_, std::min(kExamples, 2 * recent.size()));
    return learner_->learn();
}

std::vector<double> BoostedTrees::forecast(std::size_t horizon) const {
    std::vector<double> forecast(horizon);
    const auto scaled = learner_->forecast(*features_, horizon);
    const std::size_t origin = features_->size() - 1;
    for (std::size_t i = 0; i < horizon; ++i)  // without trees if they fail: what the slots let expect
        forecast[i] =
            scale_.back(scaled ? static_cast<double>((*scaled)[i]) : features_->base(origin, origin + i + 1));
    return forecast;
}

bool BoostedTrees::extend(const std::vector<double>& values) {
    for (const double value : values) features_->append(std::isnan(value) ? value : scale_.forward(value));
    return true;
}

}  // namespace warmfront::forecast
