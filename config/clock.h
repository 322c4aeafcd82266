// config/clock.h: the time as an argument, so that what decides by time can be tested without waiting.
//
// Monotonic: counts from an arbitrary start, never goes back, is not the time of day. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace warmfront {

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual std::uint64_t now_us() const noexcept = 0;
    [[nodiscard]] std::uint64_t now_ms() const noexcept { return now_us() / 1000; }
};

class SteadyClock final : public Clock {
public:
    [[nodiscard]] std::uint64_t now_us() const noexcept override {
        const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(since_start).count());
    }
};

// Stands still until it is told to go on.
class SimulatedClock final : public Clock {
public:
    explicit SimulatedClock(std::uint64_t start_us = 0) : now_us_(start_us) {}
    [[nodiscard]] std::uint64_t now_us() const noexcept override { return now_us_.load(); }
    void advance(std::chrono::microseconds by) noexcept {
        now_us_.fetch_add(static_cast<std::uint64_t>(by.count()));
    }

private:
    std::atomic<std::uint64_t> now_us_;
};

}  // namespace warmfront
