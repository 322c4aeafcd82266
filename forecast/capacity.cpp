#include "forecast/capacity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace warmfront::forecast {

static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

CapacityPlan::CapacityPlan(const CapacityOptions& options)
    : options_(options),
      slot_s_(std::max<std::int64_t>(1, (options.lower_after.count() + kSlots - 1) / kSlots)) {
    capacity_.needed_now = capacity_.needed = kUnknown;
    capacity_.peak_per_s = capacity_.cpu_s_per_query = capacity_.carries_per_s = kUnknown;
    capacity_.reason = "nothing is forecast yet";
}

void CapacityPlan::remember(std::int64_t now_s, double needed) {
    const std::int64_t number = now_s / slot_s_;
    if (!slots_.empty() && slots_.back().number == number)
        slots_.back().most = std::max(slots_.back().most, needed);
    else
        slots_.push_back({number, needed});
    // A slot counts until all of it is longer ago than lower_after.
    while ((slots_.front().number + 1) * slot_s_ + options_.lower_after.count() <= now_s) slots_.pop_front();
}

const Capacity& CapacityPlan::on_demand(const Demand& demand) {
    capacity_.peak_per_s = demand.peak_per_s;
    capacity_.cpu_s_per_query = demand.cpu_s_per_query;
    if (std::isnan(demand.peak_per_s) || std::isnan(demand.cpu_s_per_query) || demand.cpu_s_per_query <= 0) {
        capacity_.reason = std::isnan(demand.peak_per_s) ? "no load is forecast yet"
                                                         : "too few queries to know what one costs";
        return capacity_;
    }
    capacity_.carries_per_s = options_.cores * options_.utilisation / demand.cpu_s_per_query;
    capacity_.needed_now = demand.peak_per_s / capacity_.carries_per_s;
    remember(demand.now_s, capacity_.needed_now);
    capacity_.needed = std::ranges::max(slots_, {}, &Slot::most).most;
    const double whole = std::ceil(capacity_.needed - 1e-9);
    const bool above = whole > static_cast<double>(options_.max);
    const bool below = whole < static_cast<double>(options_.min);
    capacity_.recommended = above ? options_.max : below ? options_.min : static_cast<std::size_t>(whole);
    capacity_.reason = fmt::format(
        "at most {:.1f} queries/s to come, {:.1f} us of CPU each, {:g} cores used to {:.0f} %: one sidecar "
        "carries {:.1f}/s, needed {:.2f}",
        demand.peak_per_s, demand.cpu_s_per_query * 1e6, options_.cores, options_.utilisation * 100,
        capacity_.carries_per_s, capacity_.needed_now);
    if (capacity_.needed > capacity_.needed_now)
        capacity_.reason +=
            fmt::format("; {:.2f} within the last {} s", capacity_.needed, options_.lower_after.count());
    if (above) capacity_.reason += fmt::format("; capacity.max is {}", options_.max);
    if (below) capacity_.reason += fmt::format("; capacity.min is {}", options_.min);
    return capacity_;
}

void QueryCost::on_totals(double cpu_s, double queries) {
    const double more_cpu = cpu_s - last_cpu_s_, more_queries = queries - last_queries_;
    const bool starts = !begun_ || more_cpu < 0 || more_queries < 0;
    if (!starts && more_queries < kQueriesMin) return;  // looked at again when there are more
    begun_ = true;
    last_cpu_s_ = cpu_s;
    last_queries_ = queries;
    if (starts) return;
    const double kept = std::exp2(-more_queries / kQueriesRemembered);
    cpu_s_ = cpu_s_ * kept + more_cpu;
    queries_ = queries_ * kept + more_queries;
}

double QueryCost::cpu_s_per_query() const {
    return queries_ > 0 ? cpu_s_ / queries_ : kUnknown;
}

}  // namespace warmfront::forecast
