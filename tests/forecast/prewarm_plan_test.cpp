#include "forecast/prewarm_plan.h"

#include <doctest/doctest.h>

using namespace warmfront::forecast;

namespace {

PrewarmCandidate hot(std::uint64_t key) {
    PrewarmCandidate each;
    each.key = key;
    each.requests = 10;
    each.chance = 0.99;
    each.rate_now = 1;
    each.rate_most = 5;
    each.saves_us = 1000;
    each.bytes = 1000;
    return each;
}

const PrewarmLimits kAmple{.fetches_max = 100, .bytes_max = 1e9, .refresh_s = 1};

}  // namespace

TEST_CASE("prewarm plan: which answers are fetched, and why the others are not") {
    struct Row {
        std::string_view name;
        void (*change)(PrewarmCandidate&);
        bool fetched;
        PrewarmWhy why;
        std::string_view reason;  // a part of it
    };
    using enum PrewarmWhy;
    for (const auto& row : std::vector<Row>{
             {"absent and hot", [](auto&) {}, true, Rise, "from 1/s to 5/s"},
             {"as sure as waste allows", [](auto& each) { each.chance = 0.75; }, true, Rise, "75 %"},
             {"less sure than that", [](auto& each) { each.chance = 0.74; }, false, Rise, "chance of 74 %"},
             {"not asked for at all", [](auto& each) { each.chance = 0; }, false, Rise, "0 %"},
             {"asked for later", [](auto& each) { each.later = true; }, false, Rise, "later than"},
             {"voided by a write", [](auto& each) { each.voided = true; }, true, Write, "a write voided it"},
             {"there for long", [](auto& each) { each.there = true, each.expires_in_s = 1.5; }, false, Rise,
              "another 1.5 s"},
             {"there, not for long", [](auto& each) { each.there = true, each.expires_in_s = 0.5; }, true,
              Expiry, "expires in 0.5 s"},
             {"did not pay", [](auto& each) { each.switched_off = true; }, false, Rise, "did not pay"},
             {"under way", [](auto& each) { each.under_way = true; }, false, Rise, "a moment ago"}}) {
        CAPTURE(row.name);
        PrewarmCandidate each = hot(1);
        row.change(each);
        const auto decision = prewarm_plan({each}, kAmple);
        REQUIRE(decision.reasons.size() == 1);
        CAPTURE(decision.reasons[0]);
        CHECK(decision.reasons[0].find(row.reason) != std::string::npos);
        REQUIRE(decision.fetches.size() == (row.fetched ? 1 : 0));
        if (row.fetched) CHECK(decision.fetches[0].why == row.why);
    }
}

TEST_CASE("prewarm plan: what is urgent comes first, then what saves most a byte") {
    auto rise = hot(1), dear = hot(2), large = hot(3), expiring = hot(4), voided = hot(5);
    dear.saves_us *= 10;
    large.bytes *= 10;
    expiring.there = true;
    expiring.saves_us = 1;
    voided.voided = true;
    voided.saves_us = 1;
    const auto decision = prewarm_plan({rise, dear, large, expiring, voided}, kAmple);
    std::string order;
    for (const auto& fetch : decision.fetches) order += std::to_string(fetch.key);
    CHECK(order == "54213");
}

TEST_CASE("prewarm plan: budgets are kept, and what replaces an answer takes no room") {
    std::vector<PrewarmCandidate> many;
    for (std::uint64_t key = 0; key < 50; ++key) many.push_back(hot(key));
    auto limits = kAmple;
    limits.fetches_max = 7;
    auto decision = prewarm_plan(many, limits);
    CHECK(decision.fetches.size() == 7);
    CHECK(decision.reasons[49].find("rate") != std::string::npos);
    limits = kAmple;
    limits.bytes_max = 5'500;
    decision = prewarm_plan(many, limits);
    CHECK(decision.fetches.size() == 5);
    CHECK(decision.reasons[49].find("memory") != std::string::npos);
    limits.bytes_max = -1;
    CHECK(prewarm_plan(many, limits).fetches.empty());
    for (auto& each : many) each.there = true;
    CHECK(prewarm_plan(many, limits).fetches.size() == 50);
}

TEST_CASE("prewarm switch: off where it does not pay, on again on probation, each time later") {
    PrewarmSwitch decides;
    std::uint64_t used = 0, unused = 0;
    std::int64_t now = 1000;
    const auto judge = [&](std::uint64_t more_used, std::uint64_t more_unused) {
        return decides.judge(used += more_used, unused += more_unused, 0.25, now);
    };
    CHECK(judge(0, 19));  // too few to tell
    CHECK_FALSE(judge(0, 1));
    CHECK(decides.reason().find("20 of the last 20") != std::string::npos);
    now += PrewarmSwitch::kRestBuckets * 60 - 1;
    CHECK_FALSE(judge(0, 0));
    now += 1;
    CHECK(judge(0, 0));
    CHECK(decides.reason().empty());
    CHECK_FALSE(judge(11, 9));  // 45 %
    now += 2 * PrewarmSwitch::kRestBuckets * 60 - 1;
    CHECK_FALSE(judge(0, 0));
    now += 1;
    CHECK(judge(0, 0));
    CHECK(judge(150, 50));  // 25 % is allowed; the probation is passed
    CHECK_FALSE(judge(0, 100));
    now += PrewarmSwitch::kRestBuckets * 60;  // and forgotten
    CHECK(judge(0, 0));
}

TEST_CASE("prewarm switch: one hot set that did not come does not undo what many brought") {
    PrewarmSwitch decides;
    CHECK(decides.judge(1'000, 100, 0.25, 1));
    CHECK(decides.judge(1'000, 350, 0.25, 2));
    CHECK_FALSE(decides.judge(1'000, 500, 0.25, 3));
}

TEST_CASE("prewarm switch: the less went unused lately, the more may be risked") {
    PrewarmSwitch decides;
    CHECK(decides.risk(0.2) == doctest::Approx(0.2));
    (void)decides.judge(19, 0, 0.2, 1);
    CHECK(decides.risk(0.2) == doctest::Approx(0.2));  // too few to tell
    (void)decides.judge(90, 10, 0.2, 2);
    CHECK(decides.risk(0.2) == doctest::Approx(0.3));
    (void)decides.judge(90, 30, 0.2, 3);
    CHECK(decides.risk(0.2) == doctest::Approx(0.15));
}

TEST_CASE("prewarm switch: a statement that pays is never off, whatever the order of its answers") {
    PrewarmSwitch decides;
    std::uint64_t used = 0, unused = 0;
    for (int i = 0; i < 10'000; ++i) {
        ++(i % 5 == 0 ? unused : used);
        CHECK(decides.judge(used, unused, 0.25, i));
    }
}
