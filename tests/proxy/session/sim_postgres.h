// tests/proxy/session/sim_postgres.h: a PostgreSQL in memory with one table of accounts: transactions,
// snapshots, row locks, savepoints, prepared transactions. It executes when it is told to and never waits: a
// statement that needs a lock is not ready yet.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace warmfront::session::test {

using Rows = std::map<int, std::int64_t>;

struct Statement {
    enum class Kind {
        Begin,
        BeginRepeatableRead,
        Commit,
        Rollback,
        Savepoint,
        RollbackTo,
        Prepare,         // PREPARE TRANSACTION 'x<row>'
        CommitPrepared,  // of the same name
        Read,            // one row by its key
        ReadPair,        // the sum over rows 2 and 3
        ReadRange,       // the same, as a range
        Add,             // amount to row
    };
    Kind kind;
    int row = 0;
    int amount = 0;

    [[nodiscard]] std::string sql() const;
    [[nodiscard]] bool reads() const {
        return kind == Kind::Read || kind == Kind::ReadPair || kind == Kind::ReadRange;
    }
};

class SimPostgres {
public:
    explicit SimPostgres(int sessions) : sessions_(static_cast<std::size_t>(sessions)) {}

    [[nodiscard]] bool ready(int session, const Statement& statement) const;
    // What the client gets: a value for reads, else the command tag.
    std::string execute(int session, const Statement& statement);
    [[nodiscard]] char status(int session) const { return sessions_[at(session)].open ? 'T' : 'I'; }
    [[nodiscard]] const Rows& committed() const { return committed_; }
    // The session's block sees what others do not.
    [[nodiscard]] bool apart(int session) const {
        const Session& own = sessions_[at(session)];
        return !own.written.empty() || own.snapshot.has_value();
    }

private:
    struct Session {
        bool open = false, repeatable = false;
        std::optional<Rows> snapshot;
        Rows written;
        std::vector<Rows> savepoints;
    };
    [[nodiscard]] static std::size_t at(int session) { return static_cast<std::size_t>(session); }
    [[nodiscard]] std::int64_t value(int session, int row) const;
    void end(Session& session, bool commit);

    Rows committed_{{1, 0}, {2, 100}, {3, 100}, {4, 0}};
    std::vector<Session> sessions_;
    std::map<int, Rows> prepared_;
};

}  // namespace warmfront::session::test
