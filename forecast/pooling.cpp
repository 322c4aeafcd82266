#include "forecast/pooling.h"

#include <algorithm>
#include <cmath>

#include "config/ensure.h"

namespace warmfront::forecast {
namespace {

constexpr double kHalfLivesMax = 60;  // 2^60 and its inverse are still exact in a double's exponent

}  // namespace

KeyShares::KeyShares(const Options& options) : options_(options) {
    ensure(options.cycle_s > 0 && options.slots >= 1 && options.slots <= 1'024,
           "a cycle of 1 to 1,024 slots");
    ensure(options.half_life_s > 0 && options.keys_max >= 4 && options.slot_prior > 0 &&
               options.unseen_prior > 0,
           "positive priors");
}

std::size_t KeyShares::slot_of(std::int64_t time_s) const {
    const std::int64_t within = ((time_s % options_.cycle_s) + options_.cycle_s) % options_.cycle_s;
    return static_cast<std::size_t>(within) * options_.slots / static_cast<std::size_t>(options_.cycle_s);
}

// Forward decay: a later request weighs more, nothing old is touched. Before the weights grow out of bounds
// the epoch moves and everything is scaled once.
double KeyShares::weight(std::int64_t time_s) {
    if (!started_) {
        started_ = true;
        epoch_s_ = latest_s_ = time_s;
    }
    latest_s_ = std::max(latest_s_, time_s);
    if (static_cast<double>(time_s - epoch_s_) > kHalfLivesMax / 2 * options_.half_life_s) move_epoch(time_s);
    const double half_lives = static_cast<double>(time_s - epoch_s_) / options_.half_life_s;
    return half_lives < -kHalfLivesMax ? 0.0 : std::exp2(half_lives);
}

void KeyShares::move_epoch(std::int64_t to_s) {
    const double factor = std::exp2(-static_cast<double>(to_s - epoch_s_) / options_.half_life_s);
    const auto scale = [factor](Counts& counts) {
        counts.all *= factor;
        for (float& slot : counts.slots) slot *= static_cast<float>(factor);
    };
    for (auto& [of, table] : tables_) {
        scale(table.whole);
        for (auto& [key, counts] : table.keys) scale(counts);
    }
    epoch_s_ = to_s;
}

KeyShares::Table* KeyShares::table_for(TemplateId of) {
    const auto found = tables_.find(of);
    if (found != tables_.end()) return &found->second;
    if (tables_.size() >= options_.templates_max) return nullptr;
    return &tables_[of];
}

void KeyShares::add(Counts& counts, std::size_t slot, double weighted) const {
    if (counts.slots.empty()) counts.slots.resize(options_.slots);
    counts.slots[slot] += static_cast<float>(weighted);
    counts.all += weighted;
}

void KeyShares::observe(TemplateId of, KeyId key, std::int64_t time_s, double requests) {
    if (!(requests > 0)) return;
    const double weighted = weight(time_s) * requests;
    Table* table = table_for(of);
    if (table == nullptr) return;
    if (table->keys.size() >= options_.keys_max && !table->keys.contains(key)) forget_least(*table);
    const std::size_t slot = slot_of(time_s);
    add(table->keys[key], slot, weighted);
    add(table->whole, slot, weighted);
}

void KeyShares::observe_others(TemplateId of, std::int64_t time_s, double requests) {
    if (!(requests > 0)) return;
    const double weighted = weight(time_s) * requests;
    if (Table* table = table_for(of)) add(table->whole, slot_of(time_s), weighted);
}

// A quarter at a time, so that a stream of new keys costs each of them a constant share of one pass.
void KeyShares::forget_least(Table& table) const {
    std::vector<double> totals;
    totals.reserve(table.keys.size());
    for (const auto& [key, counts] : table.keys) totals.push_back(counts.all);
    const std::size_t drop = std::max<std::size_t>(totals.size() / 4, 1);
    const auto last = totals.begin() + static_cast<std::ptrdiff_t>(drop - 1);
    std::ranges::nth_element(totals, last);
    const double limit = *last;
    std::size_t left = drop;
    std::erase_if(table.keys,
                  [&](const auto& entry) { return left > 0 && entry.second.all <= limit && left-- > 0; });
}

double KeyShares::posterior(const Table& table, const Counts* key, std::size_t slot) const {
    // Counts as of the latest request: what a prior's requests are measured against.
    const double now = std::exp2(static_cast<double>(latest_s_ - epoch_s_) / options_.half_life_s);
    const double all = table.whole.all / now;
    // Keys not known one by one share what they were asked for and the belief in unseen ones.
    const double key_all = key != nullptr ? key->all / now : options_.unseen_prior;
    const double over_cycle = key_all / (all + options_.unseen_prior);
    const double slot_all =
        table.whole.slots.empty() ? 0 : static_cast<double>(table.whole.slots[slot]) / now;
    const double slot_key = key != nullptr ? static_cast<double>(key->slots[slot]) / now : 0;
    return (slot_key + options_.slot_prior * over_cycle) / (slot_all + options_.slot_prior);
}

double KeyShares::share(TemplateId of, KeyId key, std::int64_t time_s) const {
    const auto table = tables_.find(of);
    if (table == tables_.end()) return 0;
    const auto found = table->second.keys.find(key);
    return posterior(table->second, found == table->second.keys.end() ? nullptr : &found->second,
                     slot_of(time_s));
}

KeyShares::Evidence KeyShares::evidence(TemplateId of, KeyId key, std::int64_t time_s) const {
    const auto table = tables_.find(of);
    if (table == tables_.end() || table->second.whole.slots.empty()) return {};
    const double now = std::exp2(static_cast<double>(latest_s_ - epoch_s_) / options_.half_life_s);
    const std::size_t slot = slot_of(time_s);
    const auto found = table->second.keys.find(key);
    const double of_key =
        found == table->second.keys.end() ? 0 : static_cast<double>(found->second.slots[slot]);
    return {of_key / now, static_cast<double>(table->second.whole.slots[slot]) / now};
}

std::vector<KeyShare> KeyShares::top(TemplateId of, std::int64_t time_s, std::size_t count) const {
    std::vector<KeyShare> shares;
    const auto table = tables_.find(of);
    if (table == tables_.end()) return shares;
    const std::size_t slot = slot_of(time_s);
    for (const auto& [key, counts] : table->second.keys)
        shares.push_back({key, posterior(table->second, &counts, slot)});
    count = std::min(count, shares.size());
    const auto larger = [](const KeyShare& a, const KeyShare& b) {
        return a.share != b.share ? a.share > b.share : a.key < b.key;
    };
    std::partial_sort(shares.begin(), shares.begin() + static_cast<std::ptrdiff_t>(count), shares.end(),
                      larger);
    shares.resize(count);
    return shares;
}

std::size_t KeyShares::keys(TemplateId of) const {
    const auto table = tables_.find(of);
    return table == tables_.end() ? 0 : table->second.keys.size();
}

double pooled_share(std::span<const double> child, std::span<const double> parent, const PooledShare& prior) {
    double part = prior.prior_share * prior.prior_weight, whole = prior.prior_weight;
    for (std::size_t i = 0; i < std::min(child.size(), parent.size()); ++i) {
        if (std::isnan(child[i]) || std::isnan(parent[i])) continue;
        part += child[i];
        whole += parent[i];
    }
    return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0.0;
}

std::vector<double> pooled_forecast(std::span<const double> parent_forecast, double share) {
    std::vector<double> forecast(parent_forecast.begin(), parent_forecast.end());
    for (double& value : forecast) value *= share;
    return forecast;
}

}  // namespace warmfront::forecast
