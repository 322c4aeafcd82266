#include "forecast/history.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <stdlib.h>

using namespace warmfront::forecast;

namespace {

constexpr std::int64_t kMidnight = 1'767'225'600;  // 2026-01-01T00:00:00Z
constexpr std::int64_t kDay = 86'400;

struct Directory {
    Directory() {
        std::string name = std::filesystem::temp_directory_path() / "history.XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Directory() { std::filesystem::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] std::string file() const { return history_path(path); }
    std::string path;
};

template <typename T>
T must(warmfront::Result<T> result) {
    if (!result) FAIL(result.error().sqlstate << " " << result.error().text);
    return std::move(*result);
}
void must(warmfront::Result<void> result) {
    if (!result) FAIL(result.error().sqlstate << " " << result.error().text);
}

std::vector<HistoryReader::KeyHistory> hot_keys_of(const HistoryReader& reader, std::string_view database,
                                                   std::string_view name, std::int64_t from_s,
                                                   std::int64_t to_s, std::size_t count_max) {
    std::vector<HistoryReader::KeyHistory> keys;
    must(reader.hot_keys(database, name, from_s, to_s, count_max,
                         [&](HistoryReader::KeyHistory key) { keys.push_back(std::move(key)); }));
    return keys;
}

const Subject kApp{SeriesName::Kind::Database, "app", ""};
const Subject kOrders{SeriesName::Kind::Table, "app", "public.orders"};
const Subject kQuery{SeriesName::Kind::Template, "app", "00000000000000ab"};
const SeriesName kAppRequests{SeriesName::Kind::Database, "app", "", Measure::Requests};

LoadCounts requests(std::uint64_t count) {
    return {.requests = count,
            .hits = count / 2,
            .rows = 3 * count,
            .bytes = 100 * count,
            .origin_us = 7 * count};
}

Bucket bucket(std::int64_t begin_s, std::uint64_t count, std::int64_t step_s = 60) {
    return {begin_s, step_s, begin_s * 1000, (begin_s + step_s) * 1000, {{kApp, "", requests(count)}}, {}};
}

// "5 - 7": a dash where nothing is known.
std::string shown(const Series& series) {
    std::string text;
    for (const double value : series.values)
        text += (text.empty() ? "" : " ") +
                (std::isnan(value) ? std::string("-") : std::to_string(std::llround(value)));
    return text;
}

std::string series_of(const HistoryReader& reader, const SeriesName& name, std::int64_t from_s,
                      std::int64_t to_s, std::int64_t step_s) {
    return shown(must(reader.series(name, from_s, to_s, step_s)));
}

std::vector<std::string> exported(const std::string& path) {
    std::vector<std::string> lines;
    must(must(HistoryReader::open(path)).export_history([&](std::string_view line) {
        lines.emplace_back(line);
        return true;
    }));
    return lines;
}

auto lines_from(const std::vector<std::string>& lines) {
    return [&lines, at = std::size_t{0}](std::string& line) mutable {
        if (at == lines.size()) return false;
        line = lines[at++];
        return true;
    };
}

void maintain_all(HistoryWriter& writer, std::int64_t now_s) {
    int turns = 0;
    while (must(writer.maintain(now_s))) REQUIRE(++turns < 100'000);
}

}  // namespace

TEST_CASE("history: a bucket without load is 0, one that was not recorded is not known") {
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    must(writer.append(bucket(kMidnight, 5)));
    must(writer.append(bucket(kMidnight + 60, 0)));
    must(writer.append(bucket(kMidnight + 240, 7)));  // two buckets are missing
    const auto reader = must(HistoryReader::open(directory.file()));
    const auto all = must(reader.series(kAppRequests, kMidnight - 600, kMidnight + 600, 60));
    CHECK(shown(all) == "5 0 - - 7");
    CHECK(all.start_s == kMidnight);
    SUBCASE("longer steps are sums, and extrapolated where at least half is known") {
        CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + 240, 120) == "5");
        // Of 5 minutes 3 are known, with 12 requests.
        CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + 300, 300) == "20");
    }
    SUBCASE("what is not known by name has had no load") {
        const SeriesName other{SeriesName::Kind::Table, "app", "public.none", Measure::Reads};
        CHECK(series_of(reader, other, kMidnight, kMidnight + 300, 60) == "0 0 - - 0");
    }
    SUBCASE("before the recorded time and in shorter steps nothing is known") {
        CHECK(series_of(reader, kAppRequests, kMidnight - 600, kMidnight, 60).empty());
        CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + 300, 30).empty());
    }
    SUBCASE("a series begins and ends with a bucket") {
        CHECK(reader.series(kAppRequests, 1, 61, 60).error().sqlstate == "22023");
    }
}

