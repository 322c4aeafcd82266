// forecast/history_rows.h: rows of a history file, one by one: what appending and importing have in common.
//
// Within a transaction of the caller's. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.h"
#include "forecast/history.h"
#include "forecast/sqlite_file.h"

namespace warmfront::forecast {

// A time that was recorded, in buckets of step_s.
struct RecordedSpan {
    std::int64_t from_ms = 0, until_ms = 0, step_s = 0;
    bool operator==(const RecordedSpan&) const = default;
};

class HistoryRows {
public:
    enum class Same : std::uint8_t { Add, Replace };  // what becomes of numbers that are there
    [[nodiscard]] static Result<HistoryRows> prepare(SqliteFile& file, Same same);

    // Their numbers in the file; made if there is none. Names and labels are cut to their bounds, a replay
    // that is too long is left out; an empty label or replay leaves what is there.
    [[nodiscard]] Result<std::int64_t> subject(const Subject& subject, std::string_view label);
    [[nodiscard]] Result<std::int64_t> key(std::int64_t subject, std::string_view key,
                                           std::string_view replay);
    [[nodiscard]] Result<void> put_load(std::int64_t subject, std::int64_t begin_s, std::int64_t step_s,
                                        const LoadCounts& counts);
    [[nodiscard]] Result<void> put_key_load(std::int64_t key, std::int64_t begin_s, std::int64_t step_s,
                                            std::uint64_t requests);
    // What of it is not recorded yet; joined to a neighbour where it can be.
    [[nodiscard]] Result<void> put_recorded(const RecordedSpan& span);

private:
    HistoryRows(SqliteStatement subject, SqliteStatement load, SqliteStatement key, SqliteStatement key_load,
                SqliteFile& file)
        : subject_(std::move(subject)),
          load_(std::move(load)),
          key_(std::move(key)),
          key_load_(std::move(key_load)),
          file_(&file) {}
    SqliteStatement subject_, load_, key_, key_load_;
    SqliteFile* file_;
};

// Those that overlap [from_ms, until_ms), oldest first.
[[nodiscard]] Result<std::vector<RecordedSpan>> recorded_spans(SqliteFile& file, std::int64_t from_ms,
                                                               std::int64_t until_ms);
// A text cut to so many bytes, between characters of UTF-8.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes_max);

[[nodiscard]] Result<HistoryFileStats> stats_of(SqliteFile& file);

}  // namespace warmfront::forecast
