// cache/write_protocol.h: the steps of the write log on one line, in their order; nothing else decides
// freshness.
//
// Templates, so that tests/sim runs these very steps in every interleaving, on lines whose operations it can
// halt. Why each order is as it is: cache/write_log.cpp. A line has `sequence` and `pending` with the
// operations of std::atomic, all sequentially consistent.
#pragma once

#include <cstdint>

#include "cache/line.h"

namespace warmfront::cache::protocol {

struct Observed {
    std::uint64_t sequence = 0;
    bool quiet = false;  // no writer was pending
};

template <class AnyLine>
void begin(AnyLine& line) {
    line.pending.fetch_add(1);
    line.sequence.fetch_add(1);
}

template <class AnyLine>
void end(AnyLine& line) {
    line.sequence.fetch_add(1);
    line.pending.fetch_sub(1);
}

template <class AnyLine>
[[nodiscard]] Observed observe(const AnyLine& line) {
    const auto sequence = line.sequence.load();
    return {sequence, line.pending.load() == 0};
}

template <class AnyLine>
[[nodiscard]] bool current(const AnyLine& line, std::uint64_t sequence) {
    return line.sequence.load() == sequence;
}

// PostgreSQL has been lost sight of.
template <class AnyLine>
void lose(AnyLine& line) {
    line.sequence.fetch_add(kOneLoss);
}

// As current(), but for losses since then.
template <class AnyLine>
[[nodiscard]] bool unchanged(const AnyLine& line, std::uint64_t sequence) {
    return ((line.sequence.load() ^ sequence) & (kOneLoss - 1)) == 0;
}

}  // namespace warmfront::cache::protocol
