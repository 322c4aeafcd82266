// cache/line.h: what the write log keeps of something that can change: how often it did, and how many writers
// are at it. What is done with the two, and why in that order: cache/write_log.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace warmfront::cache {

struct Line {
    std::atomic<std::uint64_t> sequence{1};
    std::atomic<std::uint32_t> pending{0};
};

}  // namespace warmfront::cache