TEST_CASE("history: a restart within a bucket adds to it") {
    const Directory directory;
    for (const auto& [from_s, until_s, count] :
         std::vector<std::tuple<int, int, int>>{{0, 20, 4}, {40, 60, 6}}) {
        auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
        Bucket part = bucket(kMidnight, static_cast<std::uint64_t>(count));
        part.from_ms = (kMidnight + from_s) * 1000;
        part.until_ms = (kMidnight + until_s) * 1000;
        must(writer.append(part));
    }
    const auto reader = must(HistoryReader::open(directory.file()));
    CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + 60, 60) == "15");  // 10 in 40 of 60 s
}

TEST_CASE("history: tables are counted by reads and writes, subjects come by their load") {
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    Bucket counted = bucket(kMidnight, 9);
    counted.subjects.push_back({kOrders, "", {.reads = 4, .writes = 2}});
    counted.subjects.push_back({{SeriesName::Kind::Table, "app", "public.users"}, "", {.reads = 8}});
    counted.subjects.push_back({kQuery, "SELECT $1", requests(3)});
    must(writer.append(counted));
    const auto reader = must(HistoryReader::open(directory.file()));
    const auto tables = must(reader.subjects(SeriesName::Kind::Table, kMidnight, kMidnight + 60, 10));
    REQUIRE(tables.size() == 2);
    CHECK(tables[0].subject.name == "public.users");
    CHECK(tables[1].counts == LoadCounts{.reads = 4, .writes = 2});
    CHECK(must(reader.subjects(SeriesName::Kind::Table, kMidnight, kMidnight + 60, 1)).size() == 1);
    CHECK(must(reader.subjects(SeriesName::Kind::Table, 0, kMidnight, 10)).empty());
    const auto templates = must(reader.subjects(SeriesName::Kind::Template, kMidnight, kMidnight + 60, 10));
    REQUIRE(templates.size() == 1);
    CHECK(templates[0].label == "SELECT $1");
    CHECK(templates[0].counts == requests(3));
    const SeriesName writes{SeriesName::Kind::Table, "app", "public.orders", Measure::Writes};
    CHECK(series_of(reader, writes, kMidnight, kMidnight + 60, 60) == "2");
}

