// The server's side of a conversation: answers go to the client, are copied for the cache, and end exchanges.

#include <algorithm>
#include <utility>

#include "proxy/session/answer_size.h"
#include "proxy/session/conversation.h"
#include "sql/session_settings.h"

namespace warmfront::session {
namespace {

// Backend messages that answer one extended message each (a Describe of a statement: ParameterDescription
// comes first and does not count).
bool answers_a_step(char type) {
    constexpr std::string_view kTypes = "123TnCIs";
    return kTypes.find(type) != std::string_view::npos;
}

// Whether an error tells that PostgreSQL did nothing of what it was sent. True of a Parse or Bind that is the
// first message to be answered, and of a query string that is no SQL, which PostgreSQL finds out before it
// runs any of it: then nothing else was answered before, and the error points into the string as it was sent
// (into one that a function ran, it has a context).
bool nothing_ran(const Exchange& exchange, const wire::Piece& error) {
    if (exchange.answered || exchange.failed || !error.whole()) return false;
    if (exchange.kind == Exchange::Kind::Extended) return exchange.begins_unexecuted;
    if (exchange.kind != Exchange::Kind::Simple) return false;
    const auto fields = wire::decode_error_fields(error.body);
    return fields && fields->field('C') == "42601" && !fields->field('P').empty() &&
           fields->field('W').empty() && fields->field('q').empty();
}

}  // namespace

void Conversation::on_backend(const wire::Piece& piece, std::uint64_t now_us) {
    now_us_ = now_us;
    // These come at any moment and belong to no exchange.
    if (piece.type == 'S' && piece.whole()) on_parameter_status(piece);
    if (piece.type == 'A' || piece.type == 'S') return services_.to_client.add(piece.raw);
    if (exchanges_.empty()) return services_.to_client.add(piece.raw);

    Exchange& exchange = exchanges_.front();
    if (exchange.kind == Exchange::Kind::Probe) return on_probe(exchange, piece);
    if (exchange.kind == Exchange::Kind::Snapshot) return on_snapshot(piece);
    switch (piece.type) {
        case 'Z': return on_ready(exchange, piece);
        case 'E':
            exchange.nothing_ran = nothing_ran(exchange, piece);
            exchange.failed = true;
            exchange.capture.give_up();
            break;
        case 'N': break;
        case 'G': exchange.copy_in = true; [[fallthrough]];
        default: exchange.answered = true; break;
    }
    if (piece.first && piece.last && hidden(exchange, piece)) return exchange.capture.on_backend(piece);
    if (piece.last && answers_a_step(piece.type)) ++exchange.steps_done;
    exchange.capture.on_backend(piece);
    exchange.answer_bytes += piece.raw.size();
    if (piece.type == 'C' && piece.whole()) exchange.answer_rows += rows_of_close(piece.body);
    if (exchange.trailed && piece.type == 'D') note_row(exchange, piece);
    services_.to_client.add(piece.raw);
    if (wait_ == Wait::Drain && open_ && (open_->failed || open_->steps_done >= open_->steps_sent))
        after_drain();
}

// The answers to Parse and Close messages of our own are not for the client.
bool Conversation::hidden(Exchange& exchange, const wire::Piece& piece) {
    if (piece.type == '1' && exchange.parses_answered < exchange.parses.size())
        return exchange.parses[exchange.parses_answered++].hidden;
    if (piece.type == '3' && exchange.closes_answered < exchange.closes.size())
        return exchange.closes[exchange.closes_answered++].hidden;
    return false;
}

// A Query was held until the extended messages before it were answered. If one failed, PostgreSQL skips the
// Query too.
void Conversation::after_drain() {
    if (!open_->failed) return resume();
    wait_ = Wait::None;
    held_ = Request::None;
    services_.to_server.copy(request_);
    request_.clear();
}

void Conversation::on_ready(Exchange& exchange, const wire::Piece& piece) {
    const char status = piece.body.empty() ? 'I' : piece.body[0];
    if (&exchange == open_) open_ = nullptr;
    keep(exchange);
    settle(exchange, status);
    statements_after(exchange);
    count_forwarded(exchange);
    foresee_after(exchange);
    if (exchange.kind != Exchange::Kind::Local)
        meter_.forwarded(exchange.query_class, exchange.missed, exchange.sent_us);
    // A COPY that never began: the server answers the Sync sent after CopyDone by itself.
    const std::uint32_t more = exchange.copy_in ? 0 : exchange.syncs_after_copy;
    exchanges_.pop_front();
    for (std::uint32_t i = 0; i < more; ++i) exchanges_.emplace_front().kind = Exchange::Kind::Extended;

    services_.to_client.add(piece.raw);
    send_local_replies();
    if (wait_ == Wait::Room && exchanges_.size() < kExchangesMax / 2) resume();
}

void Conversation::send_local_replies() {
    while (!exchanges_.empty() && exchanges_.front().kind == Exchange::Kind::Local) {
        services_.to_client.copy(exchanges_.front().local_reply);
        local_bytes_ -= exchanges_.front().local_reply.size();
        exchanges_.pop_front();
    }
}

// The copy of a miss becomes an entry, and is handed to whoever followed; even one that may not be stored any
// more was current when they joined.
void Conversation::keep(Exchange& exchange) {
    if (exchange.key.empty()) return;
    const cache::KeyView key{exchange.key, exchange.key_hash};
    cache::EntryRef entry;
    const bool same_settings = settings() && settings_->fingerprint == exchange.fingerprint;
    if (exchange.capture.complete() && !exchange.failed && same_settings &&
        exchange.plan->made_from->catalog_version == database_.catalog_version()) {
        if (exchange.verify) verify(exchange);
        const std::uint64_t begun_us = meter_.now_us();
        const Ledger::Place& place = exchange.plan->ledger;
        entry = cache::Entry::make(key, exchange.ticket.seen, exchange.capture.row_description(),
                                   exchange.capture.rows_and_close(), exchange.sent_us / 1000,
                                   {.lifetime = exchange.plan->analysis().lifetime,
                                    .residence = place.account ? place.account->residence() : nullptr,
                                    .stub = exchange.observed});
        meter_.filled(services_.store.fill(entry));
        if (place.counts != nullptr) place.counts->keep_us.add(meter_.now_us() - begun_us);
        exchange.foreseen_from = !exchange.observed;
        if (exchange.foreseen_from)
            foresee(exchange.plan, key, exchange.capture.rows_and_close(), exchange.verify.get() != nullptr);
        if (exchange.observed) entry = {};
    } else if (exchange.capture.too_large()) {
        meter_.refused("too_large");
    }
    if (exchange.flight != 0) services_.flights.land(key, waiter_, std::exchange(exchange.flight, 0), entry);
}

// What the exchange changed comes into force: only then may the client see ReadyForQuery.
void Conversation::settle(Exchange& exchange, char status) {
    if (exchange.nothing_ran) take_back(exchange);  // what was absorbed may have run, and committed
    if (absorbed_) {
        exchange.consequences.add(absorbed_->consequences);
        exchange.marked.absorb(std::move(absorbed_->marked));
        exchange.touches_settings |= absorbed_->touches_settings;
    }
    // The judgement of what it wrote was made under a catalog that has changed since: assume everything.
    bool outdated = exchange.catalog_judged && database_.end_write(exchange.epoch);
    if (absorbed_ && absorbed_->catalog_judged) outdated |= database_.end_write(absorbed_->epoch);
    absorbed_.reset();
    if (outdated) {
        exchange.consequences.effects.add_everything(database_.everything());
        exchange.marked.begin(database_.everything());
    }
    const Consequences in_force = block_.ready(status, exchange, settings());
    apply(in_force);
    exchange.marked.end();
    if (exchange.touches_settings) forget_settings();
    if (block_.idle()) {
        portals_.clear();
        unnamed_portal_gone_ = false;
    }
    using sql::TransactionEffect;
    const bool same_block = exchange.transaction == TransactionEffect::None ||
                            exchange.transaction == TransactionEffect::Isolation;
    if (block_.idle() || !same_block) served_in_block_ = false;
}

// PostgreSQL did nothing of it: there is no catalog to be read anew, and the settings are what they were.
void Conversation::take_back(Exchange& exchange) {
    exchange.consequences.clear();
    exchange.transaction = sql::TransactionEffect::None;
    exchange.touches_settings = false;
    exchange.discards_statements = false;
    exchange.deallocates.clear();
}

void Conversation::apply(const Consequences& in_force) {
    if (in_force.changes_catalog) database_.catalog_changed();
    if (in_force.changes_roles) database_.roles_changed();
    if (in_force.effects.none()) return;
    meter_.dropped(in_force.changes_roles          ? DropCause::Roles
                   : in_force.changes_catalog      ? DropCause::Ddl
                   : in_force.effects.everything() ? DropCause::Opaque
                                                   : DropCause::Write);
}

void Conversation::statements_after(Exchange& exchange) {
    for (std::size_t i = exchange.parses_answered; i < exchange.parses.size(); ++i)
        prepared_.failed(exchange.parses[i].name);
    if (exchange.discards_statements) prepared_.close_all();
    for (const std::string& name : exchange.deallocates) prepared_.close(name);
    if (!exchange.failed && !exchange.prepared_query.empty()) {
        PreparedStatement statement;
        statement.sql = std::move(exchange.prepared_query);
        statement.by_sql = true;
        statement.parsed_version = exchange.catalog_version;
        prepared_.put(exchange.prepared_name, std::move(statement));
    }
    // A statement that has just run under the catalog in force may be served from now on.
    if (exchange.failed || exchange.binds != 1) return;
    PreparedStatement* statement = prepared_.find(exchange.bound);
    if (statement) statement->settled.ran(exchange.catalog_version);
}

void Conversation::on_snapshot(const wire::Piece& piece) {
    if (piece.type != 'Z') return;
    (void)block_.ready(piece.body.empty() ? 'E' : piece.body[0], exchanges_.front(), settings());
    exchanges_.pop_front();
    if (wait_ == Wait::Settings) resume();
}

// The probe's answer stays here; the request that waited for it goes on.
void Conversation::on_probe(Exchange& exchange, const wire::Piece& piece) {
    switch (piece.type) {
        case 'D': {
            const auto row = piece.whole() ? wire::decode_data_row(piece.body) : wire::decode_data_row({});
            if (!row) return;
            for (const auto& value : *row)
                exchange.probe_values.emplace_back(value ? *value : std::string_view("\0", 1));
            return;
        }
        case 'E': exchange.failed = true; return;
        case 'Z': break;
        default: return;
    }
    if (!exchange.failed)
        settings_ = services_.interner.intern(std::move(exchange.probe_values), exchange.watched);
    if (settings_) maybe_temporary_ = settings_->has_temp_objects;
    settings_generation_ = exchange.settings_generation;
    settings_refused_ = settings_ == nullptr;
    if (settings_ && settings_first_)
        database_.remember_profile(startup_key_, settings_generation_, settings_);
    exchanges_.pop_front();
    if (wait_ == Wait::Settings) resume();
}

// Sent for SET (the exchange knows already) and, unasked, after a reload of the server's configuration.
void Conversation::on_parameter_status(const wire::Piece& piece) {
    const auto status = wire::decode_parameter_status(piece.body);
    const bool own_probe = !exchanges_.empty() && exchanges_.front().kind == Exchange::Kind::Probe;
    if (!status || (sql::alters_answers(status->name) && !own_probe)) forget_settings();
}

}  // namespace warmfront::session
