// cache/write_log.h: which relations changed, in which order, and which writes are under way; the fill rule.
//
// Every relation (and every database as a whole) has a Line: a sequence number that each change raises and a
// count of pending writers. Both are atomics and the protocol needs no lock:
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
// Thread-safe. Lines are never freed while the log lives: one per relation ever read or written, 64 bytes
// each.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/names.h"

namespace warmfront::cache {

struct alignas(64) Line {
    std::atomic<std::uint64_t> sequence{1};
    std::atomic<std::uint32_t> pending{0};
    std::uint32_t database = 0;  // number given by WriteLog
    sql::Oid relation{};         // 0: the database as a whole
};

// A relation of an answer and the sequence number it was asked at.
struct Seen {
    const Line* line = nullptr;
    std::uint64_t sequence = 0;
};

// What an entry keeps of a line that it was asked at `asked`: just that.
[[nodiscard]] Seen as_kept(const Seen& asked);

// What a miss remembers when it is sent. At most kRelationsMax lines: a read of more gives no
// fillable ticket.
struct FillTicket {
    static constexpr std::size_t kRelationsMax = 64;
    std::vector<Seen> seen;  // the database's own line first
    bool fillable = false;   // no writer was pending: the answer may be kept
    // No line has moved since: the answer may be stored, and equal reads may share it.
    [[nodiscard]] bool current() const;
};

class WriteLog {
public:
    // The line of a relation, or (oid 0) of the database as a whole. Takes a lock: keep the pointer, it stays
    // valid.
    [[nodiscard]] Line& line(std::string_view database, sql::Oid relation);
    [[nodiscard]] std::size_t lines() const;

    // All lines of all databases count as changed (continuity with the upstream is in doubt).
    void everything_changed();
    // The same for one database. Its own line is enough, since every ticket and entry holds it.
    void everything_changed(std::string_view database);

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::uint32_t> databases_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Line>> lines_;
};

void begin(std::span<Line* const> effects);
void end(std::span<Line* const> effects);

// reads: the database's own line first, then the relations.
[[nodiscard]] FillTicket observe(std::span<Line* const> reads);

}  // namespace warmfront::cache
