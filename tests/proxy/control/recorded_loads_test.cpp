#include "proxy/control/recorded_loads.h"

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <stdlib.h>

using namespace warmfront;
using namespace warmfront::control;
using namespace warmfront::forecast;

namespace {

constexpr std::int64_t kMidnight = 1'767'225'600;  // 2026-01-01T00:00:00Z
constexpr std::int64_t kHour = 3'600;

std::string made_directory() {
    std::string name = std::filesystem::temp_directory_path() / "loads.XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
}

struct Desk {
    Desk() = default;
    ~Desk() { std::filesystem::remove_all(path); }
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    // A bucket of a minute that begins at the hour.
    void record(std::int64_t hour, std::vector<std::pair<Subject, LoadCounts>> loads) {
        auto writer = HistoryWriter::open(history_path(path), {}, kMidnight);
        REQUIRE(writer);
        const std::int64_t begin_s = kMidnight + hour * kHour;
        Bucket bucket{begin_s, 60, begin_s * 1000, (begin_s + 60) * 1000, {}, {}};
        for (auto& [subject, counts] : loads) bucket.subjects.push_back({subject, "", counts});
        REQUIRE(writer->append(bucket));
        now_s = begin_s + 60;
    }
    // "a b c", tables with their measure.
    std::string named(std::size_t series_max = 100) {
        const auto names = loads.names(series_max);
        REQUIRE(names);
        std::string text;
        for (const SeriesName& name : *names) {
            text += (text.empty() ? "" : " ") + (name.name.empty() ? name.database : name.name);
            if (name.measure == Measure::Reads) text += "/r";
            if (name.measure == Measure::Writes) text += "/w";
        }
        return text;
    }

    const std::string path = made_directory();
    std::int64_t now_s = kMidnight;
    RecordedLoads loads{history_path(path), [this] { return now_s * 1000; }};
};

Subject database(const char* name) {
    return {SeriesName::Kind::Database, name, ""};
}
Subject table(const char* name) {
    return {SeriesName::Kind::Table, "shop", name};
}
Subject statement(const char* name) {
    return {SeriesName::Kind::Template, "shop", name};
}
LoadCounts asked(std::uint64_t requests) {
    return {.requests = requests};
}

}  // namespace

TEST_CASE("recorded loads: databases come first, then tables, then statements, by their load") {
    Desk desk;
    CHECK(desk.named().empty());  // no file yet
    desk.record(0, {{statement("small"), asked(1)},
                    {statement("large"), asked(900)},
                    {table("orders"), {.reads = 5, .writes = 2}},
                    {table("items"), {.reads = 50}},
                    {database("crm"), asked(10)},
                    {database("shop"), asked(2'000)}});
    CHECK(desk.named() == "shop crm items/r orders/r orders/w large small");
    CHECK(desk.named(4) == "shop crm items/r orders/r");
}

TEST_CASE("recorded loads: each bucket counts once, what was long ago counts less, then not at all") {
    Desk desk;
    desk.record(0, {{statement("a"), asked(100)}, {statement("b"), asked(90)}});
    for (int i = 0; i < 5; ++i) CHECK(desk.named() == "a b");
    desk.record(1, {{statement("b"), asked(20)}});
    for (int i = 0; i < 5; ++i) CHECK(desk.named() == "b a");
    desk.record(2, {{statement("c"), asked(95)}});  // one that is new
    CHECK(desk.named() == "b c a");
    desk.record(30, {{statement("c"), asked(60)}});
    CHECK(desk.named() == "c b a");
    desk.record(49, {{statement("d"), asked(1)}});  // two days after the last of a
    CHECK(desk.named() == "c b d");
}

TEST_CASE(
    "recorded loads: many at once are read like each alone, and a file that is not there holds nothing") {
    Desk desk;
    const std::vector<SeriesName> names{{SeriesName::Kind::Template, "shop", "a", Measure::Requests},
                                        {SeriesName::Kind::Template, "shop", "b", Measure::Requests}};
    const auto none = desk.loads.load_all(names, kMidnight, kMidnight + 60, 60);
    REQUIRE(none);
    REQUIRE(none->size() == 2);
    CHECK((*none)[0].values.empty());
    desk.record(0, {{statement("a"), asked(100)}});
    const auto all = desk.loads.load_all(names, kMidnight, kMidnight + 120, 60);
    REQUIRE(all);
    CHECK((*all)[0].values == std::vector<double>{100});
    CHECK((*all)[1].values == std::vector<double>{0});
    CHECK((*all)[0].values == desk.loads.load(names[0], kMidnight, kMidnight + 120, 60)->values);
    // Too much for once: it ends early, for all alike.
    const auto long_ago = desk.loads.load_all(names, kMidnight, kMidnight + 60 * 800'000, 60);
    REQUIRE(long_ago);
    CHECK((*long_ago)[0].values == std::vector<double>{100});
}
