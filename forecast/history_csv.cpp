#include "forecast/history_csv.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace warmfront::forecast {

std::string_view csv_header() {
    return "record,step_s,from,until,kind,database,name,label,key,replay,requests,hits,rows,bytes,origin_us,"
           "reads,writes";
}

std::string csv_line(const CsvRecord& record) {
    std::string line;
    for (std::size_t i = 0; i < kCsvFields; ++i) {
        if (i > 0) line += ',';
        const std::string& field = record.fields[i];
        if (field.find_first_of(",\"\r\n") == std::string::npos) {
            line += field;
            continue;
        }
        line += '"';
        for (const char c : field) line.append(c == '"' ? 2 : 1, c);
        line += '"';
    }
    return line;
}

// A quote closes a field, unless another follows: then it stands for itself.
Result<std::optional<CsvRecord>> CsvReader::next() {
    std::string line;
    if (!next_line_(line)) return std::optional<CsvRecord>();
    first_line_ = ++lines_;
    CsvRecord record;
    std::size_t field = 0, at = 0, read = line.size();
    bool quoted = false, closed = false;
    for (;;) {
        if (at == line.size()) {
            if (!quoted) break;
            record.fields[field] += '\n';
            if (!next_line_(line)) return fail("22P04", "a quote is not closed");
            ++lines_;
            at = 0;
            if ((read += line.size()) > kCsvRecordBytesMax) return fail("22P04", "the record is too long");
            continue;
        }
        const char c = line[at++];
        if (quoted) {
            if (c != '"')
                record.fields[field] += c;
            else if (at < line.size() && line[at] == '"')
                record.fields[field] += line[at++];
            else
                quoted = false, closed = true;
        } else if (c == ',') {
            if (++field == kCsvFields) return fail("22P04", "more than 17 fields");
            closed = false;
        } else if (c == '"' && record.fields[field].empty() && !closed) {
            quoted = true;
        } else if (closed || c == '"') {
            if (c != '\r' || at != line.size()) return fail("22P04", "a quote within a field");
        } else if (c != '\r' || at != line.size()) {
            record.fields[field] += c;
        }
    }
    if (field + 1 != kCsvFields) return fail("22P04", fmt::format("{} fields instead of 17", field + 1));
    return record;
}

std::string time_text(std::int64_t time_ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds{time_ms}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                   clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    if (clock.subseconds().count() != 0) text += fmt::format(".{:03}", clock.subseconds().count());
    return text + "Z";
}

std::optional<std::int64_t> parse_time_ms(std::string_view text) {
    using namespace std::chrono;
    // 2026-03-01T12:00:00 and Z or .250Z
    constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
    if (text.size() != 20 && text.size() != 24) return std::nullopt;
    for (std::size_t i = 0; i < kShape.size(); ++i)
        if (kShape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return std::nullopt;
    if (text.back() != 'Z' || (text.size() == 24 && text[19] != '.')) return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t digits) {
        return static_cast<int>(parse_count(text.substr(at, digits)).value_or(0));
    };
    if (text.size() == 24 && !parse_count(text.substr(20, 3))) return std::nullopt;
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                              day{static_cast<unsigned>(number(8, 2))}};
    const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const auto time = sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
    const std::int64_t ms = text.size() == 24 ? number(20, 3) : 0;
    return duration_cast<milliseconds>(time.time_since_epoch()).count() + ms;
}

std::string hex_of(std::string_view bytes) {
    std::string digits;
    for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return digits;
}

std::optional<std::string> bytes_of_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
        if (error != std::errc() || end != digits.data() + i + 2) return std::nullopt;
        bytes += static_cast<char>(value);
    }
    return bytes;
}

std::optional<std::int64_t> parse_count(std::string_view digits) {
    std::int64_t value = 0;
    const char* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    if (error != std::errc() || end != last || value < 0 || digits.front() == '-') return std::nullopt;
    return value;
}

}  // namespace warmfront::forecast
