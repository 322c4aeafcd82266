#include "proxy/session/transaction.h"

#include <algorithm>
#include <utility>

namespace warmfront::session {
namespace {

bool is_read_committed(sql::Isolation isolation, const sql::SessionSettings* settings) {
    switch (isolation) {
        case sql::Isolation::Default: return settings && settings->read_committed;
        case sql::Isolation::ReadUncommitted:  // PostgreSQL treats it as READ COMMITTED
        case sql::Isolation::ReadCommitted: return true;
        case sql::Isolation::RepeatableRead:
        case sql::Isolation::Serializable: return false;
    }
    return false;
}

}  // namespace

bool TransactionBlock::wrote_to(const Plan& plan) const {
    return std::ranges::any_of(
        plan.reads, [&](const Plan::Read& read) { return written_.effects.touches(read.relation); });
}

// What was written since a savepoint never happened once it was gone back to; then reads may be answered and
// nothing is dropped for it. The savepoint itself stays.
void TransactionBlock::on_savepoint(const Exchange& exchange) {
    using sql::SavepointEffect;
    if (exchange.savepoint == SavepointEffect::Uncertain) savepoints_.clear();
    if (exchange.failed || exchange.savepoint == SavepointEffect::None ||
        exchange.savepoint == SavepointEffect::Uncertain)
        return;
    if (exchange.savepoint == SavepointEffect::Set) {
        if (savepoints_.size() < kSavepointsMax)
            savepoints_.push_back({exchange.savepoint_name, written_.effects});
        else
            savepoints_.clear();
        return;
    }
    const auto last = std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), exchange.savepoint_name,
                                        &Savepoint::name);
    if (last == savepoints_.rend()) return;
    const bool back = exchange.savepoint == SavepointEffect::BackTo;
    if (back) written_.effects = last->written;
    savepoints_.erase(last.base() - (back ? 0 : 1), savepoints_.end());
}

Consequences TransactionBlock::ready(char status, const Exchange& exchange,
                                     const sql::SessionSettings* settings) {
    const bool was_idle = status_ == 'I';
    Consequences in_force;
    if (status == 'I') {
        in_force = std::exchange(written_, {});
        in_force.add(exchange.consequences);
        savepoints_.clear();
        status_ = 'I';
        read_committed_ = false;
        return in_force;
    }
    using sql::TransactionEffect;
    switch (exchange.transaction) {
        case TransactionEffect::Begin:
            // A BEGIN inside a block warns, but its isolation level takes effect if no query ran yet.
            if (was_idle || (exchange.isolation != sql::Isolation::Default && !exchange.failed))
                read_committed_ = is_read_committed(exchange.isolation, settings);
            break;
        case TransactionEffect::Isolation:
            if (!exchange.failed) read_committed_ = is_read_committed(exchange.isolation, settings);
            break;
        case TransactionEffect::End:  // AND CHAIN: the next block has the same isolation
            if (!exchange.failed) {
                in_force = std::exchange(written_, {});
                savepoints_.clear();
            }
            break;
        case TransactionEffect::Mixed:  // may have ended a block and begun another
            read_committed_ = false;
            in_force = written_;
            savepoints_.clear();
            in_force.add(exchange.consequences);
            break;
        case TransactionEffect::None:
            if (was_idle) read_committed_ = false;  // a block begun by something not understood
            break;
    }
    written_.add(exchange.consequences);
    on_savepoint(exchange);
    status_ = status;
    return in_force;
}

}  // namespace warmfront::session
