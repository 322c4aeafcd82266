// forecast/history.h: what was asked for, bucket by bucket, kept in a SQLite file through restarts.
//
// A bucket counts the load of `step_s` seconds (forecast.bucket) by subject: a database, a table of it, a
// statement ("template") of it; and of each template's heavy hitters by key. Old buckets are rolled up: into
// hours, then into days (Retention). The file remembers which times were recorded, so that an hour without
// load is 0 and an hour in which the proxy was down is not known. Its tables: docs/history.md; users may read
// them while the proxy runs (WAL).
//
// Two ends, on connections of their own, so that neither waits for the other: one HistoryWriter a file, used
// by one thread at a time, and any number of HistoryReaders, each used by one thread at a time. Subjects and
// keys are names and bytes that the caller chose; nothing here looks into them.
//
// Times are Unix seconds or milliseconds, UTC. Errors carry SQLSTATE 58030 (the file cannot be read or
// written; 53100: disk full), 22023 (an argument), XX001 (the file is damaged).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "forecast/board.h"
#include "forecast/series.h"

namespace warmfront::forecast {

class SqliteFile;  // forecast/sqlite_file.h

inline constexpr std::size_t kSubjectNameBytesMax = 1024;  // of database and name each; longer ones are cut
inline constexpr std::size_t kLabelBytesMax = 1024;
inline constexpr std::size_t kKeyBytesMax = 1024;          // longer keys are not kept
inline constexpr std::size_t kReplayBytesMax = 64 * 1024;  // of a longer one nothing is kept but the key
inline constexpr std::size_t kBucketSubjectsMax = 20'000;  // of a bucket; the rest is left out
inline constexpr std::size_t kBucketKeysMax = 10'000;      // alike

struct Subject {
    SeriesName::Kind kind = SeriesName::Kind::Database;
    std::string database, name;                        // as in SeriesName
    auto operator<=>(const Subject&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct LoadCounts {
    std::uint64_t requests = 0;   // answered, in whatever way
    std::uint64_t hits = 0;       // of these from memory
    std::uint64_t rows = 0;       // of the answers
    std::uint64_t bytes = 0;      // alike
    std::uint64_t origin_us = 0;  // PostgreSQL's time
    std::uint64_t reads = 0;      // of a table: requests that read it
    std::uint64_t writes = 0;     // of a table: requests that write to it
    void add(const LoadCounts& other);
    [[nodiscard]] bool none() const { return requests == 0 && reads == 0 && writes == 0; }
    bool operator==(const LoadCounts&) const = default;
};

struct SubjectLoad {
    Subject subject;
    std::string label;  // for people: a template's text; empty: what was given before stays
    LoadCounts counts;
};

struct KeyLoad {
    std::string database, name;  // of its template
    std::string key;             // the same bytes for the same question, in every process to come
    std::string replay;          // what is needed to ask it again; empty: what was given before stays
    std::uint64_t requests = 0;
};

struct Bucket {
    std::int64_t begin_s = 0;  // a multiple of step_s
    std::int64_t step_s = 60;
    // What was recorded of it: less than all of it where the proxy began or ended within.
    std::int64_t from_ms = 0, until_ms = 0;
    std::vector<SubjectLoad> subjects;  // those without any load may be left out
    std::vector<KeyLoad> keys;
};

// How long what is kept in which steps. Ages count from now.
struct Retention {
    std::int64_t buckets_s = 28 * 86'400;      // as recorded, then by hours
    std::int64_t hours_s = 180 * 86'400;       // then by days
    std::int64_t days_s = 5 * 365 * 86'400LL;  // then not at all
    std::int64_t key_buckets_s = 2 * 86'400;   // of keys, then by hours
    std::int64_t key_hours_s = 35 * 86'400;    // then not at all
    std::uint64_t bytes_max = 2ULL << 30;      // of the file; above it the oldest goes before its time
    std::size_t keys_max = 10'000;             // of a template; those with most requests lately stay
};

struct HistoryFileStats {
    std::uint64_t file_bytes = 0;  // with its write-ahead log
    std::uint64_t subjects = 0, keys = 0;
    std::int64_t first_s = 0, last_s = 0;  // recorded; 0: nothing yet
};

// "history.sqlite" in that directory.
[[nodiscard]] std::string history_path(const std::string& state_dir);

class HistoryWriter {
public:
    // The file is made if there is none. One that is damaged, or is another program's, is renamed to
    // "<path>.damaged-<Unix seconds>" (its log too) and a new one is made; set_aside() then tells. Fails
    // where even that cannot be done.
    [[nodiscard]] static Result<HistoryWriter> open(const std::string& path, Retention retention,
                                                    std::int64_t now_s);
    // Puts the file aside without looking at it: one that was found damaged in use. No writer may be open.
    [[nodiscard]] static Result<HistoryWriter> start_anew(const std::string& path, Retention retention,
                                                          std::int64_t now_s, const std::string& why);
    HistoryWriter(HistoryWriter&&) noexcept;
    HistoryWriter& operator=(HistoryWriter&&) noexcept;
    ~HistoryWriter();

    // "<new name of the file>: <why>"; empty: nothing was set aside.
    [[nodiscard]] const std::string& set_aside() const { return set_aside_; }

    // In one transaction: all of it is in the file, or nothing. What is there of the same bucket is added to
    // (a restart within a bucket). On the disk at the latest with the next checkpoint: a crash of the machine
    // may lose the last buckets, one of the process none.
    [[nodiscard]] Result<void> append(const Bucket& bucket);
    // Rolls up and drops what is old, and what is too much; some of it: true if there is more to do. One
    // transaction, within a second or so. To be called after each append.
    [[nodiscard]] Result<bool> maintain(std::int64_t now_s);
    void set_retention(const Retention& retention) { retention_ = retention; }
    [[nodiscard]] Result<HistoryFileStats> stats() const;

    // Adds the lines of export_history(). Nothing is changed if one of them cannot be read: fails with 22P04
    // and "line 7: ..." then. Where the file and the lines know the same bucket of a subject or key, the
    // lines' numbers stand; a time that the file has in other steps is refused. The number of records read.
    [[nodiscard]] Result<std::size_t> import(const std::function<bool(std::string& line)>& next_line);

private:
    HistoryWriter(std::unique_ptr<SqliteFile> file, Retention retention);
    [[nodiscard]] std::int64_t age(std::int64_t full_s) const;
    [[nodiscard]] Result<bool> roll_keys(std::int64_t now_s);
    [[nodiscard]] Result<void> forget_old(std::int64_t now_s);
    [[nodiscard]] Result<bool> fit_size();

    std::unique_ptr<SqliteFile> file_;
    Retention retention_;
    std::string set_aside_;
    double shrunk_ = 1;               // of every age, for the file's size
    std::int64_t keys_rolled_s_ = 0;  // until when; 0: not known
    std::int64_t forgotten_s_ = 0;    // when last
};

class HistoryReader {
public:
    // Fails with 58030 where there is no such file, with XX001 where it is not a history.
    [[nodiscard]] static Result<HistoryReader> open(const std::string& path);
    HistoryReader(HistoryReader&&) noexcept;
    HistoryReader& operator=(HistoryReader&&) noexcept;
    ~HistoryReader();

    // The buckets of step_s that begin within [from_s, to_s), both multiples of step_s, none before the first
    // that is known and none after the last. NaN: less than half of it was recorded, or it is kept in longer
    // steps only; of what was recorded in part, the whole is extrapolated. Empty if nothing is known.
    // At most kSeriesMax buckets: 22023.
    static constexpr std::size_t kSeriesMax = 1'000'000;
    [[nodiscard]] Result<Series> series(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                                        std::int64_t step_s) const;

    // series() of each name, in one go over all subjects: for many of them and few buckets. No more than
    // kSeriesMax numbers in all: 22023.
    [[nodiscard]] Result<std::vector<Series>> series_of_all(std::span<const SeriesName> names,
                                                            std::int64_t from_s, std::int64_t to_s,
                                                            std::int64_t step_s) const;

    struct SubjectTotal {
        Subject subject;
        std::string label;
        LoadCounts counts;
    };
    // Those with load within [from_s, to_s), most requests (of a table: reads and writes) first.
    [[nodiscard]] Result<std::vector<SubjectTotal>> subjects(SeriesName::Kind kind, std::int64_t from_s,
                                                             std::int64_t to_s, std::size_t count_max) const;

    // Of one subject, within [from_s, to_s); 0 for one that is not known.
    [[nodiscard]] Result<std::uint64_t> requests(const Subject& subject, std::int64_t from_s,
                                                 std::int64_t to_s) const;

    struct KeyHistory {
        std::int64_t id = 0;  // of the key in this file: stays the same as long as the key is kept
        std::string key, replay;
        std::uint64_t requests = 0;  // within the time asked for
        // Begin and requests of the steps in which it was asked for, oldest first.
        struct Step {
            std::int64_t begin_s = 0, step_s = 0;
            std::uint64_t requests = 0;
        };
        std::vector<Step> steps;
    };
    // Shows the keys of a template that were asked for most within [from_s, to_s), most first; one is in
    // memory at a time.
    [[nodiscard]] Result<void> hot_keys(std::string_view database, std::string_view name, std::int64_t from_s,
                                        std::int64_t to_s, std::size_t count_max,
                                        const std::function<void(KeyHistory key)>& visit) const;

    [[nodiscard]] Result<HistoryFileStats> stats() const;

    // Everything, as CSV (docs/history.md), by lines without their ends; stops when `write` says false.
    [[nodiscard]] Result<void> export_history(const std::function<bool(std::string_view line)>& write) const;

private:
    explicit HistoryReader(std::unique_ptr<SqliteFile> file);
    std::unique_ptr<SqliteFile> file_;
};

}  // namespace warmfront::forecast
