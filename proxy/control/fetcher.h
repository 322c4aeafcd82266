// proxy/control/fetcher.h: asks PostgreSQL for the answer of one read on a connection of warmfront's own and
// keeps it, as a session does with a miss: same analysis, same key, same fill rule.
//
// The statement is sent as a client would send it and the answer's bytes are kept as they came, so an entry
// is what a miss would have stored, byte by byte. (Rejected: building the messages out of libpq's PGresult,
// which cannot ask for row limits or for result formats column by column; and slipping the query into an idle
// session of a client, which would make that client wait, and needs one to be there before the first comes.)
// How the connection comes to answer like the client's session: proxy/control/dress.h.
//
// Equal misses of clients that come meanwhile follow the fetch (cache/flights.h). Blocking; one for each
// thread. Holds one connection, kept between calls, its statement_timeout being kFetchMax.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cache/flights.h"
#include "config/settings.h"
#include "proxy/control/backend_wire.h"
#include "proxy/control/dress.h"
#include "proxy/control/replay.h"
#include "proxy/session/plan.h"
#include "proxy/session/shared.h"

namespace warmfront::control {

enum class FetchOutcome : std::uint8_t {
    Stored,       // it is in memory now, as long as the policy keeps it
    There,        // it was already
    UnderWay,     // a client's miss asks for it right now
    Overtaken,    // a write came in between, or is under way: not stored
    Refused,      // not cacheable, switched off, not to be asked for as that role or with those settings
    Failed,       // PostgreSQL answered with an error
    TooLarge,     // over cache.max_result
    Unreachable,  // no connection, or it was lost
    Late,         // its deadline was over before its turn came, or the process ends
};
inline constexpr std::size_t kFetchOutcomes = 9;
[[nodiscard]] std::string_view name_of(FetchOutcome outcome);

struct Fetched {
    FetchOutcome outcome = FetchOutcome::Late;
    std::string reason;                         // for people, unless Stored or There
    std::uint64_t took_us = 0;                  // of PostgreSQL; 0 where it was not asked
    std::uint64_t digest = 0;                   // of the statement, where it was analysed
    std::string key;                            // the cache key's bytes, where there is one
    std::shared_ptr<session::Account> account;  // of the statement, where it was analysed
};

class Fetcher final : cache::Waiter {
public:
    static constexpr std::chrono::milliseconds kFetchMax{10'000};
    static constexpr std::chrono::milliseconds kIdleMax{60'000};
    static constexpr std::size_t kPlansMax = 1'000;

    struct Options {
        std::function<std::string(const std::string& database)> conninfo_for;
        std::size_t ledger_worker = 0;  // a worker number of the ledger that nobody else uses
    };
    Fetcher(session::Shared& shared, Options options, const std::atomic<bool>& stopping);
    ~Fetcher() override;

    // anew: also where a current answer is there, which stays until the new one replaces it.
    [[nodiscard]] Fetched fetch(const Replay& replay, bool anew);
    // Whether it is dressed for it already: then it costs one round trip.
    [[nodiscard]] bool suits(const Replay& replay) const;
    // Gives the connection up if it has not been used for kIdleMax.
    void rest();

private:
    struct Dressed;  // the connection, as whom it stands there
    struct Question;
    void landed(std::uint64_t, cache::EntryRef) noexcept override {}
    [[nodiscard]] Result<void> connect(session::Database& database);
    [[nodiscard]] Result<void> dress(session::Database& database, const Replay& replay);
    [[nodiscard]] Result<ProbedValues> probe(const std::vector<std::string>& watched);
    [[nodiscard]] Result<void> run(std::string_view sql);
    [[nodiscard]] session::PlanRef plan_of(session::Database& database, const Replay& replay,
                                           Question& question);
    [[nodiscard]] std::string why_not(const session::Plan& plan, const session::Database& database,
                                      std::string_view details) const;
    void ask(session::Database& database, const session::PlanRef& plan, const Replay& replay,
             const Question& question, Fetched& fetched);
    void keep(const session::Plan& plan, const cache::KeyView& key, const cache::FillTicket& ticket,
              const session::Capture& capture, std::uint64_t asked_us, Fetched& fetched,
              cache::EntryRef& entry);
    [[nodiscard]] static Fetched unreachable_or_refused(const Error& error);

    session::Shared& shared_;
    const Options options_;
    const std::atomic<bool>& stopping_;
    session::Planner planner_;
    cache::KeyBuilder key_;
    std::unique_ptr<Dressed> on_;
    std::uint64_t flight_number_ = 0;
};

}  // namespace warmfront::control
