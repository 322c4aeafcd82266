// cache/break_even.h: whether keeping a template's answers brings more than it costs.
//
// What it brings: each hit saves PostgreSQL's time for such a query, less what a hit takes. What it costs:
// each miss is looked up in vain, copied and stored.
//
// An answer that was stored may bring hits as long as it lives, so nothing is judged before the first ones
// have had their time: a template warms up for its ttl (settle_max at most) and is then measured for as long,
// and for misses_min misses at least. Off when the cost is higher. After `dwell` it is tried again: it warms
// up and is measured in the same way, on again if the benefit is `margin` times the cost, else off for twice
// as long. The margin and the dwell keep it from swinging. Pure, time is an argument; not thread-safe.
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
    std::uint64_t requests_probe = 1000;  // that a probe measures at least
    std::uint64_t settle_max_ms = 300'000;
    std::uint64_t dwell_ms = 60'000;
    std::uint64_t dwell_max_ms = 3'600'000;
    double margin = 2;
};

class BreakEven {
public:
    explicit BreakEven(BreakEvenOptions options = {}) : options_(options), dwell_ms_(options.dwell_ms) {}

    // Whether answers are to be kept from now on. Called now and then; more often changes nothing.
    // ttl_ms: how long an answer of the template is kept.
    bool judge(const Costs& sums, std::uint64_t now_ms, std::uint64_t ttl_ms);
    // Back to the start: on, nothing measured yet.
    void reset();
    // Why it is off, or what the probe is about; empty while it is simply on.
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    enum class State : std::uint8_t { Fresh, WarmingUp, Measured, Off };
    void begin(State state, const Costs& sums, std::uint64_t now_ms);
    void judge_window(const Costs& sums, std::uint64_t now_ms);

    BreakEvenOptions options_;
    State state_ = State::Fresh;
    bool probing_ = false;  // it has been off
    Costs window_;          // the sums when the state began
    std::uint64_t since_ms_ = 0;
    std::uint64_t dwell_ms_;
    std::string reason_;
};

}  // namespace warmfront::cache
