// tests/live/twin/random.h: chance that can be repeated: the same seed gives the same stream on every
// machine.
//
// The standard's distributions differ between libraries, so numbers are drawn by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace warmfront::test {

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
    }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <typename T>
    const T& pick(std::span<const T> among) {
        return among[below(among.size())];
    }
    // One of a table of rows with a member `weight`.
    template <typename T>
    const T& pick_weighted(std::span<const T> among) {
        std::uint64_t total = 0;
        for (const auto& row : among) total += row.weight;
        std::uint64_t at = below(total);
        for (const auto& row : among) {
            if (at < row.weight) return row;
            at -= row.weight;
        }
        return among.back();
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace warmfront::test
