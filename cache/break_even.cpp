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

void BreakEven::begin(State state, const Costs& sums, std::uint64_t now_ms) {
    state_ = state;
    window_ = sums;
    since_ms_ = now_ms;
}

void BreakEven::reset() {
    state_ = State::Fresh;
    probing_ = false;
    dwell_ms_ = options_.dwell_ms;
    reason_.clear();
}

void BreakEven::judge_window(const Costs& sums, std::uint64_t now_ms) {
    const Costs window = sums - window_;
    const double origin_us =
        window.origins > 0 ? mean(window.origin_us, window.origins) : mean(sums.origin_us, sums.origins);
    const double saved_us = std::max(0.0, origin_us - mean(window.hit_us, window.hits));
    const double brings_us = static_cast<double>(window.hits) * saved_us;
    const auto costs_us = static_cast<double>(window.misses * kMissUs + window.keep_us * kCopies);
    if (brings_us >= (probing_ ? options_.margin : 1) * costs_us) {
        reset();
        return begin(State::Measured, sums, now_ms);
    }
    if (probing_) dwell_ms_ = std::min(dwell_ms_ * 2, options_.dwell_max_ms);
    reason_ =
        fmt::format("{} hits and {} misses brought {:.1f} ms and cost {:.1f} ms; tried again after {} s",
                    window.hits, window.misses, brings_us / 1000, costs_us / 1000, dwell_ms_ / 1000);
    begin(State::Off, sums, now_ms);
}

bool BreakEven::judge(const Costs& sums, std::uint64_t now_ms, std::uint64_t ttl_ms) {
    const Costs window = sums - window_;
    const bool settled = now_ms - since_ms_ >= std::min(ttl_ms, options_.settle_max_ms);
    const bool enough = window.misses >= options_.misses_min ||
                        (probing_ && window.hits + window.misses >= options_.requests_probe);
    switch (state_) {
        case State::Fresh: begin(State::WarmingUp, sums, now_ms); break;
        case State::WarmingUp:
            // Without requests in it, a time to warm up has not passed.
            if (settled && window.hits + window.misses > 0) begin(State::Measured, sums, now_ms);
            break;
        case State::Measured:
            if (settled && enough) judge_window(sums, now_ms);
            break;
        case State::Off:
            if (now_ms - since_ms_ < dwell_ms_) break;
            probing_ = true;
            reason_ = "is tried again";
            begin(State::WarmingUp, sums, now_ms);
            break;
    }
    return state_ != State::Off;
}

}  // namespace warmfront::cache
