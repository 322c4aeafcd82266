// proxy/session/conversation.h: a session after authentication: which messages go on to PostgreSQL, which are
// answered from the cache, what is kept and what is dropped.
//
// Sans-IO: messages of both sides come in as pieces, bytes for both sides go out through two Outboxes; the
// driver (session.h) has no opinion. Time comes in as an argument.
//
// Frontend messages are handled one request at a time: a Query, or the extended messages up to a Sync,
// collected (kRequestBytesMax; more, or a Flush, is sent on as it comes and not cached). A request is
// answered from the cache, or forwarded as an Exchange. While a request must wait (for the session's
// settings, for an equal miss of another session, for an answer that lies on disk, for the server to finish
// what went before) the conversation is `blocked`: the driver feeds no further frontend piece.
//
// Rules for an answer from the cache, all of which must hold:
//   - the request is one read, of a template judged cacheable under the catalog in force;
//   - the session's settings are known: they were asked for since anything that may have changed them;
//   - no exchange is under way but plain reads outside a transaction block (their answers go out first);
//   - outside a block, or in a READ COMMITTED block that has written nothing.
//
// An orphan is a conversation that outlives its server connection (conversation_orphan.cpp): for
// stale_if_error at most, and until PostgreSQL is seen again, requests of one cacheable read each are
// answered from what is kept, with a notice that says how old the answer may be.
//
// Not thread-safe: lives on one worker. At kExchangesMax exchanges under way it blocks until the server has
// answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/disk_tier.h"
#include "cache/flights.h"
#include "cache/key.h"
#include "cache/store.h"
#include "config/ensure.h"
#include "proxy/session/comparison.h"
#include "proxy/session/exchange.h"
#include "proxy/session/execution_values.h"
#include "proxy/session/foresight.h"
#include "proxy/session/key_tally.h"
#include "proxy/session/message_walk.h"
#include "proxy/session/meter.h"
#include "proxy/session/name_map.h"
#include "proxy/session/outbox.h"
#include "proxy/session/plan.h"
#include "proxy/session/prepared.h"
#include "proxy/session/switches.h"
#include "proxy/session/transaction.h"
#include "proxy/wire/framer.h"
#include "proxy/wire/messages.h"

namespace warmfront::session {

// What the conversations of one worker use together.
struct Services {
    cache::Store& store;
    cache::Flights& flights;
    sql::SettingsInterner& interner;
    Planner& planner;
    cache::KeyBuilder& key;
    Outbox& to_client;
    Outbox& to_server;
    std::string& scratch_template;
    std::string& scratch_literals;
    const Switches& switches;
    Sampler& sampler;
    Ledger& ledger;
    KeyTallySlot& keys;
    cache::DiskTier* disk = nullptr;  // none: nullptr
    Foresight* foresight = nullptr;   // nullptr: nobody looks ahead
};

struct ConversationOptions {
    bool cache = true;                 // cache.enabled
    bool replication = false;          // a walsender: its commands are not SQL
    std::size_t max_result = 1 << 20;  // bytes
};

// A write whose answer did not come: it may take effect until its backend is gone.
struct Unsettled {
    Database* database = nullptr;
    cache::PendingWrite marked;
    Consequences consequences;
    std::uint64_t epoch = 0;
    bool catalog_judged = false;
};

class Conversation {
public:
    static constexpr std::size_t kRequestBytesMax = 256 * 1024;
    static constexpr std::size_t kExchangesMax = 1024;
    static constexpr std::size_t kLocalBytesMax = 1024 * 1024;  // of answers that wait behind others
    static constexpr std::size_t kPortalsMax = 1024;
    static constexpr std::size_t kKeepBytes = 4096;  // of the request buffer, while idle