TEST_CASE("history: series of many subjects at once are what each alone would be") {
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    for (const int minute : {0, 1, 4, 5}) {
        Bucket made = bucket(kMidnight + minute * 60, static_cast<std::uint64_t>(10 + minute));
        if (minute == 1) made.until_ms -= 20'000;  // two thirds of it
        made.subjects.push_back({kOrders, "", {.reads = static_cast<std::uint64_t>(minute), .writes = 3}});
        if (minute != 4) made.subjects.push_back({kQuery, "SELECT", requests(7)});
        must(writer.append(made));
    }
    const auto reader = must(HistoryReader::open(directory.file()));
    const std::vector<SeriesName> names{{kOrders.kind, kOrders.database, kOrders.name, Measure::Writes},
                                        kAppRequests,
                                        {kQuery.kind, kQuery.database, kQuery.name, Measure::Requests},
                                        {kOrders.kind, kOrders.database, kOrders.name, Measure::Reads},
                                        {kQuery.kind, kQuery.database, "none", Measure::Requests}};
    for (const std::int64_t step_s : {60, 120}) {
        const auto all = must(reader.series_of_all(names, kMidnight - 120, kMidnight + 600, step_s));
        REQUIRE(all.size() == names.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            CAPTURE(i);
            const auto one = must(reader.series(names[i], kMidnight - 120, kMidnight + 600, step_s));
            CHECK(shown(all[i]) == shown(one));
            CHECK(all[i].start_s == one.start_s);
            CHECK_FALSE(one.values.empty());
        }
    }
    CHECK(shown(must(reader.series_of_all(names, kMidnight, kMidnight + 360, 60))[1]) == "10 17 - - 14 15");
    CHECK(must(reader.series_of_all(names, kMidnight + 600, kMidnight + 660, 60))[1].values.empty());
    CHECK(reader.series_of_all(names, kMidnight, kMidnight + 90, 60).error().sqlstate == "22023");
    CHECK(reader.series_of_all(names, 0, 60LL * 300'000, 60).error().sqlstate == "22023");
}

TEST_CASE("history: hot keys come with their steps and what replays them") {
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    const std::string binary("\0key", 4);
    for (int minute = 0; minute < 3; ++minute) {
        Bucket counted = bucket(kMidnight + minute * 60, 20);
        counted.keys = {{"app", kQuery.name, "first", minute == 0 ? "replay" : "", 2},
                        {"app", kQuery.name, binary, "", static_cast<std::uint64_t>(5 * minute)},
                        {"app", "another", "first", "", 100}};
        must(writer.append(counted));
    }
    const auto reader = must(HistoryReader::open(directory.file()));
    const auto keys = hot_keys_of(reader, "app", kQuery.name, kMidnight, kMidnight + 180, 10);
    REQUIRE(keys.size() == 2);
    CHECK(keys[0].key == binary);
    CHECK(keys[0].requests == 15);
    CHECK(keys[1].replay == "replay");
    CHECK(keys[1].steps.size() == 3);
    REQUIRE(keys[0].steps.size() == 2);
    CHECK(keys[0].steps[1].begin_s == kMidnight + 120);
    CHECK(keys[0].steps[1].requests == 10);
    const auto first_minute = hot_keys_of(reader, "app", kQuery.name, kMidnight, kMidnight + 60, 10);
    REQUIRE(first_minute.size() == 1);
    CHECK(first_minute[0].key == "first");
}

TEST_CASE("history: minutes become hours and hours days, and the sums stay") {
    const Directory directory;
    Retention retention;
    retention.buckets_s = 2 * 3600;
    retention.hours_s = kDay;
    retention.days_s = 10 * kDay;
    auto writer = must(HistoryWriter::open(directory.file(), retention, kMidnight));
    // 26 hours; in the n-th minute of each n requests: 1,770 an hour.
    for (int minute = 0; minute < 26 * 60; ++minute)
        if (minute != 90)  // of the second hour one is missing, with 30
            must(writer.append(bucket(kMidnight + minute * 60, static_cast<std::uint64_t>(minute % 60))));
    const std::int64_t end_s = kMidnight + 26 * 3600;
    const auto reader = must(HistoryReader::open(directory.file()));
    const auto total = [&] {
        return must(reader.subjects(SeriesName::Kind::Database, 0, end_s, 1))[0].counts;
    };
    const LoadCounts before = total();
    CHECK(before.requests == 26 * 1770 - 30);
    maintain_all(writer, end_s);
    CHECK(total() == before);
    // The last two hours are there by the minute, what comes before by the hour.
    CHECK(series_of(reader, kAppRequests, end_s - 2 * 3600, end_s - 2 * 3600 + 240, 60) == "0 1 2 3");
    CHECK(series_of(reader, kAppRequests, end_s - 3 * 3600, end_s - 2 * 3600, 60).empty());
    // 1,740 of 59 minutes are 1,769 of 60.
    CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + 4 * 3600, 3600) == "1770 1769 1770 1770");
    CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + kDay, kDay) == "42479");

    maintain_all(writer, kMidnight + 2 * kDay + 3600);  // the first day is over a day old now
    CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + 4 * 3600, 3600).empty());
    CHECK(series_of(reader, kAppRequests, kMidnight, kMidnight + kDay, kDay) == "42479");
    CHECK(total() == before);

    maintain_all(writer, kMidnight + 12 * kDay);
    CHECK(must(reader.subjects(SeriesName::Kind::Database, 0, end_s, 1)).empty());
    CHECK(must(reader.series(kAppRequests, kMidnight, kMidnight + kDay, kDay)).size() == 0);
    CHECK(must(reader.stats()).first_s == 0);
}

