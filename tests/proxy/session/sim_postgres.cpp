#include "tests/proxy/session/sim_postgres.h"

#include <algorithm>
#include <utility>

namespace warmfront::session::test {

std::string Statement::sql() const {
    const auto number = std::to_string(row);
    switch (kind) {
        case Kind::Begin: return "BEGIN";
        case Kind::BeginRepeatableRead: return "BEGIN ISOLATION LEVEL REPEATABLE READ";
        case Kind::Commit: return "COMMIT";
        case Kind::Rollback: return "ROLLBACK";
        case Kind::Savepoint: return "SAVEPOINT s";
        case Kind::RollbackTo: return "ROLLBACK TO s";
        case Kind::Prepare: return "PREPARE TRANSACTION 'x" + number + "'";
        case Kind::CommitPrepared: return "COMMIT PREPARED 'x" + number + "'";
        case Kind::Read: return "SELECT v FROM accounts WHERE id = " + number;
        case Kind::ReadPair: return "SELECT sum(v) FROM accounts WHERE id IN (2, 3)";
        case Kind::ReadRange: return "SELECT sum(v) FROM accounts WHERE id BETWEEN 2 AND 3";
        case Kind::Add:
            return "UPDATE accounts SET v = v + " + std::to_string(amount) + " WHERE id = " + number;
    }
    return {};
}

bool SimPostgres::ready(int session, const Statement& statement) const {
    if (statement.kind == Statement::Kind::CommitPrepared) return true;
    if (statement.kind != Statement::Kind::Add) return true;
    for (std::size_t other = 0; other < sessions_.size(); ++other)
        if (other != at(session) && sessions_[other].written.contains(statement.row)) return false;
    return std::ranges::none_of(prepared_,
                                [&](const auto& each) { return each.second.contains(statement.row); });
}

std::int64_t SimPostgres::value(int session, int row) const {
    const Session& own = sessions_[at(session)];
    if (const auto found = own.written.find(row); found != own.written.end()) return found->second;
    return own.snapshot ? own.snapshot->at(row) : committed_.at(row);
}

void SimPostgres::end(Session& session, bool commit) {
    if (commit)
        for (const auto& [row, value] : session.written) committed_[row] = value;
    session = {};
}

std::string SimPostgres::execute(int session, const Statement& statement) {
    using Kind = Statement::Kind;
    Session& own = sessions_[at(session)];
    if (own.repeatable && !own.snapshot && (statement.reads() || statement.kind == Kind::Add))
        own.snapshot = committed_;
    switch (statement.kind) {
        case Kind::Begin:
        case Kind::BeginRepeatableRead:
            own.open = true;
            own.repeatable = statement.kind == Kind::BeginRepeatableRead;
            return "BEGIN";
        case Kind::Commit: end(own, true); return "COMMIT";
        case Kind::Rollback: end(own, false); return "ROLLBACK";
        case Kind::Savepoint: own.savepoints.push_back(own.written); return "SAVEPOINT";
        case Kind::RollbackTo: own.written = own.savepoints.back(); return "ROLLBACK";
        case Kind::Prepare:
            prepared_[statement.row] = own.written;
            own = {};
            return "PREPARE TRANSACTION";
        case Kind::CommitPrepared:
            for (const auto& [row, value] : std::exchange(prepared_[statement.row], {}))
                committed_[row] = value;
            prepared_.erase(statement.row);
            return "COMMIT PREPARED";
        case Kind::Read: return std::to_string(value(session, statement.row));
        case Kind::ReadPair:
        case Kind::ReadRange: return std::to_string(value(session, 2) + value(session, 3));
        case Kind::Add: {
            const auto now = own.repeatable || own.written.contains(statement.row)
                                 ? value(session, statement.row)
                                 : committed_.at(statement.row);
            if (own.open)
                own.written[statement.row] = now + statement.amount;
            else
                committed_[statement.row] = now + statement.amount;
            return "UPDATE 1";
        }
    }
    return {};
}

}  // namespace warmfront::session::test
