#include "config/holidays.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace warmfront {
namespace {

constexpr std::int64_t kDay_s = 86'400;
constexpr int kYearMin = 1970, kYearMax = 2999;

// Exactly `digits` digits at the text's begin, taken off it.
std::optional<unsigned> take_number(std::string_view& text, std::size_t digits) {
    unsigned number = 0;
    if (text.size() < digits) return std::nullopt;
    const char* end = text.data() + digits;
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, char expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> take_day(std::string_view& text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month), std::chrono::day(*day)};
    if (!date.ok() || static_cast<int>(*year) < kYearMin || static_cast<int>(*year) > kYearMax)
        return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count() * kDay_s;
}

std::optional<Moment> take_moment(std::string_view& text) {
    const auto day_s = take_day(text);
    if (!day_s) return std::nullopt;
    if (!take(text, 'T')) return Moment{*day_s, true};
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    unsigned second = 0;
    if (take(text, ':')) {
        const auto given = take_number(text, 2);
        if (!given || *given > 59) return std::nullopt;
        second = *given;
    }
    take(text, 'Z');
    return Moment{*day_s + *hour * 3'600 + *minute * 60 + second, false};
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string print_day(std::int64_t time_s) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(time_s / kDay_s))};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string print_time(std::int64_t time_s) {
    const std::int64_t minute = time_s % kDay_s / 60;
    const std::string seconds = time_s % 60 == 0 ? "" : fmt::format(":{:02}", time_s % 60);
    return fmt::format("{}T{:02}:{:02}{}", print_day(time_s), minute / 60, minute % 60, seconds);
}

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
    text = trimmed(text);
    const auto moment = take_moment(text);
    return text.empty() ? moment : std::nullopt;
}

std::int64_t end_of(const Moment& moment) {
    return moment.at_s + (moment.is_day ? kDay_s : 0);
}

std::optional<Holiday> parse_holiday(std::string_view text) {
    text = trimmed(text);
    const auto from = take_moment(text);
    if (!from) return std::nullopt;
    auto to = from;
    if (text.starts_with("..")) {
        text.remove_prefix(2);
        to = take_moment(text);
    }
    if (!to || end_of(*to) <= from->at_s || !(text.empty() || text.starts_with(' '))) return std::nullopt;
    return Holiday{std::string(trimmed(text)), from->at_s, end_of(*to)};
}

std::string print_begin(std::int64_t from_s) {
    return from_s % kDay_s == 0 ? print_day(from_s) : print_time(from_s);
}

std::string print_end(std::int64_t to_s) {
    return to_s % kDay_s == 0 ? print_day(to_s - kDay_s) : print_time(to_s);
}

std::string print_holiday(const Holiday& holiday) {
    std::string text = print_begin(holiday.from_s);
    if (holiday.from_s % kDay_s != 0 || holiday.to_s != holiday.from_s + kDay_s)
        text += ".." + print_end(holiday.to_s);
    return holiday.name.empty() ? text : text + " " + holiday.name;
}

}  // namespace warmfront
