// cache/relation_log.h: what is written to one relation, as finely as its readers look at it.
//
// Readers that look at a relation alike share an Interest: the columns that fix their rows (keys: columns
// that equal given values) or a column of which they read a range, and the columns whose values they look at.
// An Interest has lines of the write log:
//   - one for changes of rows that are not known by the interest's keys;
//   - one per value of the keys, out of a fixed table (RowLines) by hash: values that share a line void each
//     other's answers, never less than they should;
//   - one per range read (RangeIndex).
// An answer depends on the first and on those of the values or ranges that it was asked with. So what a write
// voids does not depend on how many answers there are, and finding out takes no look at them.
//
// A write marks the lines of every interest that it meets (PendingWrite). An interest may come up while
// writes are under way that did not know of it: it is not used until they have ended (settled()); until then
// its readers look at the relation as a whole. For that, writes hold on to the list of interests that they
// were marked by.
//
// Bounds: kInterestsMax interests a relation; further readers share a coarser one. Thread-safe; interests and
// lines live as long as the log.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cache/line.h"
#include "cache/range_index.h"
#include "sql/change.h"
#include "sql/column_set.h"

namespace warmfront::cache {

// How readers look at a relation.
struct View {
    std::vector<std::int16_t> keys;     // ascending
    std::optional<std::int16_t> range;  // only without keys
    sql::ColumnSet columns = sql::ColumnSet::all();
    bool operator==(const View&) const = default;
};

// The lines of key values, shared by all relations.
class RowLines {
public:
    // lines is rounded up to a power of two.
    explicit RowLines(std::size_t lines);
    [[nodiscard]] Line& at(std::uint64_t hash) { return lines_[hash & mask_]; }
    [[nodiscard]] std::size_t bytes() const { return (mask_ + 1) * sizeof(Line); }

private:
    struct Free {
        void operator()(Line* lines) const { std::free(lines); }  // NOLINT: std::aligned_alloc's
    };
    std::uint64_t mask_;
    std::unique_ptr<Line[], Free> lines_;
};

class Interest {
public:
    Interest(View view, std::uint64_t salt, std::size_t since, RowLines& rows)
        : view_(std::move(view)), salt_(salt), since_(since), rows_(rows) {
        if (view_.range) ranges_ = std::make_unique<RangeIndex>();
    }

    [[nodiscard]] const View& view() const { return view_; }
    [[nodiscard]] Line& line() { return line_; }
    // Of rows with these values; the image holds every key. A NULL is a value that no row equals.
    [[nodiscard]] Line& line_of(const sql::RowImage& image) { return rows_.at(place_of(image)); }
    [[nodiscard]] RangeIndex& ranges() { return *ranges_; }

private:
    friend class RelationLog;
    friend class PendingWrite;
    enum class Met { Nothing, Line, Unknown };
    // What a changed row means to readers with keys.
    [[nodiscard]] Met meets(const sql::RowImage& image) const;
    [[nodiscard]] std::uint64_t place_of(const sql::RowImage& image) const;

    const View view_;
    const std::uint64_t salt_;
    const std::size_t since_;  // number of the first list that holds it
    RowLines& rows_;
    Line line_;
    std::unique_ptr<RangeIndex> ranges_;
    std::atomic<bool> settled_{false};
};

class RelationLog {
public:
    static constexpr std::size_t kInterestsMax = 32;

    explicit RelationLog(RowLines& rows);

    // Of readers of any row and column.
    [[nodiscard]] Line& line() { return whole_->line(); }
    // The interest of such readers, or, at the bound, one that sees more: fewer keys, more columns. Takes a
    // lock.
    [[nodiscard]] Interest& interest(const View& view);
    // Whether readers may rely on it: no write is under way that began before it was there.
    [[nodiscard]] bool settled(Interest& interest) const;

private:
    friend class PendingWrite;
    struct List {
        std::vector<Interest*> interests;
        std::atomic<std::uint32_t> writers{0};
    };
    // The present list, which counts the writer until it lets go.
    [[nodiscard]] List& hold();
    [[nodiscard]] Interest* coarser(const View& view) const;

    RowLines& rows_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Interest>> interests_;
    std::vector<std::unique_ptr<List>> lists_;  // each with the interests of the former and one more
    std::atomic<List*> present_;
    Interest* whole_;
};

// What one writer has marked and not ended yet. Its own thread only; ended before it is destroyed.
class PendingWrite {
public:
    PendingWrite() = default;
    PendingWrite(PendingWrite&&) noexcept = default;
    PendingWrite& operator=(PendingWrite&&) noexcept = default;

    void begin(Line& line);
    void begin(RelationLog& relation, const sql::RowsChange& change);
    void end();
    void absorb(PendingWrite&& other);
    [[nodiscard]] bool empty() const { return lines_.empty() && held_.empty(); }

private:
    struct Within {
        RangeIndex* ranges;
        std::int64_t value;
    };
    void begin_rows(Interest& interest, const sql::RowsChange& change);
    // False where the row's value is not known.
    bool begin_range(Interest& interest, const sql::RowImage& image);
    void begin_once(Line& line, std::size_t since);

    std::vector<Line*> lines_;
    std::vector<RelationLog::List*> held_;
    std::vector<Within> within_;
};

}  // namespace warmfront::cache
