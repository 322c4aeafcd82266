// proxy/control/prewarmer.h: keeps in memory what is about to be asked for: runs the plan of
// forecast/prewarm_plan.h on a thread of its own and feeds the prefetcher.
//
// Every kTick (for kKeysPerTick keys; for more, as much longer) it looks what has become of the hot keys
// (Store::glance: a short lock for each, no trace in the cache), so that an answer which a write voided is
// fetched anew at once, and one about to expire before it does; every kPlanEvery it asks anew which keys are
// hot, lets the governor judge what clients' own misses take (forecast/pacing.h), and looks which statements
// did not pay. While PostgreSQL cannot be reached, in observe mode, and with prewarm.enabled off, nothing is
// fetched.
//
// Bounds: kKeysMax hot keys, kCommandsMax more given by the operator (PREWARM), which count as asked for once
// a second for kCommandHolds.
//
// Thread-safe. The callbacks of Options are called on the prewarmer's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/result.h"
#include "forecast/hot_keys.h"
#include "forecast/pacing.h"
#include "forecast/prewarm_plan.h"
#include "proxy/admin/prewarm_view.h"
#include "proxy/control/prefetcher.h"
#include "proxy/session/shared.h"

namespace warmfront::control {

// What is remembered of a key beside how often it is asked for.
struct KnownKey {
    std::string replay;   // proxy/control/replay.h
    double saves_us = 0;  // PostgreSQL's time for it; 0: not known
    double bytes = 0;     // of its answer; 0: not known
};

// Misses of clients since the start, and how long PostgreSQL took for them.
struct MissLoad {
    std::uint64_t misses = 0, took_us = 0;
};

class Prewarmer {
public:
    static constexpr std::chrono::milliseconds kTick{25};
    static constexpr std::size_t kKeysPerTick = 1'000;
    static constexpr std::chrono::milliseconds kPlanEvery{500};
    static constexpr std::chrono::seconds kCommandHolds{600};
    static constexpr std::chrono::milliseconds kHintsHold{5'000};
    static constexpr std::size_t kKeysMax = 10'000;
    static constexpr std::size_t kCommandsMax = 1'000;

    struct Options {
        // Which keys are predicted to be asked for; hottest first.
        std::function<std::vector<forecast::HotKey>(const forecast::HotKeyOptions&)> hot;
        std::function<std::optional<KnownKey>(std::uint64_t key)> known;
        std::function<MissLoad()> misses;
        std::function<bool()> reachable;  // PostgreSQL
        std::function<std::string(const std::string& database)> conninfo_for;
        std::size_t first_ledger_worker = 0;  // prewarm.concurrency of them
    };
    Prewarmer(session::Shared& shared, Options options);
    ~Prewarmer();
    Prewarmer(const Prewarmer&) = delete;
    Prewarmer& operator=(const Prewarmer&) = delete;

    void start();
    void stop();
    [[nodiscard]] Prefetcher& prefetcher() { return prefetcher_; }
    // PREWARM: fetches the answer of a replay's text and keeps it warm for kCommandHolds. Fails with 22023
    // where it is no replay, with 53400 at kCommandsMax or with a full queue, with 55000 while it is off,
    // with 42501 where prewarm.roles is not all.
    [[nodiscard]] Result<void> prewarm(std::string_view replay);
    [[nodiscard]] std::shared_ptr<const admin::PrewarmView> view() const;
    [[nodiscard]] admin::PrewarmNumbers numbers() const;

private:
    using Time = std::chrono::steady_clock::time_point;
    using StatementKey = std::pair<std::string, std::uint64_t>;  // database, digest
    struct Watched;
    struct Switched {
        forecast::PrewarmSwitch decides;
        std::shared_ptr<session::Account> account;
    };
    struct Command {
        std::shared_ptr<const Replay> replay;
        Time until;
    };

    void run();
    void tick();
    void take_results();
    void take_result(const PrefetchRequest& request, const Fetched& fetched);
    void replan();
    void watch(const forecast::HotKey& hot);
    void add_commands(std::vector<forecast::HotKey>& hot);
    void judge_statements();
    [[nodiscard]] forecast::PrewarmCandidate candidate_of(Watched& watched, double& awaiting_bytes);
    void submit(const forecast::PrewarmFetch& fetch);
    void show();
    [[nodiscard]] bool active() const;
    [[nodiscard]] double within_s() const;
    [[nodiscard]] std::int64_t bucket_s() const;
    void protect() const;

    session::Shared& shared_;
    const Options options_;
    Prefetcher prefetcher_;
    // Of the thread alone:
    std::vector<std::unique_ptr<Watched>> watched_;  // hottest first
    std::unordered_map<std::uint64_t, Watched*> by_key_;
    std::map<StatementKey, Switched> switches_;
    forecast::Governor governor_;
    MissLoad misses_seen_;
    Time planned_{};

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::vector<std::pair<PrefetchRequest, Fetched>> results_;
    std::unordered_map<std::uint64_t, Command> commands_;
    std::shared_ptr<const admin::PrewarmView> view_ = std::make_shared<admin::PrewarmView>();
    std::thread thread_;
};

}  // namespace warmfront::control
