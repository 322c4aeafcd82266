#include "forecast/calendar_text.h"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include "config/load.h"

using namespace warmfront;
using namespace warmfront::forecast;

namespace {
constexpr std::int64_t kDay_s = 86'400;
constexpr std::int64_t kChristmas_s = 1'798'070'400;  // 2026-12-24T00:00:00Z
}  // namespace

TEST_CASE("calendar text: a file of lines and a YAML list say the same") {
    const auto lines = parse_holidays(
        "# of the shop\n2026-12-24..2026-12-26 christmas  # closed\n\n2025-11-11 singles' "
        "day\r\n2026-12-31\n",
        "f");
    const auto yaml = parse_holidays(
        "---\nholidays:\n  - 2026-12-31\n  - \"2025-11-11 singles' day\"\n  - 2026-12-24..2026-12-26 "
        "christmas\n",
        "f");
    REQUIRE(lines);
    REQUIRE(yaml);
    REQUIRE(lines->holidays.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(lines->holidays[i].name == yaml->holidays[i].name);
        CHECK(lines->holidays[i].from_s == yaml->holidays[i].from_s);
        CHECK(lines->holidays[i].to_s == yaml->holidays[i].to_s);
    }
    CHECK(lines->holidays[0].name == "singles' day");
    CHECK(lines->holidays[1].from_s == kChristmas_s);
    CHECK(lines->holidays[1].to_s == kChristmas_s + 3 * kDay_s);
    CHECK(lines->holidays[2].name.empty());
}

TEST_CASE("calendar text: what is no holiday is refused with its line") {
    const auto wrong = parse_holidays("2026-12-24\n\n24.12.2026 christmas\n", "days.txt");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().sqlstate == "22007");
    CHECK(wrong.error().text.starts_with("days.txt:3: expected a holiday"));
    CHECK(read_holidays("/nowhere/at/all").error().sqlstate == "58030");
}

TEST_CASE("calendar text: a file is read") {
    const auto path = std::filesystem::temp_directory_path() / fmt::format("holidays_{}.txt", getpid());
    std::ofstream(path) << "2026-12-24 eve\n";
    const auto calendar = read_holidays(path.string());
    std::filesystem::remove(path);
    REQUIRE(calendar);
    CHECK(calendar->holidays.size() == 1);
}

TEST_CASE("calendar text: settings become a calendar, whose events name tables with a schema or without") {
    const auto settings = load_settings(
        "forecast:\n  holidays: [2026-12-24 eve]\n  events:\n"
        "    - {name: sale, from: 2026-12-24, to: 2026-12-25T12:00, tables: [orders, shop.items]}\n"
        "    - {name: all, from: 2026-12-26}\n",
        "f");
    REQUIRE(settings);
    const Calendar calendar = make_calendar(settings->forecast);
    REQUIRE(calendar.events.size() == 2);
    CHECK(calendar.events[0].span.to_s == kChristmas_s + kDay_s + kDay_s / 2);
    CHECK(calendar.events[1].span.to_s == kChristmas_s + 3 * kDay_s);
    CHECK(calendar.events[0].tables == std::vector<std::string>{"orders", "shop.items"});
    CHECK(names_table("orders", "public.orders"));
    CHECK(names_table("shop.items", "shop.items"));
    CHECK_FALSE(names_table("shop.items", "public.items"));
    CHECK_FALSE(names_table("orders", "public.reorders"));
    CHECK_FALSE(names_table("public.orders", "orders"));
}
