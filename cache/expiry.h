// cache/expiry.h: when an answer is too old to be given.
#pragma once

#include <cstdint>

namespace warmfront::cache {

// Times in milliseconds on one clock. Workers read the clock once per turn of their loop, so `now` may be a
// little before another worker's `filled_at`: such an answer is new, not ages old.
[[nodiscard]] inline bool expired(std::uint64_t filled_at_ms, std::uint64_t now_ms, std::uint64_t ttl_ms) {
    const std::uint64_t age_ms = now_ms > filled_at_ms ? now_ms - filled_at_ms : 0;
    return age_ms >= ttl_ms;
}

}  // namespace warmfront::cache
