// Why no reader sees an old answer: a proof sketch.
//
// All operations on a line are sequentially consistent, so together with each thread's own order they have
// one total order; "before" below means in it. Messages to and from PostgreSQL and clients pass through the
// kernel and are ordered with the operations around them. Take one write W, one line L in its effects, and an
// answer A that was read from L. W's life:  B1 pending+1 · B2 sequence+1 · forwarded · visible to others · E1
// sequence+1 · E2 pending-1 · acknowledged A's life:  O1 sequence read as s · O2 pending read · asked of
// PostgreSQL · answered · kept with s (only if O2 was 0)
//
// Claim: if A lacks W, no look-up that starts after W became visible to anyone gives A.
// A lacks W, so it was asked before W became visible: O1 and O2 come before `visible`, hence before E1.
//   O1 before B2: B2 raised the sequence, and B2 is before `visible`; any look-up from then on reads a number
//   above s. O1 after B2:  then O2 is after B1, and before E2 as shown: pending was not 0, A was not kept.
// So O1 must come before O2 and B1 before B2: with either pair swapped O2 may read 0 before B1 while O1 reads
// what B2 wrote, and A is kept and stays current. E1 and E2 come before the acknowledgement, so whoever waits
// for that finds answers kept again. E1 makes void every answer asked for before the end, whatever was
// thought of it: a ticket taken in the gap is never shared after the write, also when the write's outcome is
// not known.
//
// "Visible to anyone" is earlier than "acknowledged to the writer": that is what keeps readers from going
// back. A reader who saw W straight from PostgreSQL does so after B2, and finds no answer without W
// afterwards.
//
// Many lines: the writer begins all of them before forwarding and ends them after the answer. A look-up
// checks its lines one after the other; a sequence only grows, so all of them still showed their numbers when
// the first was read, and that moment is the one at which the answer was true. Many writers: pending is a
// count, and the argument is about each W on its own.
//
// Late fills: an entry carries its numbers and they are compared at each look-up. When it was stored plays no
// part.
#include "cache/write_log.h"

#include <algorithm>
#include <bit>

#include "cache/write_protocol.h"
#include "config/ensure.h"

namespace warmfront::cache {

#ifdef WARMFRONT_TEST_WITHOUT_FILL_RULE
// The naive cache: a write drops what is stored, and an answer is stored whenever it arrives. Tests build
// this to show that they notice; it is in no other build.
static constexpr bool kFillRule = false;
#else
static constexpr bool kFillRule = true;
#endif

bool FillTicket::current() const {
    if (!kFillRule) return true;
    for (const Seen& each : seen) {
        if (!protocol::current(*each.line, each.sequence)) return false;
    }
    return true;
}

Seen as_kept(const Seen& asked) {
    if (!kFillRule) return {asked.line, protocol::observe(*asked.line).sequence};
    return asked;
}

void begin(std::span<Line* const> effects) {
    for (Line* line : effects) protocol::begin(*line);
}

void end(std::span<Line* const> effects) {
    for (Line* line : effects) {
        ensure(line->pending.load() > 0, "a write ends that did not begin");
        protocol::end(*line);
    }
}

void FillTicket::start() {
    seen.clear();
    fillable = true;
}

static void add(FillTicket& ticket, const Line& line, protocol::Observed observed) {
    if (ticket.seen.size() >= FillTicket::kLinesMax) {
        ticket.fillable = false;
        return;
    }
    ticket.seen.push_back({&line, observed.sequence});
    if (!observed.quiet && kFillRule) ticket.fillable = false;
}

void FillTicket::observe(const Line& line) {
    add(*this, line, protocol::observe(line));
}

void FillTicket::observe(RangeIndex& ranges, sql::Interval range) {
    if (const auto found = ranges.observe(range))
        add(*this, *found->line, found->observed);
    else
        fillable = false;
}

FillTicket observe(std::span<Line* const> reads) {
    FillTicket ticket;
    ticket.start();
    for (const Line* line : reads) ticket.observe(*line);
    return ticket;
}

WriteLog::WriteLog(std::size_t row_lines) : rows_(row_lines) {}

std::size_t WriteLog::row_lines_within(std::size_t bytes) {
    return std::clamp(std::bit_floor(bytes / sizeof(Line)), kRowLinesMin, kRowLinesMax);
}

RelationLog& WriteLog::relation(std::string_view database, sql::Oid relation) {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<std::uint32_t>(databases_.size());
    const auto [place, is_new] = databases_.try_emplace(std::string(database), number);
    const std::uint64_t name = std::uint64_t{place->second} << 32 | static_cast<std::uint32_t>(relation);
    auto& log = relations_[name];
    if (!log) log = std::make_unique<RelationLog>(rows_);
    return *log;
}

std::size_t WriteLog::relations() const {
    const std::lock_guard lock(mutex_);
    return relations_.size();
}

void WriteLog::everything_changed() {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, log] : relations_) log->line().sequence.fetch_add(1);
}

void WriteLog::everything_changed(std::string_view database) {
    line(database, sql::Oid{}).sequence.fetch_add(1);
}

void WriteLog::lost_sight() {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, log] : relations_)
        if (static_cast<std::uint32_t>(name) == 0) protocol::lose(log->line());  // a database's own
}

void WriteLog::lost_sight(std::string_view database) {
    protocol::lose(line(database, sql::Oid{}));
}

}  // namespace warmfront::cache
