// An ordered map in place of the paper's list of count buckets: weights and decay make counts real numbers.
#include "forecast/heavy_hitters.h"

#include <algorithm>

#include "config/ensure.h"

namespace warmfront::forecast {

HeavyHitters::HeavyHitters(std::size_t keys_max) : keys_max_(keys_max) {
    ensure(keys_max >= 1, "heavy hitters need a counter");
}

HeavyHitters::Offered HeavyHitters::add(std::string_view key, double weight) {
    total_ += weight;
    if (const auto found = entries_.find(std::string(key)); found != entries_.end()) {
        Entry& entry = found->second;
        auto node = by_count_.extract(entry.place);
        node.key() += weight;
        entry.place = by_count_.insert(std::move(node));
        return {};
    }
    Offered offered{true, {}};
    double taken_over = 0;
    if (entries_.size() >= keys_max_) {
        const auto least = by_count_.begin();
        taken_over = least->first;
        offered.evicted = *least->second->key;
        by_count_.erase(least);
        entries_.erase(offered.evicted);
    }
    const auto placed = entries_.emplace(key, Entry{}).first;
    Entry& entry = placed->second;
    entry.key = &placed->first;
    entry.error = taken_over;
    entry.place = by_count_.emplace(taken_over + weight, &entry);
    return offered;
}

// The order stays as it is; only the numbers change.
void HeavyHitters::decay(double factor, double forget_below) {
    total_ *= factor;
    ByCount decayed;
    for (const auto& [count, entry] : by_count_) {
        if (count * factor < forget_below) {
            entries_.erase(std::string(*entry->key));
            continue;
        }
        entry->error *= factor;
        entry->place = decayed.emplace_hint(decayed.end(), count * factor, entry);
    }
    by_count_ = std::move(decayed);
}

std::vector<HeavyHitters::Counted> HeavyHitters::top(std::size_t count_max) const {
    std::vector<Counted> most;
    most.reserve(entries_.size());
    for (const auto& [count, entry] : by_count_) most.push_back({*entry->key, count, entry->error});
    std::ranges::sort(most, [](const Counted& a, const Counted& b) {
        return a.count != b.count ? a.count > b.count : a.key < b.key;
    });
    if (most.size() > count_max) most.resize(count_max);
    return most;
}

}  // namespace warmfront::forecast