TEST_CASE("history: keys become hours, those asked for least go, and so does what nothing refers to") {
    const Directory directory;
    Retention retention;
    retention.key_buckets_s = 3600;
    retention.key_hours_s = 3 * kDay;
    retention.keys_max = 3;
    auto writer = must(HistoryWriter::open(directory.file(), retention, kMidnight));
    for (int minute = 0; minute < 180; ++minute) {
        Bucket counted = bucket(kMidnight + minute * 60, 1);
        for (int key = 1; key <= 5; ++key)
            counted.keys.push_back(
                {"app", kQuery.name, "key " + std::to_string(key), "", static_cast<std::uint64_t>(key)});
        must(writer.append(counted));
    }
    maintain_all(writer, kMidnight + 180 * 60);
    const auto reader = must(HistoryReader::open(directory.file()));
    const auto keys = hot_keys_of(reader, "app", kQuery.name, 0, kMidnight + kDay, 10);
    REQUIRE(keys.size() == 3);
    CHECK(keys[0].key == "key 5");
    CHECK(keys[2].key == "key 3");
    CHECK(keys[0].requests == 180 * 5);
    REQUIRE(keys[0].steps.size() == 2 + 60);
    CHECK(keys[0].steps[1].step_s == 3600);
    CHECK(keys[0].steps[1].requests == 300);
    CHECK(must(reader.stats()).subjects == 2);
    maintain_all(writer, kMidnight + 4 * kDay);
    CHECK(must(reader.stats()).keys == 0);
    CHECK(must(reader.stats()).subjects == 1);  // the template has gone with its keys
}

TEST_CASE("history: the file keeps to its size, and what is newest stays") {
    const Directory directory;
    Retention retention;
    retention.bytes_max = 512 * 1024;
    auto writer = must(HistoryWriter::open(directory.file(), retention, kMidnight));
    std::int64_t now_s = kMidnight;
    for (int minute = 0; minute < 600; ++minute, now_s += 60) {
        Bucket counted = bucket(now_s, 1);
        for (int of = 0; of < 40; ++of)
            counted.subjects.push_back(
                {{SeriesName::Kind::Table, "app", "t" + std::to_string(of)}, "", {.reads = 1}});
        must(writer.append(counted));
        maintain_all(writer, now_s + 60);
    }
    const auto reader = must(HistoryReader::open(directory.file()));
    const auto last = must(reader.series(kAppRequests, now_s - 3600, now_s, 60));
    CHECK(last.size() >= 10);
    CHECK(must(reader.subjects(SeriesName::Kind::Database, 0, now_s, 1))[0].counts.requests == 600);
    CHECK(std::filesystem::file_size(directory.file()) <= retention.bytes_max + 256 * 1024);
}

