#include "proxy/session/conversation.h"

#include <algorithm>
#include <utility>

namespace warmfront::session {

Conversation::Conversation(Services services, Database& database, Meter& meter, cache::Waiter* waiter,
                           std::string startup_key, ConversationOptions options)
    : services_(services),
      database_(database),
      meter_(meter),
      waiter_(waiter),
      startup_key_(std::move(startup_key)),
      options_(options) {}

Conversation::~Conversation() {
    ensure(exchanges_.empty() && !following(), "a conversation is abandoned first");
}

bool Conversation::idle() const {
    return exchanges_.empty() && block_.idle() && request_.empty() && !open_ && wait_ == Wait::None;
}

std::uint64_t Conversation::statement_timeout_ms() const {
    return settings_ ? settings_->statement_timeout_ms : 0;
}

Exchange& Conversation::begin_exchange(Exchange::Kind kind) {
    Exchange& exchange = exchanges_.emplace_back();
    exchange.kind = kind;
    exchange.sent_us = now_us_;
    if (kind != Exchange::Kind::Local) server_heard_us_ = now_us_;
    exchange.catalog_version = database_.catalog_version();
    return exchange;
}

// EXECUTE does what it executes, with values that are not looked at, where that is known for sure; else it
// may do anything.
PlanRef Conversation::executed(const PlanRef& plan) {
    const std::string& name = plan->analysis().sql_execute;
    if (name.empty() || (absorbed_ && absorbed_->prepares_sql) ||
        std::ranges::any_of(exchanges_, [](const Exchange& exchange) { return exchange.prepares_sql; }))
        return plan;
    PreparedStatement* const statement = prepared_.find(name);
    return statement ? plan_of(*statement) : plan;
}

// Notes what a statement that is about to be sent may do, and marks in the write log what takes effect at
// once.
void Conversation::account(Exchange& exchange, const PlanRef& given, const EffectSet& of_given) {
    const PlanRef plan = executed(given);
    const EffectSet effects = plan == given ? of_given : plan->effects({});
    const sql::Analysis& analysis = plan->analysis();
    using sql::TransactionEffect;
    if (analysis.transaction != TransactionEffect::None) {
        exchange.isolation = analysis.isolation;
        exchange.transaction =
            exchange.transaction == TransactionEffect::None ? analysis.transaction : TransactionEffect::Mixed;
    }
    // Of a savepoint among others it is not told which of them it takes back.
    if (analysis.savepoint != sql::SavepointEffect::None ||
        exchange.savepoint != sql::SavepointEffect::None) {
        const bool alone = exchange.statements == 0;
        exchange.savepoint = alone ? analysis.savepoint : sql::SavepointEffect::Uncertain;
        exchange.savepoint_name = analysis.savepoint_name;
    }
    ++exchange.statements;
    // The most consequential class of the statements gives the exchange its name.
    exchange.query_class = std::max(exchange.query_class, analysis.query_class);
    exchange.touches_settings |= analysis.changes_settings || analysis.creates_temp ||
                                 analysis.effects.everything || analysis.changes_roles;
    maybe_temporary_ |= analysis.creates_temp || analysis.effects.everything;
    holds_in_session_ |= analysis.holds_in_session;
    exchange.discards_statements |= analysis.discards_statements;
    exchange.prepares_sql |= analysis.prepares_sql || analysis.discards_statements;
    if (analysis.effects.everything) prepared_.forget_by_sql();
    if (!analysis.deallocates.empty()) exchange.deallocates.push_back(analysis.deallocates);
    mark(exchange, analysis, effects);
    exchange.consequences.effects.add(effects);
    exchange.consequences.changes_catalog |= analysis.changes_catalog;
    exchange.consequences.changes_roles |= analysis.changes_roles;
}

// CopyDone is about to be sent.
void Conversation::account_copied(Exchange& exchange) {
    const EffectSet effects = std::exchange(exchange.copied, nullptr)->finish();
    mark(exchange, exchange.plan->analysis(), effects);
    exchange.consequences.effects.add(effects);
}

void Conversation::mark(Exchange& exchange, const sql::Analysis& analysis, const EffectSet& effects) {
    using sql::TransactionEffect;
    if (!effects.none() && !exchange.catalog_judged) {
        exchange.catalog_judged = true;
        exchange.epoch = database_.begin_write();
    }
    // In a transaction block a statement takes effect at its end; what ends it (or may) brings all before
    // into force. With exchanges under way that may begin or end blocks, both are assumed.
    const bool sure = std::all_of(exchanges_.begin(), exchanges_.end(), [&](const Exchange& other) {
        return &other == &exchange || other.transaction == TransactionEffect::None;
    });
    const TransactionEffect effect = analysis.transaction;
    const bool ends_block = !sure || effect == TransactionEffect::End || effect == TransactionEffect::Mixed;
    if (block_.idle() || !sure || effect == TransactionEffect::Mixed) effects.begin(exchange.marked);
    if (!ends_block) return;
    block_.written().effects.begin(exchange.marked);
    for (const Exchange& other : exchanges_) other.consequences.effects.begin(exchange.marked);
}

std::vector<Unsettled> Conversation::abandon() {
    std::vector<Unsettled> unsettled;
    if (services_.foresight != nullptr) services_.foresight->ended(trail_, now_us_);
    if (wait_ == Wait::Flight) leave_flight();
    wait_ = Wait::None;
    for (Exchange& exchange : exchanges_) {
        if (exchange.flight != 0)
            services_.flights.land({exchange.key, exchange.key_hash}, waiter_, exchange.flight, {});
        if (exchange.marked.empty() && !exchange.catalog_judged) continue;
        Unsettled left;
        left.database = &database_;
        left.marked = std::move(exchange.marked);
        left.consequences = block_.written();
        left.consequences.add(exchange.consequences);
        left.epoch = exchange.epoch;
        left.catalog_judged = exchange.catalog_judged;
        unsettled.push_back(std::move(left));
    }
    exchanges_.clear();
    open_ = nullptr;
    request_.clear();
    return unsettled;
}

}  // namespace warmfront::session
