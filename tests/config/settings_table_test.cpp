#include "config/settings_table.h"

#include <limits>
#include <map>
#include <set>

#include <doctest/doctest.h>

using namespace warmfront;

static RawValue scalar(std::string text) {
    return {RawValue::Shape::Scalar, {std::move(text)}, {}};
}

static RawValue record(std::vector<RawValue::Field> fields) {
    return {RawValue::Shape::Records, {}, {std::move(fields)}};
}

TEST_CASE("settings table: names are unique, at most two sections deep, sections stand together") {
    std::set<std::string_view> names, sections_left;
    std::string_view section;
    for (const Setting& setting : settings_table()) {
        CAPTURE(setting.name);
        CHECK(names.insert(setting.name).second);
        CHECK(section_of(section_of(setting.name)).find('.') == std::string_view::npos);
        if (section_of(setting.name) != section) CHECK(sections_left.insert(section).second);
        section = section_of(setting.name);
        CHECK_FALSE(sections_left.contains(section));
        CHECK(find_setting(setting.name) == &setting);
    }
    CHECK(find_setting("cache") == nullptr);
    CHECK(settings_in("tls").size() == 3);
    CHECK(settings_in("banana").empty());
}

TEST_CASE("settings table: every default is what its own type accepts, and survives being printed and read") {
    for (const Setting& setting : settings_table()) {
        CAPTURE(setting.name);
        const std::string printed = setting.print(Settings{});
        const RawValue raw = printed.empty() ? RawValue{} : scalar(printed);
        Settings settings;
        CHECK_FALSE(setting.assign(settings, raw));
        CHECK(setting.same(settings, Settings{}));
        CHECK_FALSE(setting.text.empty());
        CHECK_FALSE(setting.expected.empty());
    }
}

TEST_CASE("settings table: each row reads, prints, compares and copies its own member and no other") {
    // A value other than the default for each setting; a new setting needs one here.
    const std::vector<std::pair<std::string_view, std::string>> others{
        {"listen", "[::1]:7000"},
        {"upstream", "host=elsewhere"},
        {"http", "*:9432"},
        {"state_dir", "/var/lib/warmfront"},
        {"threads", "3"},
        {"admin_users", "alice"},
        {"shutdown_timeout", "5s"},
        {"connect_timeout", "3s"},
        {"client_connections_max", "7"},
        {"tables", "{name: audit.log, cache: off}"},
        {"templates", "{match: \"SELECT 1\", ttl: 5s}"},
        {"log.level", "debug"},
        {"tls.mode", "require"},
        {"tls.cert", "server.crt"},
        {"tls.key", "server.key"},
        {"cache.enabled", "false"},
        {"cache.mode", "observe"},
        {"cache.break_even", "false"},
        {"cache.memory", "1GiB"},
        {"cache.max_result", "2MiB"},
        {"cache.ttl", "1m"},
        {"cache.single_flight_wait", "1s"},
        {"cache.templates_max", "500"},
        {"cache.exclude", "audit.log"},
        {"cache.disk.size", "1GiB"},
        {"cache.disk.read", "always"},
        {"functions.clock", "now"},
        {"functions.stable", "age"},
        {"functions.volatile", "random"},
        {"functions.user", "app.price"},
        {"verify.sample", "0.25"},
        {"catalog.refresh", "1m"},
        {"forecast.holidays", "2026-11-11 singles' day"},
        {"forecast.events", "{name: sale, from: \"2026-11-27\", to: \"2026-11-30\"}"},
        {"prewarm.enabled", "false"},
        {"prewarm.concurrency", "3"},
        {"prewarm.rate", "7"},
        {"prewarm.memory_share", "0.5"},
        {"prewarm.lead", "10s"},
        {"prewarm.waste", "0.5"},
        {"prewarm.roles", "own"},
        {"forecast.bucket", "1s"},
        {"forecast.horizon", "2h"},
        {"forecast.retrain", "10m"},
        {"forecast.series", "50"},
        {"forecast.shared_series", "0"},
        {"forecast.seasons", "2m, 14m"},
        {"forecast.alarm_buckets", "5"},
        {"capacity.utilisation", "0.5"},
        {"capacity.min", "2"},
        {"capacity.max", "20"},
        {"capacity.lower_after", "1m"},
        {"forecast.enabled", "false"},
        {"forecast.keep", "7d"},
        {"forecast.keep_hours", "30d"},
        {"forecast.keep_days", "365d"},
        {"forecast.keep_keys", "8d"},
        {"forecast.keys", "5"},
        {"forecast.history_size", "64MiB"},
        {"next_query.enabled", "false"},
        {"next_query.confidence", "0.9"},
        {"next_query.window", "5s"}};
    const std::map<std::string_view, RawValue> records{
        {"tables", record({{"name", "audit.log"}, {"cache", "off"}})},
        {"templates", record({{"match", "SELECT 1"}, {"ttl", "5s"}})},
        {"forecast.events", record({{"name", "sale"}, {"from", "2026-11-27"}, {"to", "2026-11-30"}})}};
    REQUIRE(others.size() == settings_table().size());
    for (const auto& [name, value] : others) {
        CAPTURE(name);
        const Setting* setting = find_setting(name);
        REQUIRE(setting);
        Settings changed;
        const bool as_record = records.contains(name);
        CHECK(setting->takes_records == as_record);
        CHECK_FALSE(setting->assign(changed, as_record ? records.at(name) : scalar(value)));
        CHECK(setting->print(changed) == value);
        Settings copied;
        setting->copy(copied, changed);
        for (const Setting& row : settings_table()) {
            CAPTURE(row.name);
            CHECK(row.same(changed, Settings{}) == (row.name != name));
            CHECK(row.same(changed, copied));
        }
    }
}

