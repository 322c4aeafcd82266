// proxy/control/prefetcher.h: fetches answers that somebody thinks will be asked for, in the background.
//
// Requests are taken in the order of their urgency, then of their arrival; one that suits the connection of
// the thread that looks (same role and settings) may overtake up to kLookAhead others of its urgency, since
// dressing a connection anew costs round trips. Bounded: kQueueMax requests, `concurrency` threads with one
// connection each (made when first needed, given up when idle), `rate` fetches a second over all of them, no
// more than kBurst at once. After PostgreSQL could not be reached nothing is asked for kPause.
//
// Thread-safe. submit() never blocks beyond a short lock.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "forecast/pacing.h"
#include "proxy/control/fetcher.h"
#include "proxy/control/replay.h"
#include "proxy/session/shared.h"

namespace warmfront::control {

// Why it is fetched, the most urgent first.
enum class PrefetchReason : std::uint8_t {
    NextQuery,  // the session that just asked something asks this next
    Write,      // a write dropped it, and it is hot
    Expiry,     // it is hot, and its ttl is nearly over
    Command,    // PREWARM
    Rise,       // its load is about to rise
};
inline constexpr std::size_t kPrefetchReasons = 5;
[[nodiscard]] std::string_view name_of(PrefetchReason reason);

struct PrefetchRequest {
    std::shared_ptr<const Replay> replay;  // never nullptr
    PrefetchReason reason = PrefetchReason::Rise;
    // Of no use after that: it is dropped (FetchOutcome::Late).
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    bool anew = false;      // see Fetcher
    std::uint64_t tag = 0;  // the caller's own
};

struct PrefetchTotals {
    std::array<std::uint64_t, kFetchOutcomes> outcomes{};   // by FetchOutcome
    std::array<std::uint64_t, kPrefetchReasons> reasons{};  // of those Stored
    std::uint64_t dropped = 0;                              // the queue was full
    std::uint64_t asked_us = 0;                             // of PostgreSQL
    std::size_t waiting = 0;                                // now
    double rate = 0;                                        // fetches a second allowed now
    std::string last_reason;  // of the last one that was neither Stored nor There
};

class Prefetcher {
public:
    static constexpr std::size_t kQueueMax = 4'096;
    static constexpr std::size_t kLookAhead = 64;
    static constexpr double kBurst = 20;
    static constexpr std::chrono::milliseconds kPause{1'000};

    // Told on a thread of the prefetcher, of every request that was taken.
    using Done = std::function<void(const PrefetchRequest&, const Fetched&)>;
    struct Options {
        std::function<std::string(const std::string& database)> conninfo_for;
        std::size_t concurrency = 2;
        double rate = 100;
        std::size_t first_ledger_worker = 0;  // and as many more as there are threads
    };
    Prefetcher(session::Shared& shared, Options options, Done done);
    ~Prefetcher();  // stop()
    Prefetcher(const Prefetcher&) = delete;
    Prefetcher& operator=(const Prefetcher&) = delete;

    void start();
    // Ends what is under way and the threads; what waits is dropped.
    void stop();
    // False: the queue is full, or it does not run.
    bool submit(PrefetchRequest request);
    // Drops what waits for this reason.
    void withdraw(PrefetchReason reason);
    void set_rate(double per_second);
    [[nodiscard]] PrefetchTotals totals() const;

private:
    using Queue = std::deque<PrefetchRequest>;
    void run(std::size_t number);
    // Waits; nullopt at the end. Sets `resting` where there was nothing to do for a while.
    [[nodiscard]] std::optional<PrefetchRequest> next(Fetcher& fetcher);
    [[nodiscard]] std::optional<PrefetchRequest> take(const Fetcher& fetcher);
    void note(const PrefetchRequest& request, const Fetched& fetched);

    session::Shared& shared_;
    const Options options_;
    const Done done_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::array<Queue, kPrefetchReasons> queues_;
    forecast::TokenBucket tokens_;
    std::chrono::steady_clock::time_point paused_until_{};
    PrefetchTotals totals_;
    std::vector<std::thread> threads_;
};

}  // namespace warmfront::control
