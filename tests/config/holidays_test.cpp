#include "config/holidays.h"

#include <vector>

#include <doctest/doctest.h>

#include "config/load.h"

using namespace warmfront;

namespace {

std::string first_error(const std::string& text) {
    const auto settings = load_settings(text, "f");
    return settings ? "none" : to_line(settings.error().front());
}

}  // namespace

TEST_CASE("holidays: what is written reads as its seconds and prints as the same") {
    struct Row {
        std::string text;
        Holiday holiday;
        std::string printed;
    };
    constexpr std::int64_t day = 86'400, eleven = 1'794'355'200;  // 2026-11-11T00:00:00Z
    for (const auto& [text, holiday, printed] : std::vector<Row>{
             {"1970-01-01", {"", 0, day}, "1970-01-01"},
             {"2026-11-11 singles' day", {"singles' day", eleven, eleven + day}, "2026-11-11 singles' day"},
             {" 2026-11-11..2026-11-11 x ", {"x", eleven, eleven + day}, "2026-11-11 x"},
             {"2026-11-11..2026-11-12", {"", eleven, eleven + 2 * day}, "2026-11-11..2026-11-12"},
             {"2026-11-10T16:00Z..2026-11-11T16:00 a b",
              {"a b", eleven - 8 * 3'600, eleven + 16 * 3'600},
              "2026-11-10T16:00..2026-11-11T16:00 a b"},
             {"2026-11-11T00:00:07Z..2026-11-11T00:01:00",
              {"", eleven + 7, eleven + 60},
              "2026-11-11T00:00:07..2026-11-11T00:01"}}) {
        CAPTURE(text);
        const auto read = parse_holiday(text);
        REQUIRE(read);
        CHECK(*read == holiday);
        CHECK(print_holiday(*read) == printed);
        CHECK(parse_holiday(printed) == read);
    }
}

TEST_CASE("holidays: what is no day, or ends before it begins, is refused") {
    for (const std::string text : {"", "christmas", "2026-02-29", "2026-13-01", "26-12-24", "2026-12-24x",
                                   "2026-12-24..", "3000-01-01", "2026-12-24..2026-12-23", "2026-12-24T10:00",
                                   "2026-12-24T25:00..2026-12-25", "2026-1-1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_holiday(text));
    }
}

TEST_CASE("holidays: an error in the settings names its line") {
    CHECK(first_error("forecast:\n  holidays:\n    - 2026-12-24\n    - 2026-02-30 leap\n")
              .starts_with("f:4:7: forecast.holidays: expected a list of days or ranges"));
    CHECK(
        first_error("forecast:\n  events:\n    - {name: a, from: 2026-12-24}\n    - {name: b, form: x}\n") ==
        "f:4:17: forecast.events: expected one of name, from, to, tables, found \"form\" (did you mean "
        "\"from\"?)");
    CHECK(first_error("forecast.events: [{name: a, from: 2026-12-24, to: 2026-12-23}]")
              .starts_with("f:1:47: forecast.events: expected an end after the begin"));
    CHECK(first_error("forecast.events: [{name: a}]").find("expected name and from too") !=
          std::string::npos);
    CHECK(first_error("forecast.events: [{name: [a], from: 2026-12-24}]").find("as a single value") !=
          std::string::npos);
    CHECK(first_error("tables: [{name: t, cache: [on]}]")
              .ends_with("found a list with something composed in it"));
}

TEST_CASE("holidays: events print as YAML that reads as the same, and flags give them") {
    const std::string text =
        "[{name: \"black friday\", from: \"2026-11-27\", to: \"2026-11-30\", tables: [orders, shop.items]}, "
        "{name: b, from: \"2026-12-24T10:00\", to: \"2026-12-24T11:00\"}]";
    const auto settings = load_settings("forecast.events: " + text, "f");
    REQUIRE(settings);
    REQUIRE(settings->forecast.events.size() == 2);
    CHECK(settings->forecast.events[0].tables == std::vector<std::string>{"orders", "shop.items"});
    const auto flagged = load_settings("", "f", {{"--set", "forecast.events", {text}}});
    REQUIRE(flagged);
    CHECK(flagged->forecast.events == settings->forecast.events);
}