TEST_CASE("settings table: what is out of range is refused and changes nothing") {
    struct Row {
        std::string_view name;
        std::string first_good, first_bad;
    };
    for (const auto& [name, good, bad] : std::vector<Row>{{"threads", "1024", "1025"},
                                                          {"client_connections_max", "1", "0"},
                                                          {"client_connections_max", "1000000", "1000001"},
                                                          {"cache.memory", "1MiB", "1023KiB"},
                                                          {"cache.memory", "16TiB", "17TiB"},
                                                          {"cache.max_result", "1024", "1023"},
                                                          {"cache.ttl", "1ms", "0"},
                                                          {"verify.sample", "1", "1.01"},
                                                          {"verify.sample", "0", "1e-1"},
                                                          {"cache.mode", "observe", "watch"},
                                                          {"cache.ttl", "30d", "31d"},
                                                          {"connect_timeout", "10ms", "9ms"},
                                                          {"shutdown_timeout", "0", "25h"},
                                                          {"catalog.refresh", "100ms", "99ms"},
                                                          {"forecast.bucket", "1s", "7s"},
                                                          {"forecast.bucket", "1h", "500ms"},
                                                          {"http", "localhost:1", "/run/http.socket"},
                                                          {"state_dir", "x", ""},
                                                          {"upstream", "x", ""},
                                                          {"forecast.bucket", "1s", "999ms"},
                                                          {"forecast.horizon", "7d", "8d"},
                                                          {"forecast.seasons", "1d, 7d, 30d, 366d", "1s"},
                                                          {"forecast.seasons", "", "2m, banana"},
                                                          {"forecast.seasons", "2s", "2s,3s,4s,5s,6s"},
                                                          {"forecast.series", "1", "0"},
                                                          {"forecast.shared_series", "0", "15001"},
                                                          {"capacity.min", "1", "0"},
                                                          {"log.level", "error", "warn"}}) {
        CAPTURE(name);
        CAPTURE(bad);
        const Setting* setting = find_setting(name);
        REQUIRE(setting);
        Settings settings;
        CHECK_FALSE(setting->assign(settings, scalar(good)));
        const std::string before = setting->print(settings);
        CHECK(setting->assign(settings, scalar(bad)));
        CHECK(setting->print(settings) == before);
    }
}

TEST_CASE("settings table: lists name the item that does not fit, and scalars take no lists") {
    Settings settings;
    const auto listen = find_setting("listen")->assign(
        settings, {RawValue::Shape::List, {"localhost:1", "localhost", "localhost:2"}, {}});
    REQUIRE(listen);
    CHECK(listen->item == 1);
    CHECK(find_setting("listen")->assign(settings, {RawValue::Shape::List, {}, {}}));
    CHECK(find_setting("threads")->assign(settings, {RawValue::Shape::List, {"1"}, {}}));
    CHECK_FALSE(find_setting("cache.exclude")->assign(settings, {RawValue::Shape::List, {"a", "b.c"}, {}}));
    CHECK(settings.cache.exclude == std::vector<std::string>{"a", "b.c"});
    CHECK_FALSE(find_setting("cache.exclude")->assign(settings, {}));
    CHECK(settings.cache.exclude.empty());
    CHECK(find_setting("cache.exclude")->assign(settings, {RawValue::Shape::List, {"a", ""}, {}})->item == 1);
}

TEST_CASE("settings table: the upstream's password is not printed") {
    Settings settings;
    settings.upstream = "host=h password=s3cret";
    CHECK(find_setting("upstream")->print(settings) == "host=h password=***");
}

TEST_CASE("settings table: choices say what is wrong with them, and print as YAML that reads as the same") {
    const Setting* tables = find_setting("tables");
    REQUIRE(tables);
    using Fields = std::vector<RawValue::Field>;
    struct Row {
        Fields fields;
        std::size_t field;  // of the mismatch
        std::string expected, found;
    };
    constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();
    for (const auto& [fields, field, expected, found] : std::vector<Row>{
             {{{"name", "t"}, {"tll", "5s"}}, 1, "one of name, cache, ttl, stale_if_error", "tll"},
             {{{"name", "t"}, {"cache", "maybe"}}, 1, "on or off", "maybe"},
             {{{"name", "t"}, {"ttl", "5s"}, {"ttl", "6s"}}, 1, "ttl only once", "ttl"},
             {{{"name", ""}, {"cache", "on"}}, 0, "a table, as name or schema.name", ""},
             {{{"cache", "on"}}, kWhole, "name too: a table, as name or schema.name", "none"},
             {{{"name", "t"}}, kWhole, "cache, ttl or stale_if_error too", "none of them"}}) {
        CAPTURE(expected);
        Settings settings;
        const auto mismatch = tables->assign(settings, record(fields));
        REQUIRE(mismatch);
        CHECK(mismatch->field == field);
        CHECK(mismatch->expected == expected);
        CHECK(mismatch->found == found);
        CHECK(settings.tables.empty());
    }
    Settings settings;
    RawValue two = record({{"name", "a b"}, {"cache", "yes"}});
    two.records.push_back({{"name", "t"}, {"ttl", "1500ms"}, {"stale_if_error", "0"}});
    CHECK_FALSE(tables->assign(settings, two));
    CHECK(tables->print(settings) ==
          R"([{name: "a b", cache: on}, {name: t, ttl: 1500ms, stale_if_error: 0}])");
    two.records.push_back({{"name", "t"}, {"cache", "on"}});
    const auto twice = tables->assign(settings, two);
    REQUIRE(twice);
    CHECK(twice->item == 2);
    CHECK(settings.tables.size() == 2);
}
