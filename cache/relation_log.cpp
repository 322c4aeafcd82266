// Why an interest may be relied on once it is settled. A writer holds on to the list that it marks by, and
// the list that it holds is the present one after it was counted: so once a list is no longer present and
// counts nobody, no writer will mark by it any more. A settled interest is in every list from its first on,
// and all earlier ones have come to rest: every writer under way, and every later one, marks its lines. A
// writer that marked by an earlier list had ended before, so whoever asks PostgreSQL now sees what it wrote.
#include "cache/relation_log.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include <sys/mman.h>

#include "cache/write_protocol.h"
#include "config/ensure.h"

namespace warmfront::cache {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;

std::uint64_t mixed(std::uint64_t hash) {  // source: the finalizer of MurmurHash3
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdU;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53U;
    return hash ^ hash >> 33;
}

const sql::KnownValue* value_of(const sql::RowImage& image, std::int16_t column) {
    const auto found = std::ranges::lower_bound(image, column, {}, &sql::KnownValue::column);
    return found == image.end() || found->column != column ? nullptr : &*found;
}

}  // namespace

// A line is met at random: on large pages, a look-up misses the processor's cache, not its page table too.
RowLines::RowLines(std::size_t lines) : mask_(std::bit_ceil(lines) - 1) {
    constexpr std::size_t kLargePage = std::size_t{2} << 20;
    const std::size_t bytes = (this->bytes() + kLargePage - 1) / kLargePage * kLargePage;
    void* const memory = std::aligned_alloc(kLargePage, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: what comes of it does not matter
    lines_.reset(new (memory) Line[mask_ + 1]);
}

std::uint64_t Interest::place_of(const sql::RowImage& image) const {
    std::uint64_t hash = salt_;
    for (const auto column : view_.keys) {
        const auto* value = value_of(image, column);
        hash = mixed(hash + kGolden + (value == nullptr || value->null ? 0 : value->hash));
    }
    return hash;
}

Interest::Met Interest::meets(const sql::RowImage& image) const {
    bool unknown = false;
    for (const auto column : view_.keys) {
        const auto* value = value_of(image, column);
        if (value != nullptr && value->null) return Met::Nothing;
        unknown |= value == nullptr;
    }
    return unknown ? Met::Unknown : Met::Line;
}

RelationLog::RelationLog(RowLines& rows) : rows_(rows) {
    interests_.push_back(std::make_unique<Interest>(View{}, 0, 0, rows_));
    whole_ = interests_.front().get();
    whole_->settled_ = true;
    lists_.push_back(std::make_unique<List>());
    lists_.front()->interests.push_back(whole_);
    present_ = lists_.front().get();
}

Interest* RelationLog::coarser(const View& view) const {
    Interest* best = whole_;
    for (const auto& each : interests_) {
        const View& seen = each->view_;
        const bool sees_all = seen.columns.covers(view.columns) &&
                              std::ranges::includes(view.keys, seen.keys) &&
                              (!seen.range || (seen.range == view.range && view.keys.empty()));
        if (sees_all && (seen.keys.size() > best->view_.keys.size() || (seen.range && !best->view_.range)))
            best = each.get();
    }
    return best;
}

Interest& RelationLog::interest(const View& view) {
    const std::lock_guard lock(mutex_);
    for (const auto& each : interests_)
        if (each->view_ == view) return *each;
    View wanted = view;
    // The last places are for readers of any column, which the others can share.
    if (interests_.size() >= kInterestsMax * 3 / 4) wanted.columns = sql::ColumnSet::all();
    for (const auto& each : interests_)
        if (each->view_ == wanted) return *each;
    if (interests_.size() >= kInterestsMax) return *coarser(view);

    const auto salt = mixed(reinterpret_cast<std::uintptr_t>(this) + kGolden * interests_.size());
    interests_.push_back(std::make_unique<Interest>(std::move(wanted), salt, lists_.size(), rows_));
    auto list = std::make_unique<List>();
    list->interests = lists_.back()->interests;
    list->interests.push_back(interests_.back().get());
    present_.store(list.get());
    lists_.push_back(std::move(list));
    return *interests_.back();
}

bool RelationLog::settled(Interest& interest) const {
    if (interest.settled_.load()) return true;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < interest.since_; ++i)
        if (lists_[i]->writers.load() != 0) return false;
    interest.settled_.store(true);
    return true;
}

RelationLog::List& RelationLog::hold() {
    for (;;) {
        List* const list = present_.load();
        list->writers.fetch_add(1);
        if (present_.load() == list) return *list;
        list->writers.fetch_sub(1);
    }
}

void PendingWrite::begin(Line& line) {
    protocol::begin(line);
    lines_.push_back(&line);
}

// since: of the lines begun for the change at hand; one is begun once.
void PendingWrite::begin_once(Line& line, std::size_t since) {
    constexpr std::size_t kLookedAtMax = 16;
    const auto first = std::max(since, lines_.size() - std::min(lines_.size(), kLookedAtMax));
    if (std::find(lines_.begin() + static_cast<std::ptrdiff_t>(first), lines_.end(), &line) == lines_.end())
        begin(line);
}

void PendingWrite::begin(RelationLog& relation, const sql::RowsChange& change) {
    held_.push_back(&relation.hold());
    for (Interest* const interest : held_.back()->interests) {
        if (!interest->view_.columns.intersects(change.columns)) continue;
        if (change.any_row || (interest->view_.keys.empty() && !interest->view_.range))
            begin(interest->line_);
        else
            begin_rows(*interest, change);
    }
}

void PendingWrite::begin_rows(Interest& interest, const sql::RowsChange& change) {
    const std::size_t since = lines_.size();
    for (const auto& image : change.images) {
        if (interest.view_.range) {
            if (!begin_range(interest, image)) begin_once(interest.line_, since);
            continue;
        }
        switch (interest.meets(image)) {
            case Interest::Met::Nothing: break;
            case Interest::Met::Line: begin_once(interest.line_of(image), since); break;
            case Interest::Met::Unknown: begin_once(interest.line_, since); break;
        }
    }
}

bool PendingWrite::begin_range(Interest& interest, const sql::RowImage& image) {
    const auto* value = value_of(image, *interest.view_.range);
    if (value == nullptr || (!value->null && !value->ordered)) return false;
    if (value->null) return true;
    const bool seen = std::ranges::any_of(within_, [&](const Within& each) {
        return each.ranges == interest.ranges_.get() && each.value == value->order;
    });
    if (seen) return true;
    interest.ranges_->begin(value->order, lines_);
    within_.push_back({interest.ranges_.get(), value->order});
    return true;
}

void PendingWrite::end() {
    for (Line* line : lines_) {
        ensure(line->pending.load() > 0, "a write ends that did not begin");
        protocol::end(*line);
    }
    for (const Within& each : within_) each.ranges->end(each.value);
    for (RelationLog::List* list : held_) list->writers.fetch_sub(1);
    lines_.clear();
    within_.clear();
    held_.clear();
}

void PendingWrite::absorb(PendingWrite&& other) {
    lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end());
    held_.insert(held_.end(), other.held_.begin(), other.held_.end());
    within_.insert(within_.end(), other.within_.begin(), other.within_.end());
    other.lines_.clear();
    other.held_.clear();
    other.within_.clear();
}

}  // namespace warmfront::cache
