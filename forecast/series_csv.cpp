#include "forecast/series_csv.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

namespace warmfront::forecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Line {
    std::size_t number;
    std::int64_t time_s;
    double value;
};

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// Calls with(number, line) for each line that is not empty, until it fails.
template <typename With>
Result<void> for_each_line(std::string_view text, With with) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) continue;
        if (auto done = with(number, line); !done) return done;
    }
    return {};
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number number{};
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Takes exactly `digits` digits and what follows, if it is `after`.
std::optional<int> take(std::string_view& text, std::size_t digits, char after = '\0') {
    if (text.size() < digits) return std::nullopt;
    for (const char c : text.substr(0, digits))
        if (c < '0' || c > '9') return std::nullopt;
    const auto number = number_of<int>(text.substr(0, digits));
    text.remove_prefix(digits);
    if (after == '\0') return number;
    if (!text.starts_with(after)) return std::nullopt;
    text.remove_prefix(1);
    return number;
}

std::optional<std::int64_t> take_day(std::string_view& text) {
    namespace chrono = std::chrono;
    const auto year = take(text, 4, '-'), month = year ? take(text, 2, '-') : std::nullopt;
    const auto day = month ? take(text, 2) : std::nullopt;
    if (!day) return std::nullopt;
    const chrono::year_month_day date{chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
                                      chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return chrono::sys_days(date).time_since_epoch().count() * std::int64_t{86'400};
}

// Z, +02, +0200, +02:00; seconds east of UTC.
std::optional<std::int64_t> take_offset(std::string_view& text) {
    if (text.empty()) return 0;
    const char sign = text.front();
    text.remove_prefix(1);
    if (sign == 'Z' || sign == 'z') return 0;
    if (sign != '+' && sign != '-') return std::nullopt;
    const auto hours = take(text, 2);
    if (text.starts_with(':')) text.remove_prefix(1);
    const auto minutes = text.empty() ? std::optional(0) : take(text, 2);
    if (!hours || !minutes || *hours > 15 || *minutes > 59) return std::nullopt;
    return (sign == '-' ? -1 : 1) * (*hours * 3'600 + *minutes * 60);
}

std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
    const auto hour = take(text, 2, ':'), minute = hour ? take(text, 2) : std::nullopt;
    if (!minute || *hour > 24 || *minute > 59) return std::nullopt;
    std::int64_t time_s = *hour * 3'600 + *minute * 60;
    if (!text.starts_with(':')) return time_s;
    text.remove_prefix(1);
    const auto second = take(text, 2);
    if (!second || *second > 60) return std::nullopt;
    if (text.starts_with('.')) {  // fractions of a second do not count
        text.remove_prefix(1);
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
    }
    return time_s + *second;
}

Result<Line> parse_line(std::string_view name, std::size_t number, std::string_view text) {
    const auto error = [&](std::string_view what) {
        return fail("22023", fmt::format("{}: line {}: {}", name, number, what));
    };
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) return error("expected \"ts,value\"");
    const std::string_view value_text = trimmed(text.substr(comma + 1));
    if (value_text.find(',') != std::string_view::npos) return error("expected two columns, \"ts,value\"");
    const auto time_s = parse_time(trimmed(text.substr(0, comma)));
    if (!time_s)
        return error(
            fmt::format("\"{}\" is no time: expected ISO-8601 (2026-03-01T14:00:00Z) or Unix seconds",
                        trimmed(text.substr(0, comma))));
    for (const std::string_view unknown : {"", "NaN", "nan", "NA", "null", "NULL"})
        if (value_text == unknown) return Line{number, *time_s, kNan};
    const auto value = number_of<double>(value_text);
    if (!value) return error(fmt::format("\"{}\" is no number: leave it empty if not known", value_text));
    if (!std::isfinite(*value)) return error("the value is not finite: leave it empty if not known");
    if (*value < 0)
        return error(
            fmt::format("{} is negative: a load counts something; leave it empty if not known", *value));
    return Line{number, *time_s, *value};
}

bool is_heading(std::string_view line) {
    const std::size_t comma = line.find(',');
    return comma != std::string_view::npos && !parse_time(trimmed(line.substr(0, comma))) &&
           !number_of<double>(trimmed(line.substr(comma + 1))) &&
           line.find_first_of("0123456789") == std::string_view::npos;
}

Result<std::vector<Line>> parse_lines(std::string_view text, std::string_view name) {
    std::vector<Line> lines;
    bool first = true;
    auto done = for_each_line(text, [&](std::size_t number, std::string_view line) -> Result<void> {
        if (std::exchange(first, false) && is_heading(line)) return {};
        auto parsed = parse_line(name, number, line);
        if (!parsed) return tl::unexpected(parsed.error());
        lines.push_back(*parsed);
        return {};
    });
    if (!done) return tl::unexpected(done.error());
    if (lines.empty())
        return fail("22023", fmt::format("{}: it holds no values: expected lines \"ts,value\"", name));
    return lines;
}

void sort_lines(std::vector<Line>& lines, std::vector<std::string>& repairs) {
    for (std::size_t i = 1; i < lines.size(); ++i)
        if (lines[i].time_s < lines[i - 1].time_s) {
            repairs.push_back(
                fmt::format("line {}: earlier than the line before it: sorted by time", lines[i].number));
            std::ranges::stable_sort(lines, {}, &Line::time_s);
            break;
        }
    std::vector<Line> unique;
    std::size_t dropped = 0, dropped_line = 0;
    for (const Line& line : lines) {
        if (!unique.empty() && unique.back().time_s == line.time_s) {
            if (dropped++ == 0) dropped_line = line.number;
            unique.back() = line;
        } else {
            unique.push_back(line);
        }
    }
    if (dropped > 0)
        repairs.push_back(fmt::format("line {}: its time was given before: of {} such lines the later count",
                                      dropped_line, dropped));
    lines = std::move(unique);
}

std::int64_t usual_distance(const std::vector<Line>& lines) {
    std::map<std::int64_t, std::size_t> seen;
    for (std::size_t i = 1; i < lines.size(); ++i) ++seen[lines[i].time_s - lines[i - 1].time_s];
    return std::ranges::max_element(seen, {}, [](const auto& entry) { return entry.second; })->first;
}

Result<void> into_buckets(const std::vector<Line>& lines, bool step_given, std::string_view name,
                          CsvSeries& csv) {
    Series& series = csv.series;
    const std::int64_t step_s = series.step_s;
    series.start_s = lines.front().time_s;
    const auto buckets = static_cast<std::size_t>((lines.back().time_s - series.start_s) / step_s + 1);
    if (buckets > kCsvBucketsMax)
        return fail("22023", fmt::format("{}: line {}: {} steps of {} s after the first: at most {}: give a "
                                         "longer --step, or correct the time",
                                         name, lines.back().number, buckets - 1, step_s, kCsvBucketsMax));
    series.values.assign(buckets, kNan);
    std::size_t summed = 0, missing = 0;
    for (const Line& line : lines) {
        const std::int64_t since_s = line.time_s - series.start_s;
        if (since_s % step_s != 0 && !step_given)
            return fail("22023",
                        fmt::format("{}: line {}: {} is no whole number of steps of {} s after the first "
                                    "line: give --step, or correct the time",
                                    name, line.number, format_time(line.time_s), step_s));
        double& bucket = series.values[static_cast<std::size_t>(since_s / step_s)];
        if (std::isnan(line.value)) continue;
        if (!std::isnan(bucket)) ++summed;
        bucket = std::isnan(bucket) ? line.value : bucket + line.value;
    }
    for (const double value : series.values) missing += std::isnan(value) ? 1 : 0;
    if (summed > 0)
        csv.repairs.push_back(
            fmt::format("{} lines share a bucket of {} s with another: summed", summed, step_s));
    if (missing > 0)
        csv.repairs.push_back(
            fmt::format("{} of {} buckets have no value: taken as not known", missing, buckets));
    return {};
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
    if (const auto seconds = number_of<double>(text); seconds && text.find_first_of("-eE", 1) == text.npos) {
        constexpr double kLatest_s = 253'402'300'799;  // 9999-12-31T23:59:59Z
        if (!(std::abs(*seconds) <= kLatest_s * 1'000)) return std::nullopt;
        const bool milliseconds = std::abs(*seconds) >= 1e12;
        return static_cast<std::int64_t>(std::floor(milliseconds ? *seconds / 1'000 : *seconds));
    }
    auto time_s = take_day(text);
    if (!time_s || text.empty()) return time_s;
    if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') return std::nullopt;
    text.remove_prefix(1);
    const auto of_day = take_time_of_day(text);
    if (!of_day) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    return *time_s + *of_day - *offset;
}

std::string format_time(std::int64_t time_s) {
    namespace chrono = std::chrono;
    const chrono::sys_seconds at{chrono::seconds(time_s)};
    const auto day = chrono::floor<chrono::days>(at);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss of_day{at - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       of_day.hours().count(), of_day.minutes().count(), of_day.seconds().count());
}

std::optional<std::int64_t> parse_step(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t unit_s = 1;
    switch (text.back()) {
        case 's': unit_s = 1; break;
        case 'm': unit_s = 60; break;
        case 'h': unit_s = 3'600; break;
        case 'd': unit_s = 86'400; break;
        case 'w': unit_s = 604'800; break;
        default: unit_s = 0;
    }
    if (unit_s > 0) text.remove_suffix(1);
    if (text.ends_with("min")) return std::nullopt;
    const auto count = number_of<std::int64_t>(text);
    if (!count || *count <= 0 || *count > 1'000'000'000) return std::nullopt;
    return *count * std::max<std::int64_t>(unit_s, 1);
}

Result<CsvSeries> read_series_csv(std::string_view text, std::string_view name,
                                  std::optional<std::int64_t> step_s) {
    auto lines = parse_lines(text, name);
    if (!lines) return tl::unexpected(lines.error());
    CsvSeries csv;
    sort_lines(*lines, csv.repairs);
    if (!step_s && lines->size() < 2)
        return fail("22023", fmt::format("{}: a single time: give --step", name));
    csv.series.step_s = step_s ? *step_s : usual_distance(*lines);
    if (auto done = into_buckets(*lines, step_s.has_value(), name, csv); !done)
        return tl::unexpected(done.error());
    for (std::string& repair : csv.repairs) repair = fmt::format("{}: {}", name, repair);
    return csv;
}

}  // namespace warmfront::forecast