    // startup_key: the startup packet's parameters that decide a session's first settings.
    // waiter: what flights and the disk tier tell; it hands the result on to on_landed() on this
    // conversation's thread.
    Conversation(Services services, Database& database, Meter& meter, cache::Waiter* waiter,
                 std::string startup_key, ConversationOptions options);
    ~Conversation();
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    // Only while not blocked().
    void on_frontend(const wire::Piece& piece, std::uint64_t now_us);
    void on_backend(const wire::Piece& piece, std::uint64_t now_us);
    // The flight that this session followed has landed, or what it asked the disk tier for.
    void on_landed(std::uint64_t ticket, const cache::EntryRef& result, std::uint64_t now_us);
    // Following, or the disk, took too long: asks PostgreSQL itself.
    void stop_following(std::uint64_t now_us);
    // A CancelRequest named this session. True if it waited here and was answered 57014; otherwise PostgreSQL
    // decides.
    bool cancel();

    [[nodiscard]] bool blocked() const { return wait_ != Wait::None; }
    [[nodiscard]] bool following() const { return wait_ == Wait::Flight; }
    [[nodiscard]] bool reading_disk() const { return reading_disk_; }  // then it is following(), too
    // How long to follow at most, in ms: the session's statement_timeout, 0 without one.
    [[nodiscard]] std::uint64_t statement_timeout_ms() const;
    // Nothing under way, no transaction block, nothing collected.
    [[nodiscard]] bool idle() const;
    [[nodiscard]] bool terminated() const { return terminated_; }  // the client sent Terminate
    [[nodiscard]] char transaction_status() const { return block_.status(); }

    // Whether there is anything to be answered without a server: stale_if_error is chosen for something,
    // nothing is under way, the session's settings are known and it holds nothing that ends with its
    // connection.
    [[nodiscard]] bool can_outlive_server();
    // The server connection was lost; only if it can. No more calls of on_backend() then.
    void outlive_server(std::uint64_t now_us);
    [[nodiscard]] bool orphaned() const { return orphan_.has_value(); }
    // An orphan was asked what it cannot answer, its time is over, or PostgreSQL is there again: the client
    // must be told of the loss now.
    [[nodiscard]] bool must_end(std::uint64_t now_us) const;

    // The server connection is gone or is given up: leads and follows end here, what is unsettled is handed
    // out.
    [[nodiscard]] std::vector<Unsettled> abandon();

private:
    enum class Wait : std::uint8_t { None, Settings, Flight, Drain, Room };
    enum class Request : std::uint8_t { None, Simple, Extended, Flushed, Function };

    // conversation_frontend.cpp
    void on_fragment(const wire::Piece& piece);
    void collect(const wire::Piece& piece);
    void on_sync(const wire::Piece& piece);
    void on_copy_end(const wire::Piece& piece);
    void on_copy_data(const wire::Piece& piece);
    void request_ready(Request request, std::string_view bytes);
    void process(Request request, std::string_view bytes);
    void process_simple(std::string_view bytes);
    void process_extended(std::string_view bytes);
    void forward_simple(std::string_view bytes, const PlanRef& plan, const sql::StatementValues& values = {});
    void forward_extended(std::string_view bytes, bool synced);
    void forward_function(std::string_view bytes);
    void absorb_open();
    void forward_step(Exchange& exchange, const WholeMessage& message);
    void forward_parse(Exchange& exchange, std::string_view body);
    void bind_portal(Exchange& exchange, const wire::Bind* bind, std::string_view portal,
                     std::string_view name);
    void forward_close(Exchange& exchange, std::string_view body);
    void align_unnamed(Exchange& exchange, std::string_view statement);
    void align_portal(Exchange& exchange, std::string_view portal);
    [[nodiscard]] PlanRef plan_of(PreparedStatement& statement);
    void remember_known(PreparedStatement& statement);
    void hold(Wait wait, Request request, std::string_view bytes);
    void resume();

