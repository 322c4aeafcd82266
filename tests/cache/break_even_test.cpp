#include "cache/break_even.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::cache;

namespace {

constexpr std::uint64_t kTtlMs = 10'000;

// A template whose requests come in lots, each miss answered by PostgreSQL.
struct Load {
    Costs sums;
    std::uint64_t origin_us = 200, hit_us = 5, keep_us = 2;

    const Costs& after(std::uint64_t hits, std::uint64_t misses) {
        sums.hits += hits;
        sums.hit_us += hits * hit_us;
        sums.misses += misses;
        sums.origins += misses;
        sums.origin_us += misses * origin_us;
        sums.keep_us += misses * keep_us;
        return sums;
    }
};

// Warms up from now_ms on and is measured for the lot; the verdict, and in now_ms when it came.
bool measured(BreakEven& break_even, Load& load, std::uint64_t& now_ms, std::uint64_t hits,
              std::uint64_t misses) {
    CHECK(break_even.judge(load.sums, now_ms, kTtlMs));
    now_ms += kTtlMs;
    CHECK(break_even.judge(load.after(0, 1000), now_ms, kTtlMs));  // a cold start does not count
    CHECK(break_even.judge(load.after(hits, misses), now_ms + kTtlMs - 1, kTtlMs));
    now_ms += kTtlMs;
    return break_even.judge(load.sums, now_ms, kTtlMs);
}

}  // namespace

TEST_CASE("break-even: off where misses cost more than hits bring, once there are enough of them") {
    struct Row {
        std::uint64_t hits, misses, origin_us, hit_us, keep_us;
        bool on;
    };
    for (const auto& [hits, misses, origin_us, hit_us, keep_us, on] : std::vector<Row>{
             {0, 999, 200, 5, 2, true},        // too early
             {0, 1000, 200, 5, 2, false},      // 5 ms for nothing
             {25, 1000, 200, 5, 2, false},     // 4.9 ms for 5 ms
             {26, 1000, 200, 5, 2, true},      // 5.07 ms for 5 ms
             {1000, 1000, 200, 5, 2, true},    //
             {1000, 1000, 7, 5, 2, false},     // PostgreSQL is nearly as fast
             {1000, 1000, 4, 5, 0, false},     // faster
             {1000, 1000, 200, 5, 500, false}  // large answers
         }) {
        CAPTURE(hits);
        CAPTURE(misses);
        Load load{{}, origin_us, hit_us, keep_us};
        BreakEven break_even;
        std::uint64_t now = 0;
        CHECK(measured(break_even, load, now, hits, misses) == on);
        CHECK(break_even.reason().empty() == on);
    }
}

TEST_CASE("break-even: answers are given their time, a long ttl five minutes of it") {
    for (const auto& [ttl_ms, settle_ms] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
             {500, 500}, {60'000, 60'000}, {3'600'000, 300'000}}) {
        CAPTURE(ttl_ms);
        Load load;
        BreakEven break_even;
        CHECK(break_even.judge(load.after(0, 5000), 0, ttl_ms));
        CHECK(break_even.judge(load.after(0, 5000), settle_ms - 1, ttl_ms));
        CHECK(break_even.judge(load.sums, settle_ms, ttl_ms));
        CHECK(break_even.judge(load.after(0, 5000), 2 * settle_ms - 1, ttl_ms));
        CHECK_FALSE(break_even.judge(load.sums, 2 * settle_ms, ttl_ms));
    }
}

TEST_CASE("break-even: what is off is tried again, and stays off unless it brings twice its cost") {
    for (const std::uint64_t hits_of_1000 : {0, 30, 100}) {
        CAPTURE(hits_of_1000);
        Load load;
        BreakEven break_even;
        std::uint64_t now = 0;
        CHECK_FALSE(measured(break_even, load, now, 0, 1000));
        CHECK(break_even.reason() ==
              "0 hits and 1000 misses brought 0.0 ms and cost 5.0 ms; tried again after 60 s");
        CHECK_FALSE(break_even.judge(load.sums, now + 59'999, kTtlMs));
        now += 60'000;
        const bool on = hits_of_1000 == 100;  // 19.5 ms for 4.5 ms; 30: 5.85 ms for 4.85 ms
        CHECK(measured(break_even, load, now, hits_of_1000, 1000 - hits_of_1000) == on);
        CHECK(break_even.reason().empty() == on);
        if (on) continue;
        CHECK_FALSE(break_even.judge(load.sums, now + 119'999, kTtlMs));  // twice the dwell
        CHECK(break_even.judge(load.sums, now + 120'000, kTtlMs));
    }
}

TEST_CASE("break-even: the dwell doubles up to its bound, and is short again after a reset") {
    Load load;
    BreakEven break_even({.dwell_ms = 1000, .dwell_max_ms = 3000});
    std::uint64_t now = 0;
    CHECK_FALSE(measured(break_even, load, now, 0, 1000));
    for (const std::uint64_t dwell : {1000, 2000, 3000, 3000}) {
        CAPTURE(dwell);
        CHECK_FALSE(break_even.judge(load.sums, now + dwell - 1, kTtlMs));
        now += dwell;
        CHECK_FALSE(measured(break_even, load, now, 0, 1000));
    }
    break_even.reset();
    CHECK_FALSE(measured(break_even, load, now, 0, 1000));
    CHECK(break_even.judge(load.sums, now + 1000, kTtlMs));
}
