// cache/write_log.h: which relations changed, in which order, and which writes are under way; the fill rule.
//
// What can change has a Line: a sequence number that each change raises and a count of pending writers. There
// is one for a database as a whole, and several for a relation, down to rows of one value
// (cache/relation_log.h). Both numbers are atomics and the protocol needs no lock:
//
//   begin(effects)  pending += 1, then sequence += 1    before a write that takes effect at once is forwarded
//   end(effects)    sequence += 1, then pending -= 1    when PostgreSQL's answer is there, before the client
//   gets it observe(reads)  reads sequence, then pending        when a miss is sent
//
// An answer that was asked for when `observe` gave sequence s is current as long as every line still shows s,
// and may be kept only if no writer was pending at that moment. begin() raises the sequence, so everything
// kept before is void from then on; nothing asked for while a writer is pending is kept, so there is no entry
// until end(); end() raises it again, so an answer asked for before the write became visible is void as well.
// Whether an entry is current is judged at each look-up by comparing numbers: a fill that is late by any
// amount cannot do harm. The order of the two steps in each call matters (see the .cpp); all of it is
// sequentially consistent.
//
// A write whose outcome is unknown (connection lost in flight) stays pending until the control thread has
// seen its backend gone, then it is ended like any other.
//
// Thread-safe. Lines are never freed while the log lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/line.h"
#include "cache/range_index.h"
#include "cache/relation_log.h"
#include "sql/names.h"

namespace warmfront::cache {

// A line that an answer depends on and the sequence number it was asked at.
struct Seen {
    const Line* line = nullptr;
    std::uint64_t sequence = 0;
};

// What an entry keeps of a line that it was asked at `asked`: just that.
[[nodiscard]] Seen as_kept(const Seen& asked);

// What a miss remembers when it is sent. At most kLinesMax lines: a read of more gives no fillable ticket.
struct FillTicket {
    static constexpr std::size_t kLinesMax = 256;
    std::vector<Seen> seen;  // the database's own line first
    bool fillable = false;   // no writer was pending: the answer may be kept
    // Starts anew, with nothing that forbids keeping.
    void start();
    void observe(const Line& line);
    void observe(RangeIndex& ranges, sql::Interval range);
    // No line has moved since: the answer may be stored, and equal reads may share it.
    [[nodiscard]] bool current() const;
};

class WriteLog {
public:
    static constexpr std::size_t kRowLinesMin = std::size_t{1} << 16;
    // More would tell hardly more rows apart, and be further from the processor: 64 MiB.
    static constexpr std::size_t kRowLinesMax = std::size_t{1} << 22;

    // row_lines: how many lines the rows of all relations share, 16 bytes each.
    explicit WriteLog(std::size_t row_lines = kRowLinesMin);

    // How many row lines fit in so many bytes; kRowLinesMin at least, kRowLinesMax at most.
    [[nodiscard]] static std::size_t row_lines_within(std::size_t bytes);
    // What is written to a relation. Takes a lock: keep the pointer, it stays valid.
    [[nodiscard]] RelationLog& relation(std::string_view database, sql::Oid relation);
    // The line of a relation as a whole, or (oid 0) of the database. Takes a lock.
    [[nodiscard]] Line& line(std::string_view database, sql::Oid relation) {
        return this->relation(database, relation).line();
    }
    [[nodiscard]] std::size_t relations() const;
    [[nodiscard]] std::size_t row_line_bytes() const { return rows_.bytes(); }

    // All lines of all databases count as changed.
    void everything_changed();
    // The same for one database. Its own line is enough, since every ticket and entry holds it.
    void everything_changed(std::string_view database);
    // PostgreSQL was lost sight of: nothing kept of the databases is current any more, and what no write has
    // overtaken may still be given as stale (Entry::unchanged).
    void lost_sight();
    void lost_sight(std::string_view database);

private:
    RowLines rows_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::uint32_t> databases_;
    std::unordered_map<std::uint64_t, std::unique_ptr<RelationLog>> relations_;
};

void begin(std::span<Line* const> effects);
void end(std::span<Line* const> effects);

// reads: the database's own line first, then the relations.
[[nodiscard]] FillTicket observe(std::span<Line* const> reads);

}  // namespace warmfront::cache