TEST_CASE("history: what is exported and imported is the same") {
    const Directory directory, other;
    {
        auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
        for (int minute : {0, 1, 5}) {
            Bucket counted = bucket(kMidnight + minute * 60, static_cast<std::uint64_t>(minute + 2));
            counted.subjects.push_back({kOrders, "", {.reads = 4, .writes = 2}});
            counted.subjects.push_back(
                {{SeriesName::Kind::Template, "a \"b\", c", "ab"}, "SELECT 'x',\n\"y\"\r\n", requests(1)});
            counted.keys = {{"app", "ab", std::string("\0\xff,\"", 4), R"({"v":1,"q":"a"})", 3}};
            counted.until_ms -= 250;
            must(writer.append(counted));
        }
    }
    const auto lines = exported(directory.file());
    std::vector<std::string> cut;  // as a file would be read: by lines
    for (const std::string& line : lines) {
        std::size_t at = 0;
        for (std::size_t end; (end = line.find('\n', at)) != std::string::npos; at = end + 1)
            cut.push_back(line.substr(at, end - at));
        cut.push_back(line.substr(at));
    }
    CHECK(cut.size() > lines.size());
    for (int time = 0; time < 2; ++time) {  // a second time changes nothing
        auto writer = must(HistoryWriter::open(other.file(), {}, kMidnight));
        CHECK(must(writer.import(lines_from(cut))) == lines.size() - 1);
        CHECK(exported(other.file()) == lines);
    }
}

TEST_CASE("history: a line that cannot be read is named, and nothing is imported") {
    const std::string header =
        "record,step_s,from,until,kind,database,name,label,key,replay,requests,hits,rows,bytes,origin_us,"
        "reads,writes";
    const std::string good = "recorded,60,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z,,,,,,,,,,,,,";
    struct Row {
        std::string line, says;
    };
    for (const auto& [line, says] : std::vector<Row>{
             {"load", "line 3: 1 fields instead of 17"},
             {"load,60,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z,database,app,,,,,x,0,0,0,0,0,0",
              "line 3: expected a number from 0 on, not \"x\""},
             {"load,60,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z,database,app,,,,,-1,0,0,0,0,0,0",
              "line 3: expected a number from 0 on, not \"-1\""},
             {"load,60,2026-01-01T00:00:30Z,2026-01-01T00:01:30Z,database,app,,,,,1,0,0,0,0,0,0",
              "line 3: from and until are not those of a bucket of step_s"},
             {"load,60,2026-02-30T00:00:00Z,2026-01-01T00:01:00Z,database,app,,,,,1,0,0,0,0,0,0",
              "line 3: from: expected a time, not \"2026-02-30T00:00:00Z\""},
             {"load,60,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z,view,app,,,,,1,0,0,0,0,0,0",
              "line 3: kind: expected database, table or template, not \"view\""},
             {"key,,,,template,app,ab,,0g,,,,,,,,", "line 3: key: expected hexadecimal digits"},
             {"lode,,,,,,,,,,,,,,,,",
              "line 3: expected recorded, subject, load, key or key_load, not \"lode\""},
             {"recorded,30,2026-01-01T00:00:30Z,2026-01-01T00:02:00Z,,,,,,,,,,,,,",
              "line 3: the history has 2026-01-01T00:00:00Z to 2026-01-01T00:01:00Z already, in steps of 60 "
              "s"},
             {"subject,,,,database,\"app,,,,,,,,,,,,", "line 3: a quote is not closed"}}) {
        CAPTURE(line);
        const Directory directory;
        auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
        const std::vector<std::string> lines{header, good, line};
        const auto imported = writer.import(lines_from(lines));
        REQUIRE_FALSE(imported.has_value());
        CHECK(imported.error().text == says);
        CHECK(exported(directory.file()) == std::vector{header});
    }
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    const std::vector<std::string> headless{good};
    CHECK(writer.import(lines_from(headless)).error().text.starts_with("line 1: expected the header"));
}

