#include "forecast/capacity.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::forecast;
using std::chrono::seconds;

static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("capacity: what is needed is the peak divided by what one sidecar carries") {
    // 2 cores used to a half, 1 ms a query: 1000 queries/s a sidecar.
    const CapacityOptions options{2, 0.5, 1, 10, seconds(0)};
    struct Row {
        double peak_per_s, needed;
        std::size_t recommended;
    };
    for (const auto& [peak, needed, recommended] : std::vector<Row>{{0, 0, 1},
                                                                    {999, 0.999, 1},
                                                                    {1000, 1, 1},
                                                                    {1001, 1.001, 2},
                                                                    {4500, 4.5, 5},
                                                                    {10'000, 10, 10},
                                                                    {1e9, 1e6, 10}}) {
        CAPTURE(peak);
        CapacityPlan plan(options);
        const Capacity& capacity = plan.on_demand({1000, peak, 1e-3});
        CHECK(capacity.carries_per_s == doctest::Approx(1000));
        CHECK(capacity.needed == doctest::Approx(needed));
        CHECK(capacity.recommended == recommended);
    }
}

TEST_CASE("capacity: it goes up at once, and down only after the load stayed lower for the whole time") {
    CapacityPlan plan({1, 1, 1, 10, seconds(64)});
    struct Row {
        std::int64_t now_s;
        double peak_per_s;
        std::size_t recommended;
    };
    for (const auto& [now_s, peak, recommended] : std::vector<Row>{{1000, 2000, 2},
                                                                   {1001, 5000, 5},  // up at once
                                                                   {1002, 1000, 5},  // down: not yet
                                                                   {1040, 3000, 5},  //
                                                                   {1065, 1000, 5},  // 64 s after the last 5
                                                                   {1066, 1000, 3},  // what 1040 needed
                                                                   {1103, 1000, 3},  //
                                                                   {1105, 1000, 1},  //
                                                                   {1106, 7000, 7}}) {
        CAPTURE(now_s);
        CHECK(plan.on_demand({now_s, peak, 1e-3}).recommended == recommended);
    }
}

TEST_CASE("capacity: a load that swings does not make the number swing") {
    CapacityPlan plan({1, 1, 1, 100, seconds(1200)});
    std::size_t changes = 0, last = 0;
    for (std::int64_t now_s = 0; now_s < 36'000; now_s += 60) {
        const double peak = 1500 + 900 * ((now_s / 60) % 7 == 3) - 700 * ((now_s / 60) % 3 == 0);
        const std::size_t now = plan.on_demand({now_s, peak, 1e-3}).recommended;
        changes += now != last;
        last = now;
    }
    CHECK(changes <= 3);
    CHECK(last == 3);
}

TEST_CASE("capacity: what is not known changes nothing and is said") {
    CapacityPlan plan({1, 0.5, 2, 10, seconds(60)});
    CHECK(plan.current().recommended == 0);
    CHECK(plan.on_demand({0, kUnknown, 1e-3}).recommended == 0);
    CHECK(plan.current().reason == "no load is forecast yet");
    CHECK(plan.on_demand({1, 5000, kUnknown}).recommended == 0);
    CHECK(plan.current().reason == "too few queries to know what one costs");
    CHECK(plan.on_demand({2, 1500, 1e-3}).recommended == 3);
    CHECK(plan.on_demand({3, kUnknown, 1e-3}).recommended == 3);
    CHECK(plan.on_demand({4, 100, 1e-3}).recommended == 3);
}

TEST_CASE("capacity: the reason holds the numbers and the bound that counted") {
    CapacityPlan plan({2, 0.5, 1, 4, seconds(60)});
    CHECK(
        plan.on_demand({0, 9000, 1e-3}).reason ==
        "at most 9000.0 queries/s to come, 1000.0 us of CPU each, 2 cores used to 50 %: one sidecar carries "
        "1000.0/s, needed 9.00; capacity.max is 4");
    CHECK(plan.on_demand({1, 2000, 1e-3}).reason.find("needed 2.00; 9.00 within the last 60 s; ") !=
          std::string::npos);
}

TEST_CASE("query cost: CPU time by query, of looks with enough queries") {
    QueryCost cost;
    CHECK(std::isnan(cost.cpu_s_per_query()));
    cost.on_totals(100, 50'000);  // where it began: nothing is known of it
    CHECK(std::isnan(cost.cpu_s_per_query()));
    cost.on_totals(100.5, 50'099);  // too few: the CPU time may be mostly not theirs
    CHECK(std::isnan(cost.cpu_s_per_query()));
    cost.on_totals(101, 51'000);  // together they are enough
    CHECK(cost.cpu_s_per_query() == doctest::Approx(1e-3));
    cost.on_totals(101 + 4e7 * 2e-4, 51'000 + 4e7);  // long ago fades
    CHECK(cost.cpu_s_per_query() == doctest::Approx(2e-4));
    cost.on_totals(0, 0);  // another process: begins anew, what was measured stays
    CHECK(cost.cpu_s_per_query() == doctest::Approx(2e-4));
}
