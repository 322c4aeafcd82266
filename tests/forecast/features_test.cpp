#include "forecast/features.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMonday_s = 1'767'571'200;  // 2026-01-05T00:00:00Z

std::size_t column(std::string_view name) {
    for (std::size_t i = 0; i < kFeatures; ++i)
        if (feature_table()[i].name == name) return i;
    FAIL("no feature is called so");
    return 0;
}

Features hourly(std::size_t days, const Calendar* calendar = nullptr, double holiday_adds = 0) {
    Features features({kMonday_s, 3'600, 24, 168, 100, calendar});
    for (std::size_t i = 0; i < 24 * days; ++i) {
        const double wave = std::sin(2 * 3.14159265358979 * static_cast<double>(i % 24) / 24);
        bool holiday = false;
        if (calendar != nullptr)
            for (const Span& span : calendar->holidays)
                holiday = holiday || span.contains(kMonday_s + static_cast<std::int64_t>(i) * 3'600);
        features.append(3 + wave + (holiday ? holiday_adds : 0.0));
    }
    return features;
}

std::array<float, kFeatures> row_of(const Features& features, std::size_t origin, std::size_t target) {
    std::array<float, kFeatures> row{};
    row.fill(-12'345);
    features.write(origin, target, row.data());
    return row;
}

}  // namespace

TEST_CASE("features: a row is filled to its last place, and its places are those that are named") {
    const Features features = hourly(30);
    const auto row = row_of(features, 500, 510);
    for (std::size_t i = 0; i < kFeatures; ++i) {
        CAPTURE(feature_table()[i].name);
        CHECK(row[i] != -12'345.0F);
    }
    CHECK(kSlotAt == column("slot's mean less the season's"));
    CHECK(kHolidayEffectAt == column("what holidays of this name did"));
    CHECK(kEventEffectAt == column("what events of this name did"));
    CHECK(kAheadAt == column("buckets ahead"));
    CHECK(row[kAheadAt] == doctest::Approx(std::log1p(10)));
    CHECK(row[column("typical load")] == doctest::Approx(std::log1p(100)));
}

TEST_CASE("features: clock and calendar of the target") {
    const Features features = hourly(30);
    struct Row {
        std::size_t target;
        double place, weekday, weekend, day;
    };
    for (const auto& [target, place, weekday, weekend, day] : std::vector<Row>{
             {24 * 28, 0, 1, 0, 2}, {24 * 28 + 18, 0.75, 1, 0, 2}, {24 * 33 + 6, 0.25, 6, 1, 7}}) {
        CAPTURE(target);
        const auto row = row_of(features, 24 * 28 - 1, target);
        CHECK(row[column("place within the season")] == doctest::Approx(place));
        CHECK(row[column("which season of the long one")] == doctest::Approx(weekday));
        CHECK(row[column("weekend")] == doctest::Approx(weekend));
        CHECK(row[column("day of the month")] == doctest::Approx(day));
        CHECK(std::isnan(row[column("day of the year")]));  // a month of history knows nothing of years
    }
}

TEST_CASE("features: a season that repeats exactly is its own base, and nothing is off") {
    const Features features = hourly(30);
    for (std::size_t ahead = 1; ahead < 200; ahead += 13) {
        const std::size_t origin = 24 * 20 + ahead;
        const double actual =
            3 + std::sin(2 * 3.14159265358979 * static_cast<double>((origin + ahead) % 24) / 24);
        CHECK(features.base(origin, origin + ahead) == doctest::Approx(actual).epsilon(1e-4));
        for (const double term : features.terms(origin, origin + ahead)) CHECK(std::abs(term) < 1e-3);
    }
}

TEST_CASE("features: nothing after the origin is used") {
    const Features all = hourly(30);
    Features until = hourly(20);
    const std::size_t origin = until.size() - 1;
    for (const std::size_t target : {origin + 1, origin + 24, origin + 100}) {
        const auto known = row_of(all, origin, target), cut = row_of(until, origin, target);
        for (std::size_t i = 0; i < kFeatures; ++i) {
            CAPTURE(feature_table()[i].name);
            CHECK((std::isnan(known[i]) ? std::isnan(cut[i]) : known[i] == cut[i]));
        }
        CHECK(all.base(origin, target) == until.base(origin, target));
    }
}

TEST_CASE("features: rolling means by hand") {
    Features features({0, 60, 1, 1, 1, nullptr});
    for (int i = 1; i <= 40; ++i) features.append(i);
    const auto row = row_of(features, 39, 40);
    // The last 12 values are 29 to 40, the last 3 are 38 to 40, the last 4 are 37 to 40.
    CHECK(row[column("mean of 3 buckets less the season's")] == doctest::Approx(39 - 34.5));
    CHECK(row[column("mean of a quarter season less the season's")] == doctest::Approx(38.5 - 34.5));
}

TEST_CASE("features: a gap is what was expected, an outlier moves its slot by a bounded amount") {
    Features features = hourly(20);
    const std::size_t origin = features.size() - 1;
    const double expected = features.base(origin, origin + 1);
    features.append(kNan);
    CHECK(features.value(origin + 1) == doctest::Approx(expected).epsilon(0.01));
    CHECK_FALSE(features.known(origin + 1));
    const double before = features.base(origin + 1, origin + 26);
    features.append(1'000);
    CHECK(std::abs(features.base(origin + 2, origin + 26) - before) < 10);
}

TEST_CASE("features: a holiday of last year's name moves the base hour by hour, a stranger's does not") {
    const auto day = [](int from, const char* name) {
        return Span{name, kMonday_s + from * std::int64_t{86'400},
                    kMonday_s + (from + 1) * std::int64_t{86'400}};
    };
    const Calendar calendar{{day(12, "singles' day"), day(31, "singles' day"), day(32, "other")}, {}};
    const Features features = hourly(30, &calendar, 2.0), plain = hourly(30);
    const std::size_t origin = features.size() - 1, there = 24 * 31 + 10, other = 24 * 32 + 10;
    CHECK(features.base(origin, there) - plain.base(origin, there) == doctest::Approx(0.7 * 2).epsilon(0.02));
    CHECK(features.base(origin, other) == doctest::Approx(plain.base(origin, other)).epsilon(1e-4));
    // The holiday has not spoilt the days after it.
    CHECK(features.base(24 * 13, 24 * 13 + 10) ==
          doctest::Approx(plain.base(24 * 13, 24 * 13 + 10)).epsilon(1e-4));
    const auto row = row_of(features, origin, there);
    CHECK(row[column("share that is a holiday")] == 1);
    CHECK(row[column("what holidays did")] == doctest::Approx(2).epsilon(0.02));
    CHECK(row_of(features, origin, 24 * 30)[column("days until a holiday")] == doctest::Approx(1));
    CHECK(row_of(features, origin, 24 * 34)[column("days since a holiday")] == doctest::Approx(1));
    CHECK(std::isnan(row_of(features, origin, 24 * 45)[column("days since a holiday")]));
}

TEST_CASE("day effects: overlapping spans count once, and a bucket may lie half within") {
    const DayEffects days({{"a", 0, 5'400}, {"b", 3'600, 5'400}}, 0, 3'600);
    CHECK(days.share(0) == 1);
    CHECK(days.share(1) == doctest::Approx(0.5));
    CHECK(days.share(2) == 0);
    CHECK(days.days_since(3) == doctest::Approx((10'800 - 5'400) / 86'400.0));
    CHECK(DayEffects().share(0) == 0);
}