TEST_CASE("history: a file that is damaged or another program's is set aside") {
    struct Row {
        std::string name;
        void (*spoil)(const std::string& path);
        std::string says;
    };
    for (const auto& [name, spoil, says] :
         std::vector<Row>{{"torn",
                           [](const std::string& path) {
                               std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
                           },
                           "malformed"},
                          {"overwritten",
                           [](const std::string& path) {
                               std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
                               for (std::size_t at = 4096; at < std::filesystem::file_size(path); at += 4096)
                                   file.seekp(static_cast<std::streamoff>(at)).write("garbage garbage", 15);
                           },
                           ""},
                          {"no SQLite file",
                           [](const std::string& path) { std::ofstream(path) << std::string(10'000, 'x'); },
                           "not a database"},
                          {"another's",
                           [](const std::string& path) {
                               std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
                               file.seekp(68).write("\1\2\3\4", 4);  // the application's number
                           },
                           "another program"}}) {
        CAPTURE(name);
        const Directory directory;
        {
            auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
            CHECK(writer.set_aside().empty());
            for (int minute = 0; minute < 500; ++minute) {
                Bucket counted = bucket(kMidnight + minute * 60, 1);
                counted.subjects.push_back({kQuery, std::string(1000, 'q'), requests(1)});
                must(writer.append(counted));
            }
        }
        spoil(directory.file());
        auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight + kDay));
        CAPTURE(writer.set_aside());
        const std::string aside = directory.file() + ".damaged-" + std::to_string(kMidnight + kDay);
        CHECK(writer.set_aside().starts_with(aside + ": "));
        CHECK(writer.set_aside().find(says) != std::string::npos);
        CHECK(std::filesystem::exists(aside));
        must(writer.append(bucket(kMidnight + kDay, 3)));
        const auto reader = must(HistoryReader::open(directory.file()));
        CHECK(must(reader.stats()).first_s == kMidnight + kDay);
    }
}

TEST_CASE("history: the file and its log are the owner's alone") {
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    must(writer.append(bucket(kMidnight, 1)));
    for (const std::string companion : {"", "-wal", "-shm"}) {
        CAPTURE(companion);
        using std::filesystem::perms;
        CHECK(std::filesystem::status(directory.file() + companion).permissions() ==
              (perms::owner_read | perms::owner_write));
    }
}

TEST_CASE("history: a file that cannot be opened stays where it is") {
    const Directory directory;
    std::filesystem::create_directory(directory.file());
    const auto writer = HistoryWriter::open(directory.file(), {}, kMidnight);
    REQUIRE_FALSE(writer.has_value());
    CHECK(writer.error().sqlstate == "58030");
    CHECK(std::filesystem::is_directory(directory.file()));
    CHECK(HistoryReader::open(directory.path + "/none.sqlite").error().sqlstate == "58030");
    std::ofstream(directory.path + "/empty.sqlite").close();
    CHECK(HistoryReader::open(directory.path + "/empty.sqlite").error().sqlstate == "58030");
}

TEST_CASE("history: names and labels are cut, keys and replays that are too long are left out") {
    const Directory directory;
    auto writer = must(HistoryWriter::open(directory.file(), {}, kMidnight));
    Bucket counted = bucket(kMidnight, 1);
    std::string label(kLabelBytesMax - 1, 'x');
    counted.subjects.push_back({kQuery, label + "\xc3\xa4", requests(1)});
    counted.keys = {{"app", kQuery.name, std::string(kKeyBytesMax + 1, 'k'), "", 1},
                    {"app", kQuery.name, "key", std::string(kReplayBytesMax + 1, 'r'), 1}};
    must(writer.append(counted));
    const auto reader = must(HistoryReader::open(directory.file()));
    CHECK(must(reader.subjects(SeriesName::Kind::Template, 0, kMidnight + 60, 1))[0].label == label);
    const auto keys = hot_keys_of(reader, "app", kQuery.name, 0, kMidnight + 60, 10);
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].replay.empty());
}
