// forecast/series_csv.h: a load from a text of lines "ts,value".
//
// ts: ISO-8601 (2026-03-01T14:00:00Z, with or without time, seconds, offset; UTC where no offset is given) or
// Unix time in seconds (13 digits: milliseconds). value: a number >= 0; empty, "NaN", "NA" or "null": not
// known. The first line may be a heading. Further columns are an error. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "forecast/series.h"

namespace warmfront::forecast {

inline constexpr std::size_t kCsvBucketsMax = 5'000'000;

struct CsvSeries {
    Series series;                     // seasons are empty
    std::vector<std::string> repairs;  // what was put right, one line each; empty: nothing was wrong
};

// step_s: nullopt: the most frequent distance between lines. Repaired, and said so: lines out of order
// (sorted), a time given twice (the later line counts), buckets without a line (not known), several times
// within one bucket of a given step (summed). Fails with 22023, naming the line and a remedy, on everything
// else; text starts with `name`.
[[nodiscard]] Result<CsvSeries> read_series_csv(std::string_view text, std::string_view name,
                                                std::optional<std::int64_t> step_s);

// Unix seconds; nullopt: no time.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);
// "2026-03-01T14:00:00Z".
[[nodiscard]] std::string format_time(std::int64_t time_s);
// "90s", "5m", "1h", "1d", "1w" or plain seconds; nullopt: none of these, or not positive.
[[nodiscard]] std::optional<std::int64_t> parse_step(std::string_view text);

}  // namespace warmfront::forecast
