#include "forecast/pacing.h"

namespace warmfront::forecast {

static constexpr double kSecond = 1e6;

void TokenBucket::fill(std::uint64_t now_us) {
    if (now_us <= at_us_) return;
    tokens_ = std::min(burst_, tokens_ + static_cast<double>(now_us - at_us_) * rate_ / kSecond);
    at_us_ = now_us;
}

void TokenBucket::set_rate(double per_second, std::uint64_t now_us) {
    fill(now_us);
    rate_ = per_second;
}

bool TokenBucket::take(std::uint64_t now_us) {
    fill(now_us);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
}

std::uint64_t TokenBucket::next_in_us(std::uint64_t now_us) {
    fill(now_us);
    if (tokens_ >= 1) return 0;
    if (rate_ <= 0) return static_cast<std::uint64_t>(kSecond);
    return static_cast<std::uint64_t>(std::min(kSecond, 1 + (1 - tokens_) * kSecond / rate_));
}

double Governor::step(std::uint64_t misses, std::uint64_t took_us) {
    constexpr double kIncrease = 0.05, kDecrease = 0.5, kFloor = 1.0 / 64, kFall = 0.2, kDrift = 0.01;
    bool suffers = false;
    if (misses >= options_.few) {
        const double mean_us = static_cast<double>(took_us) / static_cast<double>(misses);
        if (baseline_us_ == 0) baseline_us_ = mean_us;
        suffers = mean_us > baseline_us_ * options_.tolerated;
        baseline_us_ += (mean_us < baseline_us_ ? kFall : kDrift) * (mean_us - baseline_us_);
    }
    rate_ = suffers ? rate_ * kDecrease : rate_ + kIncrease * options_.rate_max;
    rate_ = std::clamp(rate_, options_.rate_max * kFloor, options_.rate_max);
    return rate_;
}

}  // namespace warmfront::forecast
