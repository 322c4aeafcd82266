// forecast/capacity.h: how many sidecars the load to come needs.
//
// Pure. A sidecar carries cores * utilisation / (CPU time of a query) queries a second. Needed is the highest
// upper bound (95 %) of the load over the horizon divided by that. The recommendation goes up at once and
// comes down only to the most that was needed within the last `lower_after`: a dip does not close what the
// next peak needs. Bounds: kSlots values of the past are kept, so that `lower_after` is exact to a
// kSlots-th part of it, on the longer side.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace warmfront::forecast {

struct CapacityOptions {
    double cores = 1;          // that a sidecar's queries may use
    double utilisation = 0.6;  // the share of them that they are to use at most
    std::size_t min = 1, max = 10;
    std::chrono::seconds lower_after{600};
};

struct Demand {
    std::int64_t now_s = 0;
    double peak_per_s = 0;       // queries a second, upper bound; NaN: not forecast
    double cpu_s_per_query = 0;  // NaN: not measured
};

struct Capacity {
    std::size_t recommended = 0;  // within min and max; 0: not known yet
    // Not rounded and not within min and max, so that the numbers of several sidecars add up: for the last
    // demand, and the most of the last `lower_after`. NaN: not known yet.
    double needed_now = 0, needed = 0;
    double peak_per_s = 0, cpu_s_per_query = 0, carries_per_s = 0;  // carries: one sidecar
    std::string reason;                                             // a sentence, with the numbers
};

class CapacityPlan {
public:
    static constexpr std::int64_t kSlots = 64;
    explicit CapacityPlan(const CapacityOptions& options);
    // now_s never goes back. What is not known leaves the recommendation as it was, and says why.
    const Capacity& on_demand(const Demand& demand);
    [[nodiscard]] const Capacity& current() const { return capacity_; }

private:
    struct Slot {
        std::int64_t number;
        double most;
    };
    void remember(std::int64_t now_s, double needed);

    const CapacityOptions options_;
    const std::int64_t slot_s_;
    std::deque<Slot> slots_;  // ascending by number, at most kSlots + 2
    Capacity capacity_;
};

// The CPU time of a query, from the process's totals.
class QueryCost {
public:
    // Fewer queries tell more of the idle process than of themselves: they count together with later ones.
    static constexpr double kQueriesMin = 100;
    // What was measured fades once so many queries came after it.
    static constexpr double kQueriesRemembered = 1e6;
    // CPU seconds and queries since the process began.
    void on_totals(double cpu_s, double queries);
    [[nodiscard]] double cpu_s_per_query() const;  // NaN: nothing measured yet

private:
    bool begun_ = false;
    double last_cpu_s_ = 0, last_queries_ = 0;
    double cpu_s_ = 0, queries_ = 0;
};

}  // namespace warmfront::forecast