    // conversation_serve.cpp
    struct Single {  // an extended request of one Bind and one Execute
        std::optional<wire::Parse> parse;
        std::optional<wire::Bind> bind;
        bool describe = false;
        std::uint32_t row_limit = 0;
    };
    [[nodiscard]] static std::optional<Single> as_single(std::string_view bytes);
    [[nodiscard]] bool settings_wanted(const sql::Analysis& analysis) const;
    void ask_settings();
    [[nodiscard]] const sql::SessionSettings* settings() const;
    [[nodiscard]] Names names() const;
    [[nodiscard]] bool settings_changing() const;
    [[nodiscard]] SettingsSeen settings_seen() const;
    [[nodiscard]] bool snapshot_owed(const sql::Analysis* analysis) const;
    void take_snapshot();
    [[nodiscard]] std::uint64_t idle_timeout_ms() const;
    [[nodiscard]] bool server_must_hear() const;
    [[nodiscard]] bool may_read_cache(const Plan& plan) const;
    void use_profile();
    struct Reply {
        bool extended = false, parse = false, describe = false, row_limit = false;
    };
    // What an execution's values are made of, when they are needed.
    struct Given {
        std::string_view literals{};         // of a simple query
        std::string_view parameter_types{};  // of an extended one
        const wire::Bind* bind = nullptr;
    };
    [[nodiscard]] cache::FillTicket observe(const Plan& plan, const Given& given) const;
    // True if the request is done with (answered, or waiting for a flight). details: the values in the key.
    [[nodiscard]] bool serve_or_follow(const PlanRef& plan, const cache::KeyView& key,
                                       std::string_view details, Reply reply, const Given& given);
    void reply_from(const cache::EntryRef& entry, const Plan& plan, Reply reply);
    void want_kept(Exchange& exchange, const PlanRef& plan, const cache::KeyView& key, Reply reply,
                   const Given& given);
    void go_alone();
    [[nodiscard]] bool only_plain_reads_under_way() const;

    [[nodiscard]] cache::KeyView key_of(const Plan& plan, std::string_view literals);
    [[nodiscard]] cache::KeyView key_of(const Plan& plan, const Single& single,
                                        std::string_view parameter_types);

    // conversation_disk.cpp
    [[nodiscard]] bool ask_disk(const Plan& plan, const cache::KeyView& key);
    void on_read(const cache::EntryRef& result, bool usable);
    void leave_flight();
    void give_up_lead();

    // conversation_orphan.cpp
    void on_orphaned(const wire::Piece& piece);
    // False if it is not what can be answered.
    [[nodiscard]] bool answer_stale_simple(std::string_view bytes);
    [[nodiscard]] bool answer_stale_extended(std::string_view bytes);
    [[nodiscard]] bool give_stale(const PlanRef& plan, const cache::KeyView& key, Reply reply);

    // conversation_oversight.cpp
    void observe(const cache::KeyView& key, std::string_view details, Reply reply);
    [[nodiscard]] bool wants_verifying(const Plan& plan, const cache::EntryRef& entry);
    [[nodiscard]] static Answer answer_of(const Capture& capture);
    void verify(const Exchange& exchange);
    void note_refusal(const Plan& plan);
    void count_hit(const Plan& plan, std::uint64_t took_us, std::string_view answer);
    void count_key(const Plan& plan, const cache::KeyView& key) {
        if (services_.keys) services_.keys->count(key, plan.made_from, settings_);
    }
    void count_forwarded(const Exchange& exchange);
    void foresee(const PlanRef& plan, const cache::KeyView& key, std::string_view rows, bool from_memory);
    void watch(Exchange& exchange, std::string_view literals);
    void watch(Exchange& exchange, const Single& single, std::string_view parameter_types);
    static void note_row(Exchange& exchange, const wire::Piece& piece);
    void foresee_after(const Exchange& exchange);

    // conversation_backend.cpp
    void on_ready(Exchange& exchange, const wire::Piece& piece);
    void on_snapshot(const wire::Piece& piece);
    void on_probe(Exchange& exchange, const wire::Piece& piece);
    [[nodiscard]] bool hidden(Exchange& exchange, const wire::Piece& piece);
    void keep(Exchange& exchange);
    void settle(Exchange& exchange, char status);
    static void take_back(Exchange& exchange);
    void statements_after(Exchange& exchange);
    void apply(const Consequences& in_force);
    void after_drain();
    void send_local_replies();
    void on_parameter_status(const wire::Piece& piece);

