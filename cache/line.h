// cache/line.h: what the write log keeps of something that can change: how often it did, and how many writers
// are at it. Of a database's own line the high bits of the sequence count apart how often PostgreSQL was lost
// sight of: what was kept before that is in doubt, not known to be overtaken. What is done with the two, and
// why in that order: cache/write_log.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace warmfront::cache {

struct Line {
    std::atomic<std::uint64_t> sequence{1};
    std::atomic<std::uint32_t> pending{0};
};

inline constexpr unsigned kChangeBits = 42;  // 4 million million changes of all of a database
inline constexpr std::uint64_t kOneLoss = std::uint64_t{1} << kChangeBits;

[[nodiscard]] constexpr std::uint64_t losses_in(std::uint64_t sequence) {
    return sequence >> kChangeBits;
}

}  // namespace warmfront::cache
