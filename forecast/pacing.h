// forecast/pacing.h: how fast work in the background may go: a budget of so many a second, and a governor
// that lowers it when those in the foreground feel it.
//
// Pure but for what they remember; the time is an argument, in microseconds on one clock. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace warmfront::forecast {

// So many a second, and so many at once after a rest.
class TokenBucket {
public:
    TokenBucket(double per_second, double burst, std::uint64_t now_us)
        : rate_(per_second), burst_(burst), at_us_(now_us) {}
    void set_rate(double per_second, std::uint64_t now_us);
    [[nodiscard]] double rate() const { return rate_; }
    // True: one may be done now.
    [[nodiscard]] bool take(std::uint64_t now_us);
    // When to ask again after a refusal; a second at most.
    [[nodiscard]] std::uint64_t next_in_us(std::uint64_t now_us);

private:
    void fill(std::uint64_t now_us);
    double rate_, burst_;
    double tokens_ = 1;
    std::uint64_t at_us_;
};

// Additive increase, multiplicative decrease (Chiu, Jain 1989), by the latency of what clients wait for
// themselves: as long as it stays near its slow-moving baseline the rate grows by a twentieth of the most a
// step; where it rises above, the rate halves. The baseline follows downwards by a fifth of the way a
// step and upwards by a hundredth, so that a database that has become slower for good is not taken for one
// that suffers.
class Governor {
public:
    struct Options {
        double rate_max = 100;    // a second
        double tolerated = 1.25;  // times the baseline
        std::uint64_t few = 5;    // latencies in a step that say nothing
    };
    explicit Governor(Options options) : options_(options), rate_(options.rate_max) {}
    void set_rate_max(double rate_max) {
        options_.rate_max = rate_max;
        rate_ = std::min(rate_, rate_max);
    }
    // One step, some tenths of a second to a second: how many misses of clients there were, and how long they
    // took in all. Gives the rate allowed from now on, rate_max / 64 at least.
    double step(std::uint64_t misses, std::uint64_t took_us);
    [[nodiscard]] double baseline_us() const { return baseline_us_; }
    [[nodiscard]] double rate() const { return rate_; }

private:
    Options options_;
    double rate_;
    double baseline_us_ = 0;  // 0: not known yet
};

}  // namespace warmfront::forecast
