// proxy/session/foresight.h: watches what sessions ask one after the other, and has the answer fetched that a
// session will ask for next (forecast/next_query.h decides, a PrefetchSink fetches).
//
// A Trail is one session's last few requests: which statement, the values it was given (as in its cache key)
// and its answer's first rows (the first cut at kPartBytesMax, the others while they are whole and all
// together within kRowsBytesMax); and the fetches that it waits for. While the rows of a list are asked for
// one by one, the list is remembered (Run), for how far down that goes. A statement is the same one whoever
// sends it: by database and template text. Of each successor and each kind of settings one request is
// remembered as it was sent, an exemplar: with other values in it, it is what the session itself would send,
// so that what is fetched lies under the session's own key. What a user may not read, or what depends on who
// asks, is for the fetcher to refuse.
//
// Requests after more than Options::window begin a new trail. BEGIN, COMMIT, SET and their like do not count.
//
// One Foresight for each worker, which learns from that worker's sessions. Its lock is the worker's alone but
// for the moments in which somebody looks (rows(), counts()). At kExemplarsMax exemplars and kNamesMax names
// all are forgotten and come anew. Watching a hit allocates nothing, unless something is expected of it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/key.h"
#include "cache/store.h"
#include "config/settings.h"
#include "forecast/next_query.h"
#include "proxy/session/next_query_row.h"
#include "proxy/session/plan.h"
#include "proxy/session/prefetch.h"
#include "proxy/session/value_texts.h"

namespace warmfront::session {

class Trail {
public:
    static constexpr std::size_t kPartBytesMax = 512;
    static constexpr std::size_t kRowsBytesMax = 2048;
    // A further fetch is not asked for: the rows of one list, and some more.
    static constexpr std::size_t kAwaitedMax = forecast::FanOut::kRows + 4;

    // The beginning of an answer's DataRows that is kept.
    [[nodiscard]] static std::string_view kept_rows(std::string_view rows);

private:
    friend class Foresight;
    struct Step {
        std::uint64_t statement = 0;  // 0: none
        std::uint64_t at_us = 0;
        char kind = 'Q';
        std::string details, rows;
    };
    struct Run {
        forecast::QueryPair pair;  // the list, and what is asked for its rows; from 0: there is none
        Step list;
        std::size_t there = 0, asked = 0;  // rows
    };
    struct Awaited {
        forecast::QueryPair pair;
        std::uint64_t key_hash = 0, until_us = 0, origin_us = 0;
        bool of_rows = false;  // one of several: it may come after others of them
    };
    std::array<Step, forecast::NextQuery::kHistory> steps_;
    std::size_t last_ = 0;
    std::array<Awaited, kAwaitedMax> awaited_;
    std::size_t awaited_count_ = 0;
    Run run_;
};

class Foresight {
public:
    static constexpr std::size_t kExemplarsMax = 1024, kNamesMax = 2048;
    static constexpr std::size_t kTextShownMax = 200;

    // sink: nullptr: nothing is fetched, only learnt.
    Foresight(const cache::Store& store, PrefetchSink* sink, const NextQuerySettings& settings);
    void set(const NextQuerySettings& settings);
    [[nodiscard]] bool enabled() const { return enabled_.load(std::memory_order_relaxed); }

    struct Request {
        const PlanRef& plan;
        std::string_view database;
        std::shared_ptr<const sql::SessionSettings> settings = nullptr;  // nullptr: not known
        char kind = 'Q';
        std::uint32_t row_limit = 0;
        // As in a cache key (cache/key.h); empty also where they are not known.
        std::string_view details = {};
        std::string_view rows = {};  // the answer's DataRows, or the first ones, or the first one's beginning
        // Of one that may be answered from memory: its key, and whether it was.
        std::uint64_t key_hash = 0;
        bool cacheable = false, from_memory = false;
    };
    // The request that this cache key is of.
    [[nodiscard]] static Request request_of(const PlanRef& plan, std::string_view database,
                                            std::shared_ptr<const sql::SessionSettings> settings,
                                            const cache::KeyView& key);
    // It was answered.
    void answered(Trail& trail, const Request& request, std::uint64_t now_us);
    // The session is over, or did what cannot be followed.
    void ended(Trail& trail, std::uint64_t now_us);

    [[nodiscard]] forecast::NextQueryCounts counts() const;
    [[nodiscard]] std::vector<NextQueryView> rows(std::uint64_t now_us) const;

private:
    struct Exemplar {
        PlanRef plan;
        char kind = 'Q';
        std::uint32_t row_limit = 0;
        std::string details;
    };
    struct ExemplarKey {
        std::uint64_t statement = 0;
        std::uint32_t fingerprint = 0;
        bool operator==(const ExemplarKey&) const = default;
    };
    struct ExemplarHash {
        std::size_t operator()(const ExemplarKey& key) const {
            return key.statement ^ (std::uint64_t{key.fingerprint} * 0x9e3779b97f4a7c15U);
        }
    };
    void settle_awaited(Trail& trail, const Request& request, std::uint64_t now_us);
    void learn(const Trail& trail, forecast::QueryPair pair, const Request& request, std::uint64_t now_us);
    void predict(Trail& trail, const Request& request, std::uint64_t now_us);
    struct Wish {
        forecast::QueryPair pair;
        const Exemplar& exemplar;
        std::uint64_t origin_us;
        std::size_t row, rows;  // which of how many
    };
    void want(Trail& trail, const Request& request, const Wish& wish, std::uint64_t now_us);
    [[nodiscard]] std::size_t rows_worth(const Trail::Step& list, forecast::QueryPair pair,
                                         std::uint64_t origin_us) const;
    void follow_run(Trail& trail, forecast::QueryPair pair, const Request& request);
    void end_run(Trail& trail);
    [[nodiscard]] bool asks_for_row(const Trail::Run& run, std::size_t row, const Request& request);
    // The trail's steps within the window as the model takes them; valid until the next call.
    [[nodiscard]] std::span<const forecast::AnsweredRequest> history(const Trail& trail,
                                                                     std::uint64_t now_us);
    void name(std::uint64_t statement, const Plan& plan, std::string_view database);
    [[nodiscard]] NextQueryName name_of(std::uint64_t statement) const;

    const cache::Store& store_;
    PrefetchSink* const sink_;
    std::atomic<bool> enabled_{false};
    mutable std::mutex mutex_;
    forecast::NextQuery model_;
    std::uint64_t window_us_ = 0;
    std::unordered_map<ExemplarKey, Exemplar, ExemplarHash> exemplars_;
    std::unordered_map<std::uint64_t, NextQueryName> names_;
    cache::KeyBuilder key_;
    ValueTexts given_, list_;
    std::array<ValueTexts, forecast::NextQuery::kHistory> texts_;
    std::array<forecast::AnsweredRequest, forecast::NextQuery::kHistory> history_;
};

// Those of all workers.
class Foresights {
public:
    Foresights(std::size_t workers, const cache::Store& store, PrefetchSink* sink,
               const NextQuerySettings& settings);
    void set(const NextQuerySettings& settings);
    [[nodiscard]] Foresight& of_worker(std::size_t number) { return *each_[number]; }
    [[nodiscard]] forecast::NextQueryCounts counts() const;
    // The pairs of all workers, equal ones summed; those that saved most first.
    [[nodiscard]] std::vector<NextQueryView> rows(std::uint64_t now_us) const;

private:
    std::vector<std::unique_ptr<Foresight>> each_;
};

}  // namespace warmfront::session
