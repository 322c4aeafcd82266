#include "proxy/admin/counters.h"

#include <cmath>
#include <numeric>

#include "config/ensure.h"

namespace warmfront::admin {

std::string_view name_of(session::DropCause cause) {
    switch (cause) {
        case session::DropCause::Write: return "write";
        case session::DropCause::Ddl: return "ddl";
        case session::DropCause::Roles: return "roles";
        case session::DropCause::Opaque: return "opaque";
        case session::DropCause::UpstreamLost: return "upstream_lost";
        case session::DropCause::Flush: return "flush";
    }
    ensure(false, "a cause has a name");
    return {};
}

template <class To, class From>
static void add_each(To& to, const From& from) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        if constexpr (requires { from[i].get(); })
            to[i] += from[i].get();
        else
            to[i] += from[i];
    }
}

void Latencies::add(const Latencies& other) {
    add_each(counts, other.counts);
    sum_us += other.sum_us;
}

std::uint64_t Latencies::count() const {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t Latencies::quantile_us(double q) const {
    const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count())));
    std::uint64_t below = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
        below += counts[bucket];
        if (below > 0 && below >= rank) return std::uint64_t{1} << bucket;
    }
    return 0;
}

void LatencyCounters::add_to(Latencies& sum) const {
    add_each(sum.counts, counts_);
    sum.sum_us += sum_us_.get();
}

void LabelCounters::add(std::string_view label) noexcept {
    const std::size_t used = used_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < used; ++i) {
        if (slots_[i].label == label) return slots_[i].count.add(1);
    }
    if (used == slots_.size()) return other_.add(1);
    slots_[used].label = label;
    slots_[used].count.add(1);
    used_.store(used + 1, std::memory_order_release);
}

void LabelCounters::add_to(std::map<std::string_view, std::uint64_t>& sum) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) sum[slots_[i].label] += slots_[i].count.get();
    if (other_.get() > 0) sum[kOther] += other_.get();
}

void DatabaseTotals::add(const DatabaseCounters& counters) {
    add_each(queries, counters.queries);
    hits += counters.hits.get();
    stales += counters.stales.get();
    misses += counters.misses.get();
    counters.refusals.add_to(refusals);
    fills += counters.fills.get();
    fills_refused += counters.fills_refused.get();
    add_each(invalidations, counters.invalidations);
    // Closed first: a connection that opens and closes in between must not be missing from the opened ones.
    const std::uint64_t closed = counters.connections_closed.get();
    const std::uint64_t opened = counters.connections_opened.get();
    connections += opened > closed ? opened - closed : 0;
    connections_total += opened;
    received_bytes += counters.received_bytes.get();
    sent_bytes += counters.sent_bytes.get();
    counters.hit_latency.add_to(hit_latency);
    counters.miss_latency.add_to(miss_latency);
    counters.forwarded_latency.add_to(forwarded_latency);
}

void DatabaseTotals::add(const DatabaseTotals& other) {
    add_each(queries, other.queries);
    hits += other.hits;
    stales += other.stales;
    misses += other.misses;
    for (const auto& [label, count] : other.refusals) refusals[label] += count;
    fills += other.fills;
    fills_refused += other.fills_refused;
    add_each(invalidations, other.invalidations);
    connections += other.connections;
    connections_total += other.connections_total;
    received_bytes += other.received_bytes;
    sent_bytes += other.sent_bytes;
    hit_latency.add(other.hit_latency);
    miss_latency.add(other.miss_latency);
    forwarded_latency.add(other.forwarded_latency);
}

std::uint64_t DatabaseTotals::queries_total() const {
    return std::accumulate(queries.begin(), queries.end(), std::uint64_t{0});
}

double DatabaseTotals::hit_ratio() const {
    return hits == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(hits + misses);
}

Counters::Counters(unsigned workers) : workers_(workers) {}

Counters::Database& Counters::database(std::string_view name) {
    auto place = databases_.find(name);
    if (place == databases_.end()) {
        if (databases_.size() >= kDatabasesMax) name = kOther;
        place = databases_.try_emplace(std::string(name)).first;
        place->second.resize(workers_ + 1);
    }
    return place->second;
}

DatabaseCounters& Counters::counters(std::string_view name, std::size_t worker) {
    auto& counters = database(name)[worker];
    if (!counters) counters = std::make_unique<DatabaseCounters>();
    return *counters;
}

DatabaseCounters& Counters::of(unsigned worker, std::string_view database) {
    ensure(worker < workers_, "a worker counts that is not there");
    const std::lock_guard lock(mutex_);
    return counters(database, worker);
}

// Under the lock: it makes the many callers one writer.
void Counters::count_invalidation(std::string_view database, session::DropCause cause) {
    const std::lock_guard lock(mutex_);
    counters(database, workers_).invalidations[static_cast<std::size_t>(cause)].add(1);
}

Totals Counters::totals() const {
    const std::lock_guard lock(mutex_);
    Totals totals;
    for (const auto& [name, workers] : databases_) {
        DatabaseTotals& sum = totals[name];
        for (const auto& each : workers) {
            if (each) sum.add(*each);
        }
    }
    return totals;
}

}  // namespace warmfront::admin
