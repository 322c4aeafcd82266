#include "forecast/pacing.h"

#include <doctest/doctest.h>

using namespace warmfront::forecast;

TEST_CASE("pacing: a bucket gives no more than its rate, and its burst after a rest") {
    TokenBucket tokens(10, 5, 0);
    std::uint64_t given = 0;
    for (std::uint64_t now_us = 0; now_us <= 20'000'000; now_us += 1'000)
        given += tokens.take(now_us) ? 1 : 0;
    CHECK(given >= 199);
    CHECK(given <= 201);
    std::uint64_t at_once = 0;
    while (tokens.take(60'000'000)) ++at_once;
    CHECK(at_once == 5);
    CHECK(tokens.next_in_us(60'000'000) >= 100'000);
    CHECK(tokens.next_in_us(60'000'000) <= 100'010);
    CHECK_FALSE(tokens.take(60'099'000));
    CHECK(tokens.take(60'100'010));
    tokens.set_rate(0, 60'200'000);
    CHECK(tokens.next_in_us(60'200'000) <= 1'000'000);
}

TEST_CASE("pacing: the governor gives way to clients that wait longer than usual, and comes back") {
    Governor governor({.rate_max = 100, .tolerated = 1.25, .few = 5});
    for (int i = 0; i < 50; ++i) CHECK(governor.step(100, 100 * 1'000) == 100);
    CHECK(governor.baseline_us() == doctest::Approx(1'000));
    CHECK(governor.step(100, 100 * 1'200) == 100);  // not by much
    CHECK(governor.step(100, 100 * 2'000) == 50);
    CHECK(governor.step(100, 100 * 2'000) == 25);
    CHECK(governor.step(4, 4 * 9'000) == 30);  // too few to tell
    double rate = 0;
    for (int i = 0; i < 20; ++i) rate = governor.step(100, 100 * 9'000);
    CHECK(rate == doctest::Approx(100.0 / 64));
    for (int i = 0; i < 20; ++i) rate = governor.step(100, 100 * 1'000);
    CHECK(rate == 100);
}

TEST_CASE("pacing: a database that is slower for good is not taken for one that suffers") {
    Governor governor({.rate_max = 100, .tolerated = 1.25, .few = 5});
    for (int i = 0; i < 50; ++i) (void)governor.step(100, 100 * 1'000);
    double rate = 0;
    for (int i = 0; i < 500; ++i) rate = governor.step(100, 100 * 2'000);
    CHECK(rate == 100);
}
