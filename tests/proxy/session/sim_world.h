// tests/proxy/session/sim_world.h: clients, warmfront and a simulated PostgreSQL, one step at a time.
//
// A statement's life has up to four steps, and between any two of them other sessions may take theirs: the
// client sends it (an answer from the cache comes at once), PostgreSQL executes it, its answer arrives at the
// proxy, an answer shared from another session's trip arrives. Which step is next is the caller's choice. A
// read is judged when its client has the answer:
//   - row 1 only grows, and no read may show less than what was acknowledged, or shown to anybody, before the
//     read began;
//   - rows 2 and 3 have one sum at all times;
//   - a block with a snapshot or writes of its own is answered as PostgreSQL answers it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/proxy/session/sim_postgres.h"
#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {

class SimWorld {
public:
    explicit SimWorld(int sessions);

    [[nodiscard]] bool idle(int session) const { return !of(session).statement; }
    // Only for an idle session.
    void send(int session, const Statement& statement);
    // Whether the session has a statement under way whose next step can be taken.
    [[nodiscard]] bool can_step(int session) const;
    void step(int session);
    [[nodiscard]] char status(int session) const { return postgres_.status(session); }
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
    [[nodiscard]] int hits() const { return stage_.tally.hits; }
    [[nodiscard]] int stored() const { return stage_.tally.stored; }
    [[nodiscard]] std::string story() const;
    void pass_time(std::uint64_t us) { stage_.now_us += us; }

private:
    struct Session {
        std::unique_ptr<Actor> actor;
        std::optional<Statement> statement;
        std::optional<std::string> result;    // of PostgreSQL, not delivered yet
        std::optional<std::string> expected;  // of a block apart
        std::int64_t floor = 0;               // of row 1, when the statement was sent
        std::int64_t committed = 0;           // of row 1, when the statement was executed
        bool forwarded = false;
    };
    [[nodiscard]] static std::size_t at(int session) { return static_cast<std::size_t>(session); }
    [[nodiscard]] const Session& of(int session) const { return sessions_[at(session)]; }
    void take(int session);
    void judge(int session, const std::string& value);
    void complain(int session, const std::string& what, const std::string& value);
    void tell(int session, const std::string& what);

    Stage stage_;
    SimPostgres postgres_;
    std::vector<Session> sessions_;
    std::int64_t known_ = 0;  // of row 1: acknowledged or shown
    std::vector<std::string> violations_, story_;
};

}  // namespace warmfront::session::test
