#include "forecast/summary.h"

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

TEST_CASE("summary: next, total and peak are those of the points") {
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    SeriesForecast forecast;
    forecast.recent = {940, 60, {7, 8, kUnknown}, {}};
    forecast.from_s = 1120;
    forecast.point = {5, 9, 9, 2};
    forecast.lo95 = {4, 7, 8, 1};
    forecast.hi95 = {6, 11, 10, 3};
    const auto summary = summarise(forecast);
    REQUIRE(summary);
    CHECK(summary->last == 8);
    CHECK(summary->next.point == 5);
    CHECK(summary->next.hi95 == 6);
    CHECK(summary->total == 25);
    CHECK(summary->seconds == 240);
    CHECK(summary->peak.point == 9);
    CHECK(summary->peak.lo95 == 7);
    CHECK(summary->peak_s == 1180);
    CHECK_FALSE(summarise({}));
}

TEST_CASE("summary: every series has an id of its own, whatever it is called") {
    using enum SeriesName::Kind;
    std::set<std::string> ids;
    for (const SeriesName& name : std::vector<SeriesName>{{Database, "a", "", Measure::Requests},
                                                          {Database, "a", "", Measure::Reads},
                                                          {Database, "a:", "", Measure::Requests},
                                                          {Database, "a%3A", "", Measure::Requests},
                                                          {Table, "a:b", "c", Measure::Reads},
                                                          {Table, "a", "b:c", Measure::Reads},
                                                          {Template, "a", "b:c", Measure::Reads}})
        CHECK(ids.insert(id_of(name)).second);
    CHECK(id_of({Table, "shop", "public.a\nb", Measure::Writes}) == "table:writes:shop:public.a%0Ab");
}
