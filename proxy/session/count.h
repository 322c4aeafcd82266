// proxy/session/count.h: a number that one thread counts and any thread reads.
#pragma once

#include <atomic>
#include <cstdint>

namespace warmfront::session {

// One writer: an add is a plain load and store, no locked instruction.
class Counter {
public:
    void add(std::uint64_t n) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace warmfront::session
