// proxy/session/exchange.h: one exchange between client and server: what was sent up to a ReadyForQuery, what
// it may change, and the copy of its answer that may become a cache entry.
//
// Plain state of one session; the decisions are in conversation*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cache/entry.h"
#include "cache/write_log.h"
#include "proxy/session/copied_rows.h"
#include "proxy/session/plan.h"
#include "proxy/wire/framer.h"

namespace warmfront::session {

// What statements did, beside their rows, once they take effect.
struct Consequences {
    EffectSet effects;
    bool changes_catalog = false;
    bool changes_roles = false;

    void add(const Consequences& other) {
        effects.add(other.effects);
        changes_catalog |= other.changes_catalog;
        changes_roles |= other.changes_roles;
    }
    void clear() { *this = {}; }
};

// Collects an answer while it passes by. Gives up at the first message that is not part of a plain result,
// and when the result grows over bytes_max.
class Capture {
public:
    struct Options {
        bool extended = false;
        bool parse_complete = false;  // a Parse is answered first (also one that the client does not see)
        bool describe = false;        // the answer holds a RowDescription (always so for a simple query)
        bool row_limit = false;       // may end in PortalSuspended
        std::size_t bytes_max = 0;
    };
    void start(Options options);
    void give_up();
    void on_backend(const wire::Piece& piece);

    [[nodiscard]] bool active() const { return step_ != Step::Off; }
    [[nodiscard]] bool complete() const { return step_ == Step::Closed; }
    [[nodiscard]] bool too_large() const { return too_large_; }
    [[nodiscard]] std::string_view row_description() const { return row_description_; }
    [[nodiscard]] std::string_view rows_and_close() const { return rows_and_close_; }

private:
    enum class Step : std::uint8_t { Off, ParseComplete, BindComplete, RowDescription, Rows, Closed };
    [[nodiscard]] Step after_bind() const { return options_.describe ? Step::RowDescription : Step::Rows; }
    void append(std::string& to, const wire::Piece& piece);
    Step step_ = Step::Off;
    bool too_large_ = false;
    Options options_;
    std::string row_description_;
    std::string rows_and_close_;
};

struct Exchange {
    enum class Kind : std::uint8_t {
        Simple,    // a Query
        Extended,  // Parse ... Sync
        FunctionCall,
        Snapshot,  // our own query that changes nothing, see Conversation::snapshot_owed(); not for the
                   // client
        Probe,     // our own query for the session's settings; the client sees nothing of it
        Local,     // answered from the cache behind others that are still under way
    };
    Kind kind = Kind::Simple;
    bool synced = true;              // Extended: its Sync was sent
    bool copy_in = false;            // the server entered COPY FROM STDIN
    bool answered = false;           // something other than notices came
    bool failed = false;             // an ErrorResponse came
    bool nothing_ran = false;        // and told that none of it was done
    bool begins_unexecuted = false;  // Extended: its first message is a Parse or Bind
    bool missed = false;             // would have been answered from the cache
    bool would_hit = false;          // an answer is there; it is only observed
    bool observed = false;           // of the answer nothing is kept but its size
    bool foreseen_from = false;      // the trail has it already
    bool plain_read = false;         // leaves session, transaction and data as they are
    bool touches_settings = false;
    bool discards_statements = false;
    bool prepares_sql = false;    // PREPARE, DEALLOCATE, DISCARD: names of statements may mean others now
    bool catalog_judged = false;  // Database::begin_write() was called
    std::uint32_t syncs_after_copy =
        0;  // Syncs sent after CopyDone for an exchange that had its Sync already
    std::uint32_t steps_sent = 0, steps_done = 0;  // extended messages that are answered one by one

    sql::QueryClass query_class = sql::QueryClass::Read;
    sql::TransactionEffect transaction = sql::TransactionEffect::None;
    sql::Isolation isolation = sql::Isolation::Default;
    std::uint32_t statements = 0;  // executed, as far as they were accounted for
    sql::SavepointEffect savepoint = sql::SavepointEffect::None;
    std::string savepoint_name;
    Consequences consequences;
    std::shared_ptr<CopiedRows>
        copied;                  // a COPY under way whose rows are read; what they void is not counted yet
    cache::PendingWrite marked;  // begun in the write log, to be ended
    std::uint64_t epoch = 0;     // of begin_write()

    // Parse and Close messages sent, in order; hidden: of our own, whose answer is not for the client.
    struct Sent {
        std::string name;
        bool hidden = false;
    };
    std::vector<Sent> parses, closes;
    std::size_t parses_answered = 0, closes_answered = 0;
    std::vector<std::string> deallocates;
    std::string prepared_name, prepared_query;  // by SQL's PREPARE
    std::uint32_t binds = 0;                    // 0, 1, or 2 for more
    std::string bound;                          // statement of the last Bind

    PlanRef plan;     // of the query, or of the last Bind
    std::string key;  // complete cache key; empty: not to be kept
    std::uint64_t key_hash = 0;
    std::uint32_t fingerprint = 0;  // of the settings in the key
    cache::FillTicket ticket;
    std::uint64_t flight = 0;  // our number as the leader of a flight, 0: none
    std::uint64_t catalog_version = 0;
    std::uint64_t sent_us = 0;
    std::uint64_t answer_rows = 0, answer_bytes = 0;  // so far
    Capture capture;
    cache::EntryRef verify;  // a hit whose answer is compared with PostgreSQL's

    [[nodiscard]] bool is_plain_read() const {
        return query_class == sql::QueryClass::Read && consequences.effects.none() && !touches_settings &&
               transaction == sql::TransactionEffect::None;
    }

    // What may tell the session's next request (proxy/session/foresight.h), of one that is not captured.
    bool trailed = false, trailed_extended = false;
    std::string details, first_rows;
    bool first_rows_end = false;  // no more of them

    std::string local_reply;
    std::vector<std::string> probe_values;
    std::vector<std::string> watched;  // probed beside the usual settings
    bool probe_answered = false;
    std::uint64_t settings_generation = 0;
};

}  // namespace warmfront::session
