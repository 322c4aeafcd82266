#include "forecast/pooling.h"

#include <limits>

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

constexpr std::int64_t kHour_s = 3'600;

// Half-lives so long that nothing decays within a test.
KeyShares::Options steady() {
    KeyShares::Options options;
    options.half_life_s = 1e15;
    return options;
}

}  // namespace

TEST_CASE("pooling: the posterior share of a key, by hand") {
    KeyShares::Options options = steady();
    options.slot_prior = 10;
    options.unseen_prior = 2;
    KeyShares shares(options);
    shares.observe(1, 7, 9 * kHour_s, 30);
    shares.observe(1, 7, 20 * kHour_s, 10);
    shares.observe(1, 8, 20 * kHour_s, 50);
    shares.observe_others(1, 20 * kHour_s, 8);
    // Over the day: 40 of 98 requests and 2 of belief in unseen keys; then 30 of 30 requests at 9 o'clock.
    const double day7 = 40.0 / 100, day8 = 50.0 / 100, unseen = 2.0 / 100;
    CHECK(shares.share(1, 7, 9 * kHour_s + 59 * 60) == doctest::Approx((30 + 10 * day7) / 40));
    CHECK(shares.share(1, 8, 9 * kHour_s) == doctest::Approx(10 * day8 / 40));
    CHECK(shares.share(1, 7, 20 * kHour_s) == doctest::Approx((10 + 10 * day7) / 78));
    CHECK(shares.share(1, 99, 20 * kHour_s) == doctest::Approx(10 * unseen / 78));
    // A slot without any request says what the day says, the day after as well.
    CHECK(shares.share(1, 7, 3 * kHour_s) == doctest::Approx(day7));
    CHECK(shares.share(1, 7, 27 * kHour_s) == doctest::Approx(day7));
    CHECK(shares.share(2, 7, 0) == 0);
    CHECK(shares.rate(1, 7, 3 * kHour_s, 200) == doctest::Approx(80));
}

TEST_CASE("pooling: the shares of the known keys and of one unseen key make up the whole") {
    KeyShares shares(steady());
    for (int i = 1; i <= 200; ++i) shares.observe(1, static_cast<KeyId>(i % 17), i * 1'700, 1 + i % 5);
    for (std::int64_t hour = 0; hour < 24; ++hour) {
        CAPTURE(hour);
        double sum = shares.share(1, 99, hour * kHour_s);
        for (KeyId key = 0; key < 17; ++key) sum += shares.share(1, key, hour * kHour_s);
        CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    }
}

TEST_CASE("pooling: the hot keys of the morning are not those of the evening") {
    KeyShares shares(steady());
    for (int day = 0; day < 5; ++day)
        for (KeyId key = 0; key < 50; ++key) {
            shares.observe(3, key, day * 86'400 + 8 * kHour_s, key < 5 ? 100 : 1);
            shares.observe(3, key, day * 86'400 + 19 * kHour_s, key >= 45 ? 100 : 1);
        }
    const auto morning = shares.top(3, 8 * kHour_s, 5), evening = shares.top(3, 19 * kHour_s, 5);
    REQUIRE(morning.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(morning[i].key == i);
        CHECK(evening[i].key == 45 + i);
        CHECK(morning[i].share > 0.15);
    }
    CHECK(shares.top(3, 8 * kHour_s, 1'000).size() == 50);
    CHECK(shares.top(4, 8 * kHour_s, 5).empty());
}

TEST_CASE("pooling: what was asked for lately counts for more") {
    KeyShares::Options options;
    options.half_life_s = 86'400;
    KeyShares shares(options);
    shares.observe(1, 1, 0, 1'000);
    shares.observe(1, 2, 5 * 86'400, 1'000);
    CHECK(shares.share(1, 2, 0) > 20 * shares.share(1, 1, 0));
    // Far beyond what a double's exponent could hold without a new epoch.
    for (int day = 6; day < 3'000; day += 10) shares.observe(1, 3, day * std::int64_t{86'400}, 10);
    CHECK(shares.share(1, 3, 0) > 0.8);
    CHECK(shares.share(1, 2, 0) < 1e-6);
}

TEST_CASE("pooling: tables are bounded, and what is asked for most stays") {
    KeyShares::Options options = steady();
    options.keys_max = 100;
    options.templates_max = 2;
    KeyShares shares(options);
    for (KeyId key = 0; key < 10'000; ++key) {
        shares.observe(1, 424'242, 0, 5);
        shares.observe(1, key, 0, 1);
        REQUIRE(shares.keys(1) <= 100);
    }
    CHECK(shares.top(1, 0, 1).front().key == 424'242);
    CHECK(shares.share(1, 424'242, 0) == doctest::Approx(5.0 / 6).epsilon(0.01));
    shares.observe(2, 1, 0);
    shares.observe(3, 1, 0);
    CHECK(shares.templates() == 2);
}

TEST_CASE("pooling: a new series has its share of its parent") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> child{5, nan, 10}, parent{50, 1'000, 100};
    CHECK(pooled_share(child, parent, {0.3, 50}) == doctest::Approx((15 + 15) / (150 + 50.0)));
    CHECK(pooled_share({}, parent, {0.3, 50}) == doctest::Approx(0.3));
    CHECK(pooled_share({}, {}, {0, 0}) == 0);
    CHECK(pooled_share(std::vector{9.0}, std::vector{3.0}, {0, 0}) == 1);
    CHECK(pooled_forecast(std::vector{100.0, 200.0}, 0.25) == std::vector{25.0, 50.0});
}
