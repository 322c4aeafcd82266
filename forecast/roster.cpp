#include "forecast/roster.h"

#include "forecast/boosted_trees.h"
#include "forecast/holt_winters.h"
#include "forecast/ridge.h"
#include "forecast/seasonal_naive.h"
#include "forecast/spike.h"

namespace warmfront::forecast {
namespace {

template <typename M, auto... arguments>
std::unique_ptr<Model> make() {
    return std::make_unique<M>(arguments...);
}

constexpr RosterEntry kRoster[] = {
    {"seasonal-naive", make<SeasonalNaive>},
    {"seasonal-naive-long", make<SeasonalNaive, SeasonalNaive::Of::LongestSeason>},
    {"holt-winters", make<HoltWinters>},
    {"decomposed-ets", make<HoltWinters, HoltWinters::Seasons::Decomposed>},
    {"ridge", make<Ridge>},
    {"ridge-plain", make<Ridge, Ridge::Scale::Plain>},
    {"decomposed-ridge", make<Ridge, Ridge::Scale::Log, Ridge::Of::Remainder>},
    {"spike", make<Spike>},
    {"tree", make<BoostedTrees, Booster::Kind::Tree>, false},
    {"boosted-trees", make<BoostedTrees, Booster::Kind::Boosted>, false},
    {"random-forest", make<BoostedTrees, Booster::Kind::Forest>, false},
};

}  // namespace

std::span<const RosterEntry> roster() {
    return kRoster;
}

const RosterEntry* find_model(std::string_view name) {
    for (const RosterEntry& entry : kRoster)
        if (entry.name == name) return &entry;
    return nullptr;
}

}  // namespace warmfront::forecast
