// forecast/heavy_hitters.h: the keys that are asked for most, in bounded memory.
//
// Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data
// streams", 2005), with weights: keys_max counters; a key that has none takes the smallest one over, count
// and all. With N the sum of all weights so far:
//   - a key of more than N / keys_max is among those counted;
//   - a count is at least the true one, and too high by its `error` at most, which is at most N / keys_max.
// decay() multiplies all of it, N too, so that both hold for the decayed sums. Keys are opaque bytes.
// Not thread-safe. Memory: keys_max times (the key's bytes and about 200).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace warmfront::forecast {

class HeavyHitters {
public:
    explicit HeavyHitters(std::size_t keys_max);  // >= 1

    struct Counted {
        std::string key;
        double count = 0;
        double error = 0;  // count - error is what it was asked for at least
    };
    // weight > 0. The key that had to give way, if one had to.
    struct Offered {
        bool entered = false;  // it had no counter before
        std::string evicted;   // and took this one's; empty: there was room
    };
    Offered add(std::string_view key, double weight = 1);
    // factor in (0, 1]. Keys whose count falls below `forget_below` lose their counter.
    void decay(double factor, double forget_below = 0);

    [[nodiscard]] bool contains(std::string_view key) const { return entries_.contains(std::string(key)); }
    // Largest count first, equal ones by key.
    [[nodiscard]] std::vector<Counted> top(std::size_t count_max) const;
    [[nodiscard]] double total() const { return total_; }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    struct Entry;
    using ByCount = std::multimap<double, Entry*>;
    struct Entry {
        const std::string* key = nullptr;  // of entries_
        double error = 0;
        ByCount::iterator place;
    };
    std::size_t keys_max_;
    double total_ = 0;
    std::unordered_map<std::string, Entry> entries_;
    ByCount by_count_;
};

}  // namespace warmfront::forecast
