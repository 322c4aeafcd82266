// When a conversation answers from the cache, and how.

#include <algorithm>
#include <utility>

#include "proxy/session/conversation.h"
#include "proxy/wire/encode.h"
#include "sql/session_settings.h"
#include "sql/tokenizer.h"

namespace warmfront::session {
namespace {

constexpr std::string_view kParseComplete{"1\0\0\0\4", 5};
constexpr std::string_view kBindComplete{"2\0\0\0\4", 5};
constexpr std::string_view kParseAndBindComplete{"1\0\0\0\0042\0\0\0\4", 10};
constexpr std::string_view kReadyIdle{"Z\0\0\0\5I", 6};
constexpr std::string_view kReadyInBlock{"Z\0\0\0\5T", 6};

}  // namespace

// The one shape of extended request that is answered from the cache: everything unnamed but, perhaps, the
// statement.
std::optional<Conversation::Single> Conversation::as_single(std::string_view bytes) {
    Single single;
    enum { Start, Parsed, Bound, Described, Executed } step = Start;
    while (!bytes.empty()) {
        const WholeMessage message = take_message(bytes);
        switch (message.type) {
            case 'P': {
                const auto parse = wire::decode_parse(message.body);
                if (step != Start || !parse || !parse->statement.empty()) return std::nullopt;
                single.parse = *parse;
                step = Parsed;
                break;
            }
            case 'B': {
                const auto bind = wire::decode_bind(message.body);
                if (step > Parsed || !bind || !bind->portal.empty()) return std::nullopt;
                if (single.parse && !bind->statement.empty()) return std::nullopt;
                single.bind = *bind;
                step = Bound;
                break;
            }
            case 'D': {
                const auto describe = wire::decode_describe(message.body);
                if (step != Bound || !describe || describe->what != 'P' || !describe->name.empty())
                    return std::nullopt;
                single.describe = true;
                step = Described;
                break;
            }
            case 'E': {
                const auto execute = wire::decode_execute(message.body);
                if ((step != Bound && step != Described) || !execute || !execute->portal.empty())
                    return std::nullopt;
                single.row_limit = execute->row_limit;
                step = Executed;
                break;
            }
            case 'S': return step == Executed && bytes.empty() ? std::optional(single) : std::nullopt;
            default: return std::nullopt;
        }
    }
    return std::nullopt;
}

const sql::SessionSettings* Conversation::settings() const {
    return settings_ && settings_generation_ == database_.settings_generation() ? settings_.get() : nullptr;
}

// By what is under way.
bool Conversation::settings_changing() const {
    return (absorbed_ && absorbed_->touches_settings) ||
           std::ranges::any_of(exchanges_,
                               [](const Exchange& exchange) { return exchange.touches_settings; });
}

// As a statement finds them that is sent now, behind what is under way.
Names Conversation::names() const {
    return {settings_changing() ? nullptr : settings(), maybe_temporary_};
}

// As a statement finds them that is sent now.
SettingsSeen Conversation::settings_seen() const {
    const Names meant = names();
    return {{settings_changes_, settings_changing() ? 0 : database_.settings_generation()},
            meant.settings ? meant.settings->fingerprint : 0};
}

// Whether it is worth asking for the settings before this statement: they must be askable (nothing under way,
// no block) and matter to it. A run of SETs is not interrupted.
bool Conversation::settings_wanted(const sql::Analysis& analysis) const {
    if (!options_.cache || settings_refused_ || !block_.idle() || !exchanges_.empty() || open_) return false;
    if (database_.catalog_version() == 0) return false;
    switch (analysis.query_class) {
        case sql::QueryClass::Read:
        case sql::QueryClass::Write:
        case sql::QueryClass::Opaque: return true;
        case sql::QueryClass::Session: return false;
        case sql::QueryClass::Transaction: return analysis.transaction == sql::TransactionEffect::Begin;
    }
    return false;
}

// Sends the probe; the request at hand is held until it is answered. Equal sessions need it once: see
// profile().
void Conversation::ask_settings() {
    Exchange& exchange = begin_exchange(Exchange::Kind::Probe);
    exchange.settings_generation = database_.settings_generation();
    exchange.watched = database_.watched_settings();
    prepared_.unnamed_lost_on_server();
    services_.to_server.compose(
        [&](std::string& out) { wire::append_query(out, sql::probe_sql(exchange.watched)); });
}

// PostgreSQL refuses some statements once a query of the block has run (SET TRANSACTION and its like). Where
// all that ran was answered from the cache, the server must be given a query before it hears such a one.
// analysis: nullptr for several statements at once.
bool Conversation::snapshot_owed(const sql::Analysis* analysis) const {
    if (!served_in_block_ || !exchanges_.empty() || block_.status() != 'T') return false;
    using sql::TransactionEffect;
    return !analysis || analysis->changes_settings || analysis->query_class == sql::QueryClass::Opaque ||
           (analysis->transaction != TransactionEffect::None &&
            analysis->transaction != TransactionEffect::End);
}

void Conversation::take_snapshot() {
    served_in_block_ = false;
    begin_exchange(Exchange::Kind::Snapshot);
    prepared_.unnamed_lost_on_server();
    services_.to_server.compose([](std::string& out) { wire::append_query(out, "SELECT 1"); });
}

void Conversation::use_profile() {
    const std::uint64_t generation = database_.settings_generation();
    settings_ = database_.profile(startup_key_);
    settings_generation_ = generation;
    if (settings_) maybe_temporary_ = settings_->has_temp_objects;
}

bool Conversation::only_plain_reads_under_way() const {
    return block_.idle() && std::all_of(exchanges_.begin(), exchanges_.end(), [](const Exchange& exchange) {
               return exchange.kind == Exchange::Kind::Local || (exchange.plain_read && exchange.synced);
           });
}

// How long the server bears with silence; 0: for ever.
std::uint64_t Conversation::idle_timeout_ms() const {
    if (!settings_) return 0;
    return block_.idle() ? settings_->idle_timeout_ms : settings_->idle_in_block_timeout_ms;
}

// The server ends a session that it takes for idle: of one that is answered from here it hears in time.
bool Conversation::server_must_hear() const {
    const std::uint64_t timeout_ms = idle_timeout_ms();
    return timeout_ms != 0 && now_us_ - server_heard_us_ > timeout_ms * 1000 / 8;
}

bool Conversation::may_read_cache(const Plan& plan) const {
    const sql::SessionSettings* known = settings();
    return options_.cache && plan.cacheable() && plan.on() && known && !known->has_temp_objects &&
           plan.made_from->catalog_version == database_.catalog_version() &&
           block_.reads_committed(*known, plan) && !server_must_hear() &&
           (exchanges_.empty() || only_plain_reads_under_way());
}

cache::KeyView Conversation::key_of(const Plan& plan, std::string_view literals) {
    services_.key.start(settings_->fingerprint, plan.made_from->id, 'Q', 0);
    services_.key.append(literals);
    return services_.key.finish();
}

cache::KeyView Conversation::key_of(const Plan& plan, const Single& single,
                                    std::string_view parameter_types) {
    services_.key.start(settings_->fingerprint, plan.made_from->id, 'E', single.row_limit);
    services_.key.append_sized(parameter_types);
    services_.key.append(single.bind->after_names);
    return services_.key.finish();
}

cache::FillTicket Conversation::observe(const Plan& plan, const Given& given) const {
    if (!given.bind) return plan.observe(ExecutionValues(given.literals, speaks_utf8()).values());
    return plan.observe(ExecutionValues(given.parameter_types, *given.bind, speaks_utf8()).values());
}

bool Conversation::serve_or_follow(const PlanRef& plan, const cache::KeyView& key, std::string_view details,
                                   Reply reply, const Given& given) {
    keep_wanted_ = would_hit_ = false;
    to_verify_ = {};
    // A portal that stops at a row limit can be continued inside a block: the server must have it then.
    if (reply.row_limit && !block_.idle()) return false;
    if (services_.switches.observing()) {
        observe(key, details, reply);
        return false;
    }
    // What a flight brought is good for the request that followed it, even when it could not be stored.
    const cache::EntryRef brought = std::exchange(followed_, {});
    const cache::EntryRef entry =
        brought && brought->key() == key ? brought : services_.store.find(key, now_us_ / 1000);
    if (entry && !entry->is_stub() && local_bytes_ <= kLocalBytesMax &&
        (!reply.extended || !reply.describe || entry->has_row_description())) {
        if (!wants_verifying(*plan, entry)) {
            reply_from(entry, *plan, reply);
            return true;
        }
        to_verify_ = entry;
        keep_wanted_ = true;
        return false;
    }
    keep_wanted_ = !sql::may_mean_now(details);
    if (leads_ && keep_wanted_ && key == cache::KeyView{flight_key_, flight_hash_}) return false;
    if (!keep_wanted_ || go_alone_ || !exchanges_.empty() || idle_timeout_ms() != 0) return false;

    if (leads_) give_up_lead();
    pending_ticket_ = observe(*plan, given);
    pending_role_ = services_.flights.join(key, pending_ticket_, waiter_, ++flight_number_);
    if (pending_role_ != cache::FlightRole::Follow && !ask_disk(*plan, key)) return false;
    flight_key_.assign(key.bytes);
    flight_hash_ = key.hash;
    flight_reply_ = reply;
    wait_ = Wait::Flight;
    return true;
}

void Conversation::reply_from(const cache::EntryRef& entry, const Plan& plan, Reply reply) {
    const auto write = [&](auto& add, auto& add_body) {
        if (reply.extended) add(reply.parse ? kParseAndBindComplete : kBindComplete);
        add_body(!reply.extended || reply.describe ? entry->with_row_description()
                                                   : entry->without_row_description());
        add(block_.idle() ? kReadyIdle : kReadyInBlock);
    };
    served_in_block_ |= !block_.idle();
    if (reply.extended && !block_.idle()) unnamed_portal_gone_ = true;
    if (exchanges_.empty()) {
        const auto add = [&](std::string_view bytes) { services_.to_client.copy(bytes); };
        const auto add_body = [&](std::string_view bytes) { services_.to_client.add(entry, bytes); };
        write(add, add_body);
    } else {
        Exchange& local = begin_exchange(Exchange::Kind::Local);
        const auto add = [&](std::string_view bytes) { local.local_reply.append(bytes); };
        write(add, add);
        local_bytes_ += local.local_reply.size();
    }
    const std::uint64_t disk_since_us = std::exchange(disk_since_us_, 0);
    count_hit(plan, meter_.hit(disk_since_us != 0 ? disk_since_us : now_us_));
}

// The exchange just forwarded is a miss: its answer is copied on the way.
void Conversation::want_kept(Exchange& exchange, const PlanRef& plan, const cache::KeyView& key, Reply reply,
                             const Given& given) {
    exchange.would_hit = would_hit_;
    exchange.missed = !would_hit_ && !to_verify_;
    exchange.plan = plan;
    exchange.observed = services_.switches.observing();
    exchange.verify = std::exchange(to_verify_, {});
    if (!std::exchange(keep_wanted_, false)) return;
    const cache::FlightRole role = std::exchange(pending_role_, cache::FlightRole::Alone);
    if (role == cache::FlightRole::Lead) {
        leads_ = false;
        exchange.flight = flight_number_;
        exchange.ticket = std::move(pending_ticket_);
    } else {
        exchange.ticket = observe(*plan, given);
        if (!exchange.ticket.fillable) return;
    }
    exchange.key.assign(key.bytes);
    exchange.key_hash = key.hash;
    exchange.fingerprint = settings_->fingerprint;
    const bool parse_answered = exchange.kind == Exchange::Kind::Extended && !exchange.parses.empty();
    exchange.capture.start({.extended = reply.extended,
                            .parse_complete = parse_answered,
                            .describe = reply.describe,
                            .row_limit = reply.row_limit,
                            .bytes_max = options_.max_result});
}

void Conversation::on_landed(std::uint64_t ticket, const cache::EntryRef& result, std::uint64_t now_us) {
    if (wait_ != Wait::Flight || ticket != flight_number_) return;
    now_us_ = now_us;
    const bool usable =
        result && (!flight_reply_.extended || !flight_reply_.describe || result->has_row_description());
    if (reading_disk_) return on_read(result, usable);
    if (!usable) return go_alone();
    followed_ = result;
    resume();
}

void Conversation::stop_following(std::uint64_t now_us) {
    if (wait_ != Wait::Flight) return;
    now_us_ = now_us;
    leave_flight();
    go_alone();
}

void Conversation::go_alone() {
    go_alone_ = true;
    resume();
}

bool Conversation::cancel() {
    if (wait_ != Wait::Flight) return false;
    leave_flight();
    if (!block_.idle()) {  // the block on the server must fail too: let it run the query and be cancelled
        go_alone();
        return false;
    }
    wait_ = Wait::None;
    held_ = Request::None;
    request_.clear();
    services_.to_client.compose([](std::string& out) {
        wire::append_error(out, "57014", "canceling statement due to user request");
        wire::append_ready_for_query(out, 'I');
    });
    return true;
}

}  // namespace warmfront::session
