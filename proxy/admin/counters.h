// proxy/admin/counters.h: what happened, counted per worker and database, summed when somebody asks.
//
// Every counter has one writer, the worker's thread, so an add is a plain load and store: no locked
// instruction and no line that two workers write. Readers may be on any thread and see each counter whole,
// the counters of one moment only nearly. Counters only grow; they are never freed while the Counters live.
//
// Bounds: kDatabasesMax databases by name, further ones are counted together as "other"; kLabelsMax refusal
// labels, further ones as "other" likewise.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/session/count.h"
#include "proxy/session/meter.h"
#include "sql/analysis.h"

namespace warmfront::admin {

inline constexpr std::size_t kDatabasesMax = 256;
inline constexpr std::size_t kLabelsMax = 64;
inline constexpr std::string_view kOther = "other";

inline constexpr std::array kQueryClasses{sql::QueryClass::Read, sql::QueryClass::Write,
                                          sql::QueryClass::Session, sql::QueryClass::Transaction,
                                          sql::QueryClass::Opaque};
inline constexpr std::array kDropCauses{session::DropCause::Write,        session::DropCause::Ddl,
                                        session::DropCause::Roles,        session::DropCause::Opaque,
                                        session::DropCause::UpstreamLost, session::DropCause::Flush};
[[nodiscard]] std::string_view name_of(session::DropCause cause);  // "write", "upstream_lost", ...

using session::Counter;

// Durations in buckets that double: bucket k holds those of at most 2^k microseconds and above 2^(k-1); the
// last one holds all above 2^(kBuckets-2), which is 17 s.
struct Latencies {
    static constexpr std::size_t kBuckets = 26;
    static std::size_t bucket_of(std::uint64_t us) noexcept {
        const auto bucket = static_cast<std::size_t>(std::bit_width(us == 0 ? 0 : us - 1));
        return bucket < kBuckets ? bucket : kBuckets - 1;
    }

    std::array<std::uint64_t, kBuckets> counts{};
    std::uint64_t sum_us = 0;
    void add(const Latencies& other);
    [[nodiscard]] std::uint64_t count() const;
    // The bound of the bucket that the q-quantile (0 to 1) falls into, in microseconds; 0 without any.
    [[nodiscard]] std::uint64_t quantile_us(double q) const;
};

class LatencyCounters {
public:
    void add(std::uint64_t us) noexcept {
        counts_[Latencies::bucket_of(us)].add(1);
        sum_us_.add(us);
    }
    void add_to(Latencies& sum) const;

private:
    std::array<Counter, Latencies::kBuckets> counts_;
    Counter sum_us_;
};

// Counts by label, of which the writer meets new ones now and then. A label has static storage.
class LabelCounters {
public:
    void add(std::string_view label) noexcept;
    void add_to(std::map<std::string_view, std::uint64_t>& sum) const;

private:
    struct Slot {
        std::string_view label;  // written before used_ counts it, then constant
        Counter count;
    };
    std::array<Slot, kLabelsMax> slots_;
    std::atomic<std::size_t> used_{0};
    Counter other_;
};

// One worker's counters of one database. Sums of them are DatabaseTotals.
struct alignas(64) DatabaseCounters {
    std::array<Counter, kQueryClasses.size()> queries;  // answered, hits among them; by QueryClass
    Counter hits, stales, misses;                       // hits that were stale are among the hits
    LabelCounters refusals;
    Counter fills, fills_refused;
    std::array<Counter, kDropCauses.size()> invalidations;  // by DropCause
    Counter connections_opened, connections_closed;
    Counter received_bytes, sent_bytes;  // from and to clients
    LatencyCounters hit_latency, miss_latency, forwarded_latency;
};

struct DatabaseTotals {
    std::array<std::uint64_t, kQueryClasses.size()> queries{};
    std::uint64_t hits = 0, stales = 0, misses = 0;
    std::map<std::string_view, std::uint64_t> refusals;  // by label
    std::uint64_t fills = 0, fills_refused = 0;
    std::array<std::uint64_t, kDropCauses.size()> invalidations{};
    std::uint64_t connections = 0;  // open now
    std::uint64_t connections_total = 0;
    std::uint64_t received_bytes = 0, sent_bytes = 0;
    Latencies hit_latency, miss_latency, forwarded_latency;

    void add(const DatabaseCounters& counters);
    void add(const DatabaseTotals& other);
    [[nodiscard]] std::uint64_t queries_total() const;
    // Hits of all reads that could have been one; 0 without any.
    [[nodiscard]] double hit_ratio() const;
};

using Totals = std::map<std::string, DatabaseTotals>;  // by database

class Counters {
public:
    explicit Counters(unsigned workers);

    // The counters of a worker (0 .. workers - 1) for a database; only that worker's thread may write to
    // them. Takes a lock: keep the reference, it lives as long as this.
    [[nodiscard]] DatabaseCounters& of(unsigned worker, std::string_view database);
    [[nodiscard]] Totals totals() const;
    // What is counted by nobody's worker: invalidations begun by the control thread, the console or HTTP.
    void count_invalidation(std::string_view database, session::DropCause cause);

private:
    using Database =
        std::vector<std::unique_ptr<DatabaseCounters>>;  // by worker; the last: count_invalidation's
    [[nodiscard]] Database& database(std::string_view name);
    [[nodiscard]] DatabaseCounters& counters(std::string_view name, std::size_t worker);

    const unsigned workers_;
    mutable std::mutex mutex_;
    std::map<std::string, Database, std::less<>> databases_;
};

}  // namespace warmfront::admin
