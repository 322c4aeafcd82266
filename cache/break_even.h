// cache/break_even.h: whether keeping a template's answers brings more than it costs.
//
// What it brings: each hit saves PostgreSQL's time for such a query, less what a hit takes. What it costs:
// each miss is looked up in vain, copied and stored. Judged once in misses_min misses; off when the cost is
// higher. After `dwell` it is tried again: requests_probe requests to warm up, as many to be measured, on
// again if the benefit is `margin` times the cost, else off for twice as long. The margin and the dwell keep
// it from swinging. Pure, time is an argument; not thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace warmfront::cache {

struct Costs {  // sums since the start
    std::uint64_t hits = 0, misses = 0;
    std::uint64_t origins = 0, origin_us = 0;  // queries that PostgreSQL answered, and its time for them
    std::uint64_t hit_us = 0;                  // of all hits
    std::uint64_t keep_us = 0;                 // making and storing entries
};
[[nodiscard]] Costs operator-(const Costs& a, const Costs& b);

struct BreakEvenOptions {
    std::uint64_t misses_min = 1000;
    std::uint64_t requests_probe = 1000;
    std::uint64_t dwell_ms = 60'000;
    std::uint64_t dwell_max_ms = 3'600'000;
    double margin = 2;
};

class BreakEven {
public:
    explicit BreakEven(BreakEvenOptions options = {}) : options_(options), dwell_ms_(options.dwell_ms) {}

    // Whether answers are to be kept from now on. Called now and then; more often changes nothing.
    bool judge(const Costs& sums, std::uint64_t now_ms);
    // Back to the start: on, nothing measured yet.
    void reset(const Costs& sums);
    // Why it is off, or what the probe is about; empty while it is simply on.
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    enum class State : std::uint8_t { On, Off, WarmingUp, Probing };
    void judge_window(const Costs& sums, std::uint64_t now_ms, double margin);
    void turn_off(std::uint64_t now_ms);

    BreakEvenOptions options_;
    State state_ = State::On;
    Costs window_;  // the sums at its beginning
    std::uint64_t dwell_ms_;
    std::uint64_t off_until_ms_ = 0;
    std::string reason_;
};

}  // namespace warmfront::cache
