// tests/cache/policy_reference.h: LRU and ARC as their papers have them, and traces, for policy tests.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <list>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/policy.h"

namespace warmfront::cache::reference {

using Trace = std::vector<std::uint32_t>;

class Lru {
public:
    explicit Lru(std::size_t capacity) : capacity_(capacity) {}
    bool request(std::uint32_t key) {
        if (const auto found = places_.find(key); found != places_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return true;
        }
        if (order_.size() == capacity_) {
            places_.erase(order_.back());
            order_.pop_back();
        }
        order_.push_front(key);
        places_[key] = order_.begin();
        return false;
    }

private:
    std::size_t capacity_;
    std::list<std::uint32_t> order_;
    std::unordered_map<std::uint32_t, std::list<std::uint32_t>::iterator> places_;
};

// Megiddo, Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003, figure 4.
class Arc {
public:
    explicit Arc(std::size_t capacity) : capacity_(capacity) {}
    bool request(std::uint32_t key) {
        const auto found = places_.find(key);
        if (found == places_.end()) {
            make_room_for_new();
            put(T1, key);
            return false;
        }
        const ListName was = found->second.first;
        if (was == B1) target_ = std::min(size(T1, T2, B1, B2), target_ + std::max(1.0, size(B2) / size(B1)));
        if (was == B1) target_ = std::min(target_, static_cast<double>(capacity_));
        if (was == B2) target_ = std::max(0.0, target_ - std::max(1.0, size(B1) / size(B2)));
        if (was == B1 || was == B2) replace(was == B2);
        take(key);
        put(T2, key);
        return was == T1 || was == T2;
    }

private:
    enum ListName : std::uint8_t { T1, T2, B1, B2 };
    template <typename... Names>
    [[nodiscard]] double size(Names... names) const {
        return static_cast<double>((lists_[names].size() + ...));
    }
    void put(ListName name, std::uint32_t key) {
        lists_[name].push_front(key);
        places_[key] = {name, lists_[name].begin()};
    }
    void take(std::uint32_t key) {
        const auto found = places_.find(key);
        lists_[found->second.first].erase(found->second.second);
        places_.erase(found);
    }
    void replace(bool for_b2) {
        const bool from_t1 = size(T1) > 0 && (size(T1) > target_ || (for_b2 && size(T1) == target_));
        const std::uint32_t key = lists_[from_t1 ? T1 : T2].back();
        take(key);
        put(from_t1 ? B1 : B2, key);
    }
    void make_room_for_new() {
        const auto capacity = static_cast<double>(capacity_);
        if (size(T1, B1) == capacity) {
            const bool no_ghosts = size(T1) == capacity;
            take(lists_[no_ghosts ? T1 : B1].back());
            if (!no_ghosts) replace(false);
        } else if (size(T1, T2, B1, B2) >= capacity) {
            if (size(T1, T2, B1, B2) == 2 * capacity) take(lists_[B2].back());
            replace(false);
        }
    }

    std::size_t capacity_;
    double target_ = 0;
    std::array<std::list<std::uint32_t>, 4> lists_;
    std::unordered_map<std::uint32_t, std::pair<ListName, std::list<std::uint32_t>::iterator>> places_;
};

inline std::uint64_t hash_of_number(std::uint64_t number) {  // SplitMix64's finalizer
    number += 0x9E3779B97F4A7C15U;
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9U;
    number = (number ^ (number >> 27)) * 0x94D049BB133111EBU;
    return number ^ (number >> 31);
}

// The policy as a cache of entries of charge 1.
class Ours {
public:
    explicit Ours(std::size_t capacity) : policy_(capacity) {}
    bool request(std::uint32_t key) {
        const auto [place, added] = nodes_.try_emplace(key);
        PolicyNode& node = place->second;
        if (!added) {
            policy_.touched(node);
            return true;
        }
        node.hash = hash_of_number(key);
        node.charge = 1;
        keys_[node.hash] = key;
        policy_.inserted(node);
        while (const PolicyNode* victim = policy_.victim()) nodes_.erase(keys_[victim->hash]);
        return false;
    }

private:
    Policy policy_;
    std::unordered_map<std::uint32_t, PolicyNode> nodes_;
    std::unordered_map<std::uint64_t, std::uint32_t> keys_;
};

template <typename Cache>
double hit_ratio(const Trace& trace, std::size_t capacity) {
    Cache cache(capacity);
    std::size_t hits = 0;
    for (const std::uint32_t key : trace) hits += cache.request(key) ? 1 : 0;
    return static_cast<double>(hits) / static_cast<double>(trace.size());
}

// Own arithmetic on mt19937_64's numbers: the standard fixes those, but not what its distributions make of
// them.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(engine_() % bound); }

private:
    std::mt19937_64 engine_;
};

// Keys first, first + 1, ... of falling popularity 1 / rank^skew.
inline Trace zipf(std::size_t requests, std::uint32_t keys, double skew, std::uint32_t first,
                  std::uint64_t seed) {
    std::vector<double> sums(keys);
    double sum = 0;
    for (std::uint32_t i = 0; i < keys; ++i) sums[i] = sum += std::pow(i + 1, -skew);
    Random random(seed);
    Trace trace(requests);
    for (std::uint32_t& key : trace) {
        const auto rank = std::upper_bound(sums.begin(), sums.end(), random.unit() * sum) - sums.begin();
        key = first + std::min(static_cast<std::uint32_t>(rank), keys - 1);
    }
    return trace;
}

// Keys first to first + keys - 1 in order, rounds times.
inline Trace loop(std::size_t rounds, std::uint32_t keys, std::uint32_t first) {
    Trace trace;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::uint32_t i = 0; i < keys; ++i) trace.push_back(first + i);
    }
    return trace;
}

// Reuse by recency alone: the key asked for 1 / unit^power requests of other keys ago, or a new one.
inline Trace recency(std::size_t requests, double power, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::uint32_t> stack;
    Trace trace;
    for (std::size_t i = 0; i < requests; ++i) {
        const double depth = std::pow(random.unit() + 1e-9, -power) - 1;
        auto key = static_cast<std::uint32_t>(stack.size());
        if (depth < static_cast<double>(stack.size())) {
            const auto place = stack.end() - 1 - static_cast<std::ptrdiff_t>(depth);
            key = *place;
            stack.erase(place);
        }
        stack.push_back(key);
        trace.push_back(key);
    }
    return trace;
}

inline Trace operator+(Trace left, const Trace& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

// A piece of each in turn until both are at their end.
inline Trace in_turns(const Trace& left, std::size_t of_left, const Trace& right, std::size_t of_right) {
    Trace trace;
    std::size_t l = 0, r = 0;
    while (l < left.size() || r < right.size()) {
        for (std::size_t i = 0; i < of_left && l < left.size(); ++i) trace.push_back(left[l++]);
        for (std::size_t i = 0; i < of_right && r < right.size(); ++i) trace.push_back(right[r++]);
    }
    return trace;
}

}  // namespace warmfront::cache::reference
