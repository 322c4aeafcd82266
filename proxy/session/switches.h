// proxy/session/switches.h: what a reload turns on and off for sessions that are there already.
//
// Written by whoever applies the settings, read by every worker; a change holds from the next request on.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>

#include "config/settings.h"

namespace warmfront::session {

class Switches {
public:
    void set(const Settings& settings) {
        observing_.store(settings.cache.mode == CacheMode::Observe, std::memory_order_relaxed);
        break_even_.store(settings.cache.break_even, std::memory_order_relaxed);
        verify_below_.store(std::ldexp(settings.verify.sample, 32), std::memory_order_relaxed);
    }
    [[nodiscard]] bool observing() const { return observing_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool break_even() const { return break_even_.load(std::memory_order_relaxed); }
    // A random number of 32 bits below it: this hit is verified.
    [[nodiscard]] double verify_below() const { return verify_below_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> observing_{false};
    std::atomic<bool> break_even_{true};
    std::atomic<double> verify_below_{0};
};

// Draws hits for the verifier. One for each worker.
class Sampler {
public:
    explicit Sampler(std::uint64_t seed) : state_(seed * 2 + 1) {}
    [[nodiscard]] bool draw(double below) {
        if (below <= 0) return false;
        state_ ^= state_ << 13;  // xorshift64 (Marsaglia 2003)
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return static_cast<double>(state_ >> 32) < below;
    }

private:
    std::uint64_t state_;
};

}  // namespace warmfront::session
