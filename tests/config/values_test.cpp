#include "config/values.h"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront;
using std::chrono::milliseconds;

TEST_CASE("values: a size is digits and a unit of 1024 or 1000") {
    struct Row {
        std::string_view text;
        std::optional<std::size_t> bytes;
    };
    for (const auto& [text, bytes] : std::vector<Row>{{"0", 0},
                                                      {"1", 1},
                                                      {"12B", 12},
                                                      {"1KiB", 1024},
                                                      {"256MiB", 268'435'456},
                                                      {"256 MiB", 268'435'456},
                                                      {"2GiB", 2'147'483'648},
                                                      {"1TiB", 1'099'511'627'776},
                                                      {"3KB", 3'000},
                                                      {"3MB", 3'000'000},
                                                      {"3GB", 3'000'000'000},
                                                      {"3TB", 3'000'000'000'000},
                                                      {"18446744073709551615", 18'446'744'073'709'551'615U},
                                                      {"16777215TiB", 18'446'742'974'197'923'840U},
                                                      {"16777216TiB", std::nullopt},
                                                      {"18446744073709551616", std::nullopt},
                                                      {"", std::nullopt},
                                                      {"MiB", std::nullopt},
                                                      {"-1", std::nullopt},
                                                      {"+1", std::nullopt},
                                                      {"1.5GiB", std::nullopt},
                                                      {"1kB", std::nullopt},
                                                      {"1mib", std::nullopt},
                                                      {"1MiBx", std::nullopt},
                                                      {" 1MiB", std::nullopt},
                                                      {"1MiB ", std::nullopt},
                                                      {"0x10", std::nullopt}}) {
        CAPTURE(text);
        CHECK(parse_size(text) == bytes);
    }
}

TEST_CASE("values: a duration needs a unit, except 0") {
    struct Row {
        std::string_view text;
        std::optional<milliseconds> duration;
    };
    for (const auto& [text, duration] : std::vector<Row>{{"0", milliseconds{0}},
                                                         {"0s", milliseconds{0}},
                                                         {"500ms", milliseconds{500}},
                                                         {"10s", milliseconds{10'000}},
                                                         {"10 s", milliseconds{10'000}},
                                                         {"5m", milliseconds{300'000}},
                                                         {"2h", milliseconds{7'200'000}},
                                                         {"1d", milliseconds{86'400'000}},
                                                         {"9223372036854775807ms", milliseconds::max()},
                                                         {"9223372036854775808ms", std::nullopt},
                                                         {"106751991168d", std::nullopt},
                                                         {"10", std::nullopt},
                                                         {"00", std::nullopt},
                                                         {"", std::nullopt},
                                                         {"s", std::nullopt},
                                                         {"-1s", std::nullopt},
                                                         {"1.5s", std::nullopt},
                                                         {"1us", std::nullopt},
                                                         {"1h30m", std::nullopt}}) {
        CAPTURE(text);
        CHECK(parse_duration(text) == duration);
    }
}

TEST_CASE(
    "values: sizes and durations are printed in the largest unit that divides them, and read back alike") {
    CHECK(print_size(0) == "0");
    CHECK(print_size(1500) == "1500B");
    CHECK(print_size(1536) == "1536B");
    CHECK(print_size(2048) == "2KiB");
    CHECK(print_size(std::size_t{256} << 20) == "256MiB");
    CHECK(print_duration(milliseconds{1500}) == "1500ms");
    CHECK(print_duration(milliseconds{90'000}) == "90s");
    CHECK(print_duration(milliseconds{86'400'000}) == "1d");
    for (std::size_t power = 0; power < 63; ++power) {
        for (const std::size_t number :
             {(std::size_t{1} << power) - 1, std::size_t{1} << power, std::size_t{3} << power}) {
            CAPTURE(number);
            CHECK(parse_size(print_size(number)) == number);
            const milliseconds duration{static_cast<std::int64_t>(number >> 1)};
            CHECK(parse_duration(print_duration(duration)) == duration);
        }
    }
}

TEST_CASE("values: an address is host and port, or the path of a unix socket") {
    struct Row {
        std::string text;
        std::optional<Address> address;
    };
    const std::string longest_path = "/" + std::string(106, 's');
    for (const auto& [text, address] :
         std::vector<Row>{{"127.0.0.1:6432", Address{"127.0.0.1", 6432, ""}},
                          {"localhost:1", Address{"localhost", 1, ""}},
                          {"db-1.example_x.org:65535", Address{"db-1.example_x.org", 65535, ""}},
                          {"*:6432", Address{"*", 6432, ""}},
                          {"[::1]:6432", Address{"::1", 6432, ""}},
                          {"[fe80::1%eth0]:6432", Address{"fe80::1%eth0", 6432, ""}},
                          {"[::ffff:10.0.0.1]:6432", Address{"::ffff:10.0.0.1", 6432, ""}},
                          {"127.0.0.1:0", Address{"127.0.0.1", 0, ""}},
                          {"/run/warmfront/.s.PGSQL.6432", Address{"", 0, "/run/warmfront/.s.PGSQL.6432"}},
                          {"/run/with:colon:1", Address{"", 0, "/run/with:colon:1"}},
                          {longest_path, Address{"", 0, longest_path}},
                          {longest_path + "s", std::nullopt},
                          {"/", std::nullopt},
                          {"/run/", std::nullopt},
                          {std::string("/run\0x", 6), std::nullopt},
                          {"", std::nullopt},
                          {"6432", std::nullopt},
                          {":6432", std::nullopt},
                          {"localhost", std::nullopt},
                          {"localhost:", std::nullopt},
                          {"localhost:65536", std::nullopt},
                          {"localhost:-1", std::nullopt},
                          {"localhost:pg", std::nullopt},
                          {"::1:6432", std::nullopt},
                          {"[localhost]:6432", std::nullopt},
                          {"[]:6432", std::nullopt},
                          {"[::1]", std::nullopt},
                          {"[::1:6432", std::nullopt},
                          {"**:6432", std::nullopt},
                          {"a b:6432", std::nullopt},
                          {"http://localhost:6432", std::nullopt},
                          {"./socket", std::nullopt},
                          {std::string(254, 'h') + ":1", std::nullopt}}) {
        CAPTURE(text);
        CHECK(parse_address(text) == address);
        if (address) CHECK(print_address(*address) == text);
    }
}

TEST_CASE("values: counts are digits only, booleans have three words each") {
    CHECK(parse_count("0") == 0);
    CHECK(parse_count("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    for (const std::string_view text : {"", " 1", "1 ", "-1", "+1", "1e3", "18446744073709551616", "0x1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_count(text));
    }
    for (const std::string_view text : {"true", "yes", "on"}) CHECK(parse_boolean(text) == true);
    for (const std::string_view text : {"false", "no", "off"}) CHECK(parse_boolean(text) == false);
    for (const std::string_view text : {"", "1", "TRUE", "y"}) CHECK_FALSE(parse_boolean(text));
}
