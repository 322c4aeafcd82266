// What a conversation watches of the cache itself: what would be hits, whether hits are right, what they
// bring.

#include <algorithm>
#include <utility>

#include "proxy/session/answer_size.h"
#include "proxy/session/conversation.h"
#include "sql/tokenizer.h"

namespace warmfront::session {

// As if it were to be answered from memory: the same look-up, the same entries, but for their bodies.
void Conversation::observe(const cache::KeyView& key, std::string_view details, Reply reply) {
    const cache::EntryRef entry = services_.store.find(key, now_us_ / 1000);
    would_hit_ = entry && (!reply.extended || !reply.describe || entry->has_row_description());
    pending_role_ = cache::FlightRole::Alone;
    keep_wanted_ = !would_hit_ && !sql::may_mean_now(details);
}

bool Conversation::wants_verifying(const Plan& plan, const cache::EntryRef& entry) {
    if (!services_.sampler.draw(services_.switches.verify_below())) return false;
    pending_role_ = cache::FlightRole::Alone;
    return plan.ledger.account && !plan.analysis().approximate && entry->current();
}

Answer Conversation::answer_of(const Capture& capture) {
    return {capture.row_description(), capture.rows_and_close()};
}

// PostgreSQL has answered what was found in memory. As long as nothing was written that the entry depends on,
// both are answers to the same question: the entry was current before this query was sent and is now.
void Conversation::verify(const Exchange& exchange) {
    const cache::Entry& entry = *exchange.verify;
    if (!entry.current()) return;
    const std::string_view whole = entry.with_row_description();
    const std::string_view rows = entry.without_row_description();
    const Answer kept{whole.substr(0, whole.size() - rows.size()), rows};
    const Answer now = answer_of(exchange.capture);
    const Ledger::Place& place = exchange.plan->ledger;
    place.counts->verified.add(1);
    if (!same_answer(kept, now)) services_.ledger.mismatch(*place.account, digest_of(kept), digest_of(now));
}

// Of a plain read that is forwarded: why its answer is not kept, if that is the statement's fault.
void Conversation::note_refusal(const Plan& plan) {
    if (!plan.cacheable())
        meter_.refused(plan.analysis().refusal.label);
    else if (!plan.on())
        meter_.refused("switched_off");
}

void Conversation::count_hit(const Plan& plan, std::uint64_t took_us, std::string_view answer) {
    Counts* const counts = plan.ledger.counts;
    if (counts == nullptr) return;
    counts->requests.add(1);
    counts->hits.add(1);
    counts->hit_us.add(took_us);
    counts->rows.add(rows_of_close(answer));
    counts->bytes.add(answer.size());
    const std::uint64_t origin_us = plan.ledger.account->origin_mean_us();
    if (origin_us > took_us) counts->saved_us.add(origin_us - took_us);
}

// A cacheable read was answered: what comes next?
void Conversation::foresee(const PlanRef& plan, const cache::KeyView& key, std::string_view rows,
                           bool from_memory) {
    if (services_.foresight == nullptr || !services_.foresight->enabled()) return;
    auto request = Foresight::request_of(plan, database_.name(), settings_, key);
    request.rows = rows;
    request.from_memory = from_memory;
    services_.foresight->answered(trail_, request, now_us_);
}

// Of one that is not answered from memory: its values, and then its first row, may tell what comes next.
void Conversation::watch(Exchange& exchange, std::string_view literals) {
    if (services_.foresight == nullptr || !services_.foresight->enabled()) return;
    exchange.trailed = true;
    if (literals.size() <= Trail::kPartBytesMax) exchange.details = literals;
}

void Conversation::watch(Exchange& exchange, const Single& single, std::string_view parameter_types) {
    if (services_.foresight == nullptr || !services_.foresight->enabled()) return;
    exchange.trailed = exchange.trailed_extended = true;
    if (parameter_types.size() + single.bind->after_names.size() > Trail::kPartBytesMax) return;
    const std::uint64_t size = parameter_types.size();
    exchange.details.assign(reinterpret_cast<const char*>(&size), sizeof size);
    exchange.details.append(parameter_types).append(single.bind->after_names);
}

// Whole rows while they fit; of a first one that is too large, or comes in parts, its beginning.
void Conversation::note_row(Exchange& exchange, const wire::Piece& piece) {
    std::string& rows = exchange.first_rows;
    if (exchange.first_rows_end || !piece.first) return;
    const std::size_t room = rows.empty() ? Trail::kPartBytesMax : Trail::kRowsBytesMax - rows.size();
    exchange.first_rows_end = !piece.whole() || piece.raw.size() > room;
    if (!exchange.first_rows_end || rows.empty()) rows.append(piece.raw.substr(0, room));
}

void Conversation::foresee_after(const Exchange& exchange) {
    if (services_.foresight == nullptr || exchange.foreseen_from || !exchange.plan) return;
    const bool one_query = exchange.kind == Exchange::Kind::Simple ||
                           (exchange.kind == Exchange::Kind::Extended && exchange.binds == 1);
    if (!one_query) return;
    Foresight::Request request{.plan = exchange.plan, .database = database_.name()};
    if (exchange.trailed && !exchange.failed && settings() != nullptr) {
        request.settings = settings_;
        request.kind = exchange.trailed_extended ? 'E' : 'Q';
        request.details = exchange.details;
        request.rows = exchange.first_rows;
    }
    services_.foresight->answered(trail_, request, now_us_);
}

// PostgreSQL's time begins when it was done with what was sent before.
void Conversation::count_forwarded(const Exchange& exchange) {
    const std::uint64_t begun_us = std::max(exchange.sent_us, std::exchange(server_ready_us_, now_us_));
    const bool one_query = exchange.kind == Exchange::Kind::Simple ||
                           (exchange.kind == Exchange::Kind::Extended && exchange.binds == 1);
    if (!one_query || !exchange.plan || exchange.plan->ledger.counts == nullptr) return;
    Counts& counts = *exchange.plan->ledger.counts;
    const std::uint64_t took_us = now_us_ > begun_us ? now_us_ - begun_us : 0;
    counts.requests.add(1);
    counts.rows.add(exchange.answer_rows);
    counts.bytes.add(exchange.answer_bytes);
    if (exchange.missed) counts.misses.add(1);
    if (exchange.would_hit) {
        counts.would_hits.add(1);
        counts.would_us.add(took_us);
    }
    if (exchange.failed) return;
    counts.origins.add(1);
    counts.origin_us.add(took_us);
    exchange.plan->ledger.account->note_origin(took_us);
}

}  // namespace warmfront::session
