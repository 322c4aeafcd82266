#include "cache/break_even.h"

#include <algorithm>

#include <fmt/format.h>

namespace warmfront::cache {
namespace {

// A miss beside the storing: key, look-up, joining a flight, remembering what was read. Of this order on any
// machine of today; measuring it would cost as much.
constexpr std::uint64_t kMissUs = 1;

// While the answer passes by it is copied once more, as many bytes as storing copies.
constexpr std::uint64_t kCopies = 2;

double mean(std::uint64_t sum, std::uint64_t count) {
    return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
}

}  // namespace

Costs operator-(const Costs& a, const Costs& b) {
    return {a.hits - b.hits,           a.misses - b.misses, a.origins - b.origins,
            a.origin_us - b.origin_us, a.hit_us - b.hit_us, a.keep_us - b.keep_us};
}

void BreakEven::reset(const Costs& sums) {
    state_ = State::On;
    window_ = sums;
    dwell_ms_ = options_.dwell_ms;
    reason_.clear();
}

void BreakEven::turn_off(std::uint64_t now_ms) {
    if (state_ == State::Probing) dwell_ms_ = std::min(dwell_ms_ * 2, options_.dwell_max_ms);
    state_ = State::Off;
    off_until_ms_ = now_ms + dwell_ms_;
}

void BreakEven::judge_window(const Costs& sums, std::uint64_t now_ms, double margin) {
    const Costs window = sums - window_;
    window_ = sums;
    const double origin_us =
        window.origins > 0 ? mean(window.origin_us, window.origins) : mean(sums.origin_us, sums.origins);
    const double saved_us = std::max(0.0, origin_us - mean(window.hit_us, window.hits));
    const double brings_us = static_cast<double>(window.hits) * saved_us;
    const auto costs_us = static_cast<double>(window.misses * kMissUs + window.keep_us * kCopies);
    if (brings_us >= margin * costs_us) {
        if (state_ == State::Probing) dwell_ms_ = options_.dwell_ms;
        state_ = State::On;
        reason_.clear();
        return;
    }
    turn_off(now_ms);
    reason_ =
        fmt::format("{} hits and {} misses brought {:.1f} ms and cost {:.1f} ms; tried again after {} s",
                    window.hits, window.misses, brings_us / 1000, costs_us / 1000, dwell_ms_ / 1000);
}

bool BreakEven::judge(const Costs& sums, std::uint64_t now_ms) {
    const Costs window = sums - window_;
    switch (state_) {
        case State::On:
            if (window.misses >= options_.misses_min) judge_window(sums, now_ms, 1);
            break;
        case State::Off:
            if (now_ms < off_until_ms_) break;
            state_ = State::WarmingUp;
            window_ = sums;
            reason_ = "is tried again";
            break;
        case State::WarmingUp:
            if (window.hits + window.misses < options_.requests_probe) break;
            state_ = State::Probing;
            window_ = sums;
            break;
        case State::Probing:
            if (window.hits + window.misses >= options_.requests_probe)
                judge_window(sums, now_ms, options_.margin);
            break;
    }
    return state_ != State::Off;
}

}  // namespace warmfront::cache
