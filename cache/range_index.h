// cache/range_index.h: the ranges of one column that kept answers were read from, each with a line of the
// write log.
//
// Values and bounds are those of sql::CanonicalValue::order; bounds are within. A write of a known value
// marks the ranges that hold it: a scan over at most kRangesMax bounds. At that many ranges a new one takes
// the place of the oldest, whose answers become void. Thread-safe; a lock is held for one scan. Lines live as
// long as the index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/line.h"
#include "cache/write_protocol.h"
#include "sql/predicate.h"

namespace warmfront::cache {

class RangeIndex {
public:
    static constexpr std::size_t kRangesMax = 2048;

    RangeIndex();

    struct Observed {
        const Line* line;
        protocol::Observed observed;
    };
    // The range's line, observed for an answer that is about to be asked for; the range is added if it is
    // new. nullopt while a write of a value within is under way that did not know of the range, or where no
    // place is free: the answer cannot be kept.
    [[nodiscard]] std::optional<Observed> observe(sql::Interval range);

    // A writer of this value: the lines of the ranges that hold it are begun and added to `begun`. The value
    // counts as under way until end().
    void begin(std::int64_t value, std::vector<Line*>& begun);
    void end(std::int64_t value);

private:
    struct Hash {
        std::size_t operator()(const std::pair<std::int64_t, std::int64_t>& range) const;
    };
    [[nodiscard]] bool under_way_within(sql::Interval range) const;
    [[nodiscard]] bool take_place();

    std::mutex mutex_;
    std::vector<std::int64_t> lows_, highs_;  // by place
    std::unique_ptr<Line[]> lines_;
    std::unordered_map<std::pair<std::int64_t, std::int64_t>, std::size_t, Hash> places_;
    std::size_t next_ = 0;  // the place to be used next
    std::vector<std::int64_t> under_way_;
};

}  // namespace warmfront::cache
