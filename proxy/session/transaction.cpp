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

Consequences TransactionBlock::ready(char status, const Exchange& exchange,
                                     const sql::SessionSettings* settings) {
    const bool was_idle = status_ == 'I';
    Consequences in_force;
    if (status == 'I') {
        in_force = std::exchange(written_, {});
        in_force.add(exchange.consequences);
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
            }
            break;
        case TransactionEffect::Mixed:  // may have ended a block and begun another
            read_committed_ = false;
            in_force = written_;
            in_force.add(exchange.consequences);
            break;
        case TransactionEffect::None:
            if (was_idle) read_committed_ = false;  // a block begun by something not understood
            break;
    }
    written_.add(exchange.consequences);
    status_ = status;
    return in_force;
}

}  // namespace warmfront::session
