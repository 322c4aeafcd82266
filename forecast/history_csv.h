// forecast/history_csv.h: the lines of an exported history: CSV as in RFC 4180, texts in quotes where they
// need them.
//
//   record,step_s,from,until,kind,database,name,label,key,replay,requests,hits,rows,bytes,origin_us,reads,writes
//   recorded   step_s, from, until: a time that was recorded in such buckets
//   subject    kind, database, name, label
//   load       step_s, from (begin of the bucket), until, kind, database, name, and the counts
//   key        kind (template), database, name, key (hexadecimal), replay
//   key_load   the same without replay, with step_s, from, until, requests
// Fields that a record has no use for are empty. Times are ISO 8601, UTC, with milliseconds where there are
// any. Subjects and keys come before their loads. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace warmfront::forecast {

inline constexpr std::size_t kCsvFields = 17;
inline constexpr std::size_t kCsvRecordBytesMax = 1 << 20;
enum class CsvField : std::uint8_t {
    Record,
    Step,
    From,
    Until,
    Kind,
    Database,
    Name,
    Label,
    Key,
    Replay,
    Requests,
    Hits,
    Rows,
    Bytes,
    OriginUs,
    Reads,
    Writes,
};
struct CsvRecord {
    std::array<std::string, kCsvFields> fields;
    [[nodiscard]] std::string& operator[](CsvField field) { return fields[static_cast<std::size_t>(field)]; }
    [[nodiscard]] const std::string& operator[](CsvField field) const {
        return fields[static_cast<std::size_t>(field)];
    }
    bool operator==(const CsvRecord&) const = default;
};

[[nodiscard]] std::string_view csv_header();
[[nodiscard]] std::string csv_line(const CsvRecord& record);

// Cuts lines into records; a record may run over several lines, in quotes. Not thread-safe.
class CsvReader {
public:
    explicit CsvReader(const std::function<bool(std::string& line)>& next_line) : next_line_(next_line) {}
    // nullopt at the end. Fails with 22P04, a text without its line number.
    [[nodiscard]] Result<std::optional<CsvRecord>> next();
    // Of the record last read, from 1: the line that it began on.
    [[nodiscard]] std::size_t line() const { return first_line_; }

private:
    const std::function<bool(std::string& line)>& next_line_;
    std::size_t lines_ = 0, first_line_ = 0;
};

// "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.250Z"
[[nodiscard]] std::string time_text(std::int64_t time_ms);
[[nodiscard]] std::optional<std::int64_t> parse_time_ms(std::string_view text);
[[nodiscard]] std::string hex_of(std::string_view bytes);
[[nodiscard]] std::optional<std::string> bytes_of_hex(std::string_view digits);
// Digits only, of a number that SQLite can hold.
[[nodiscard]] std::optional<std::int64_t> parse_count(std::string_view digits);

}  // namespace warmfront::forecast