    // conversation.cpp
    Exchange& begin_exchange(Exchange::Kind kind);
    [[nodiscard]] PlanRef executed(const PlanRef& plan);
    // effects: of this execution of the plan.
    void account(Exchange& exchange, const PlanRef& plan, const EffectSet& effects);
    void account(Exchange& exchange, const PlanRef& plan) { account(exchange, plan, plan->effects({})); }
    void account_copied(Exchange& exchange);
    void mark(Exchange& exchange, const sql::Analysis& analysis, const EffectSet& effects);
    [[nodiscard]] bool speaks_utf8() const { return settings_ && settings_->utf8; }
    void forget_settings() {
        settings_ = nullptr;
        settings_first_ = false;
        ++settings_changes_;
    }

    Services services_;
    Database& database_;
    Meter& meter_;
    cache::Waiter* const waiter_;
    const std::string startup_key_;
    const ConversationOptions options_;

    std::deque<Exchange> exchanges_;  // front: whose answer comes next
    Exchange* open_ = nullptr;        // Extended, sent in part: its Sync is still to come
    TransactionBlock block_;
    PreparedStatements prepared_;
    struct Portal {
        PlanRef plan;
        EffectSet effects;
    };
    NameMap<Portal> portals_;       // of this transaction; the unnamed one too
    bool served_in_block_ = false;  // a query of this block never reached the server
    bool unnamed_portal_gone_ =
        false;  // answered from the cache in this block: the server has none, or an older one
    std::optional<Exchange> absorbed_;  // see absorb_open()

    std::shared_ptr<const sql::SessionSettings> settings_;  // nullptr: to be asked for
    std::uint64_t settings_generation_ = 0;
    std::uint64_t settings_changes_ = 0;  // how often they were forgotten
    bool settings_first_ = true;          // nothing has altered them since the start
    bool maybe_temporary_ = false;   // since they were last asked for, something temporary may have been made
    bool holds_in_session_ = false;  // see sql::Analysis
    bool settings_refused_ = false;  // the probe failed: not again for the request at hand

    std::string request_;  // collected or held bytes
    Wait wait_ = Wait::None;
    Request held_ = Request::None;
    // Of the request at hand:
    bool go_alone_ = false;     // it has followed once already
    bool keep_wanted_ = false;  // a miss whose answer may be kept
    bool would_hit_ = false;    // see Exchange
    cache::EntryRef to_verify_;
    cache::FlightRole pending_role_ = cache::FlightRole::Alone;
    cache::FillTicket pending_ticket_;
    cache::EntryRef followed_;         // what the flight brought
    std::uint64_t flight_number_ = 0;  // of the last join
    std::string flight_key_;           // while following, and while leads_
    std::uint64_t flight_hash_ = 0;
    Reply flight_reply_;
    bool reading_disk_ = false;        // what is followed is a read of the disk tier
    bool disk_tried_ = false;          // it brought nothing
    bool leads_ = false;               // a flight that no exchange has taken over yet
    std::uint64_t disk_since_us_ = 0;  // when the answer at hand was asked of the disk tier; 0: it was not

    std::size_t local_bytes_ = 0;  // held in Local exchanges
    Trail trail_;
    struct Orphan {
        Database::Judges judges;  // under which its statements were judged before
        std::uint64_t since_us = 0, until_us = 0;
        bool refused = false;  // something could not be answered
    };
    std::optional<Orphan> orphan_;
    bool terminated_ = false;
    std::uint64_t now_us_ = 0;
    std::uint64_t server_heard_us_ = 0;  // when the last exchange was begun
    std::uint64_t server_ready_us_ = 0;  // when the last one was answered
};

}  // namespace warmfront::session
