// proxy/session/transaction.h: the transaction block a session is in, and what it has written so far.
//
// Plain state of one session. The status is always that of the last ReadyForQuery; nothing is predicted.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proxy/session/exchange.h"
#include "sql/session_settings.h"

namespace warmfront::session {

class TransactionBlock {
public:
    [[nodiscard]] char status() const { return status_; }  // I, T or E
    [[nodiscard]] bool idle() const { return status_ == 'I'; }
    [[nodiscard]] const Consequences& written() const { return written_; }

    // Whether a read may be answered from the cache, and its answer be kept: READ COMMITTED, not failed, and
    // nothing written yet to what it reads. settings are those in force.
    [[nodiscard]] bool reads_committed(const sql::SessionSettings& settings, const Plan& plan) const {
        if (status_ == 'I') return settings.read_committed;
        return status_ == 'T' && read_committed_ && !wrote_to(plan);
    }

    // ReadyForQuery with `status` after `exchange`. settings: as known before the exchange, or nullptr.
    // Gives what takes effect for everybody now.
    Consequences ready(char status, const Exchange& exchange, const sql::SessionSettings* settings);

private:
    [[nodiscard]] bool wrote_to(const Plan& plan) const;

    char status_ = 'I';
    void on_savepoint(const Exchange& exchange);

    static constexpr std::size_t kSavepointsMax = 64;  // beyond, what is rolled back still counts as written

    bool read_committed_ = false;
    Consequences written_;
    struct Savepoint {
        std::string name;
        EffectSet written;  // before it
    };
    std::vector<Savepoint> savepoints_;
};

}  // namespace warmfront::session
