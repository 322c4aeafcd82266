#include "forecast/calendar_text.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "config/calendar_types.h"
#include "config/holidays.h"

namespace warmfront::forecast {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view without_comment(std::string_view line) {
    for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1))
        if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
    return line;
}

// The holiday's text within a line of a YAML list, or the line as it is.
std::string_view item_of(std::string_view line) {
    line = trimmed(without_comment(line));
    if (line == "-") return {};
    if (line.starts_with("- ")) line = trimmed(line.substr(2));
    const bool quoted = line.size() >= 2 && (line.front() == '"' || line.front() == '\'');
    if (quoted && line.back() == line.front()) line = line.substr(1, line.size() - 2);
    return line;
}

Span span_of(const Holiday& holiday) {
    return {holiday.name, holiday.from_s, holiday.to_s};
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Result<Calendar> parse_holidays(std::string_view text, std::string_view file_name) {
    Calendar calendar;
    bool first = true;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view item = item_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (item.empty() || item == "---") continue;
        if (std::exchange(first, false) && item == "holidays:") continue;
        const auto holiday = parse_holiday(item);
        if (!holiday)
            return fail("22007", fmt::format("{}:{}: expected a holiday, such as 2026-11-11 singles' day or "
                                             "2026-12-24..2026-12-26 christmas, found \"{}\"",
                                             file_name, number, item.substr(0, 60)));
        if (calendar.holidays.size() >= kHolidaysMax)
            return fail("54000",
                        fmt::format("{}:{}: expected at most {} holidays", file_name, number, kHolidaysMax));
        calendar.holidays.push_back(span_of(*holiday));
    }
    std::ranges::stable_sort(calendar.holidays, {}, &Span::from_s);
    return calendar;
}

Result<Calendar> read_holidays(const std::string& path) {
    const auto unreadable = [&path] {
        return fail("58030", fmt::format("{}: expected a readable file: {}", path, std::strerror(errno)));
    };
    const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
    if (!file) return unreadable();
    std::string text(kFileBytesMax + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get())) return unreadable();
    if (text.size() > kFileBytesMax) return fail("54000", path + ": expected at most 1 MiB");
    return parse_holidays(text, path);
}

Calendar make_calendar(const ForecastSettings& settings) {
    Calendar calendar;
    for (const Holiday& holiday : settings.holidays) calendar.holidays.push_back(span_of(holiday));
    for (const KnownEvent& event : settings.events)
        calendar.events.push_back({{event.name, event.from_s, event.to_s}, event.tables});
    return calendar;
}

// "orders" names "public.orders", and the other way round nothing but itself.
bool names_table(std::string_view named, std::string_view table) {
    return named == table || (table.size() > named.size() && table.ends_with(named) &&
                              table[table.size() - named.size() - 1] == '.');
}

}  // namespace warmfront::forecast
