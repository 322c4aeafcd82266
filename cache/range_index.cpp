// Why a new range asks for values under way: a writer that scanned before the range was there has not marked
// its line. Both scan and addition are made under the lock, so either the writer has found the range or its
// value is found here. Once such a writer has ended, whoever asks PostgreSQL afterwards sees its row.
//
// Why it is observed under the lock: the line may come to stand for another range at any time after. That
// raises its sequence, so that who has observed it before finds it changed.
#include "cache/range_index.h"

#include <algorithm>
#include <utility>

#include "cache/write_protocol.h"

namespace warmfront::cache {

RangeIndex::RangeIndex() : lines_(std::make_unique<Line[]>(kRangesMax)) {}

std::size_t RangeIndex::Hash::operator()(const std::pair<std::int64_t, std::int64_t>& range) const {
    const auto low = static_cast<std::uint64_t>(range.first), high = static_cast<std::uint64_t>(range.second);
    return (low * 0x9e3779b97f4a7c15U) ^ (high + (high << 7 | high >> 57));
}

bool RangeIndex::under_way_within(sql::Interval range) const {
    return std::ranges::any_of(under_way_,
                               [&](std::int64_t value) { return range.low <= value && value <= range.high; });
}

// The place next_ is free; false if a writer is at the range that has it. (Its turn comes again.)
bool RangeIndex::take_place() {
    if (next_ == lows_.size()) {
        lows_.push_back(0);
        highs_.push_back(0);
        return true;
    }
    Line& line = lines_[next_];
    if (line.pending.load() != 0) {
        next_ = (next_ + 1) % kRangesMax;
        return false;
    }
    line.sequence.fetch_add(1);  // what was read from the former range is void
    places_.erase({lows_[next_], highs_[next_]});
    return true;
}

std::optional<RangeIndex::Observed> RangeIndex::observe(sql::Interval range) {
    const std::lock_guard lock(mutex_);
    const std::pair bounds{range.low, range.high};
    const auto observed = [this](std::size_t place) {
        return Observed{&lines_[place], protocol::observe(lines_[place])};
    };
    if (const auto found = places_.find(bounds); found != places_.end()) return observed(found->second);
    if (under_way_within(range) || !take_place()) return std::nullopt;
    lows_[next_] = range.low;
    highs_[next_] = range.high;
    places_[bounds] = next_;
    const auto added = observed(next_);
    next_ = (next_ + 1) % kRangesMax;
    return added;
}

void RangeIndex::begin(std::int64_t value, std::vector<Line*>& begun) {
    const std::lock_guard lock(mutex_);
    under_way_.push_back(value);
    for (std::size_t i = 0; i < lows_.size(); ++i) {
        if (lows_[i] > value || value > highs_[i]) continue;
        protocol::begin(lines_[i]);
        begun.push_back(&lines_[i]);
    }
}

void RangeIndex::end(std::int64_t value) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(under_way_, value);
    std::swap(*found, under_way_.back());
    under_way_.pop_back();
}

}  // namespace warmfront::cache
