#include "forecast/pooled_intervals.h"

#include <cmath>
#include <random>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

using Sample = PooledIntervals::Sample;

// Counts of a rate that is itself off by a relative error; the rate is what is forecast.
std::vector<Sample> counted(double rate, double relative, std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i) {
        const double really = rate * std::max(0.0, 1 + relative * normal(random));
        std::poisson_distribution<int> poisson(really > 0 ? really : 1e-9);
        samples.push_back({static_cast<float>(rate), static_cast<float>(poisson(random))});
    }
    return samples;
}

}  // namespace

TEST_CASE("pooled intervals: each holds what it says, for loads of every size and error") {
    struct Row {
        double rate, relative;
    };
    const std::vector<Row> rows{{0.4, 0}, {5, 0}, {5, 0.5}, {50, 0.05}, {50, 0.4}, {5'000, 0.2}};
    PooledIntervals intervals;
    std::vector<PooledIntervals::Spread> spreads;
    for (const auto& [rate, relative] : rows) {
        PooledIntervals::Spread spread{};
        for (std::size_t range = 0; range < PooledIntervals::kRanges; ++range)
            spread[range] = intervals.learn(range, counted(rate, relative, 2'000, 1), 1);
        spreads.push_back(spread);
    }
    intervals.finish();
    double mean95 = 0, mean99 = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        CAPTURE(row);
        const auto bounds = intervals.at(20, rows[row].rate, spreads[row]);
        double within95 = 0, within99 = 0;
        const auto fresh = counted(rows[row].rate, rows[row].relative, 4'000, 2);
        for (const auto& [point, actual] : fresh) {
            const auto value = static_cast<double>(actual);
            within95 += value >= bounds.lo95 && value <= bounds.hi95 ? 1.0 / 4'000 : 0.0;
            within99 += value >= bounds.lo99 && value <= bounds.hi99 ? 1.0 / 4'000 : 0.0;
        }
        CHECK(within95 > 0.88);  // loads of one size share their quantiles
        CHECK(within99 > 0.96);
        mean95 += within95 / static_cast<double>(rows.size());
        mean99 += within99 / static_cast<double>(rows.size());
        CHECK(intervals.learnt(20, rows[row].rate));
    }
    CHECK(mean95 > 0.94);
    CHECK(mean95 < 0.975);
    CHECK(mean99 > 0.985);
}

TEST_CASE("pooled intervals: none is narrower than the chance in a count, however steady the load was") {
    PooledIntervals intervals;
    (void)intervals.learn(0, std::vector<Sample>(1'000, {100, 100}), 1);
    intervals.finish();
    CHECK(intervals.at(0, 100, {}).hi95 >= 100 + 1.96 * 10);
    CHECK(intervals.at(0, 100, {}).lo99 <= 100 - 2.57 * 10);
}

TEST_CASE("pooled intervals: a surge of a few buckets hardly widens those to come") {
    PooledIntervals calm, surged;
    auto samples = counted(50, 0.1, 288, 3);
    const float before = calm.learn(0, samples, 1);
    for (std::size_t i = 100; i < 104; ++i) samples[i].actual = 600;
    CHECK(surged.learn(0, samples, 1) < 1.3F * before);
}

TEST_CASE("pooled intervals: without errors enough they are the normal ones, and say so") {
    PooledIntervals intervals;
    (void)intervals.learn(0, counted(50, 0, PooledIntervals::kPoolMin - 1, 4), 1);
    intervals.finish();
    CHECK_FALSE(intervals.learnt(0, 50));
    CHECK_FALSE(intervals.learnt(100, 50));
    const auto bounds = intervals.at(0, 100, {});
    CHECK(bounds.lo95 == doctest::Approx(100 - 2.35 * std::sqrt(100.25)));
    CHECK(bounds.hi99 == doctest::Approx(100 + 3.09 * std::sqrt(100.25)));
    const auto none = intervals.at(0, 0, {});
    CHECK(none.lo99 == 0);
    CHECK(none.hi99 < 2);
}

TEST_CASE("pooled intervals: they hold the point and each other even where all errors lie on one side") {
    PooledIntervals intervals;
    std::vector<Sample> samples(1'000, {50, 70});
    const float relative = intervals.learn(0, samples, 1);
    intervals.finish();
    const auto bounds = intervals.at(0, 50, {relative, relative, relative});
    CHECK(bounds.lo99 == doctest::Approx(50 - 2.576 * std::sqrt(50.25)));
    CHECK(bounds.lo95 == doctest::Approx(50 - 1.96 * std::sqrt(50.25)));
    CHECK(bounds.hi95 == doctest::Approx(70));
    CHECK(bounds.hi99 >= bounds.hi95);
}
