// tests/live/twin/statement_generator.h: what the sessions of the twin test say, one at a time, from one
// seed.
//
// The sessions take turns and each waits for its answer, so nothing happens at once. Still a session may find
// a row locked by another's open transaction: then lock_timeout ends it, alike on both sides. A cached read
// takes no lock on its relation, though, so whatever needs a relation for itself is said only while no other
// session is in a transaction, and a transaction that did so, or is SERIALIZABLE, is ended before another
// session speaks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/live/twin/delivery.h"

namespace warmfront::test {

struct Login {
    std::string user;
    std::vector<std::pair<std::string, std::string>> parameters;
};

struct Turn {
    unsigned session = 0;
    Step step;
    std::optional<Login> login = {};  // instead of the step: the session ends and another takes its place
};

class StatementGenerator {
public:
    StatementGenerator(std::uint64_t seed, unsigned sessions);
    Turn next();
    // What the direct side answered to the turn.
    void observe(const Turn& turn, const Messages& answer);
    // Phases of many definitions take turns with calm ones, where a cache has something to do. Calm ones have
    // a single definition now and then, which meets a full cache.
    [[nodiscard]] bool calm() const { return turns_ % 2500 >= 350; }

private:
    struct Session {
        char status = 'I';
        bool calm = false;  // its last turn was in a calm phase
        Delivery delivery;
    };
    struct Said {
        Statement statement;
        Style style;
    };
    using Act = Step (StatementGenerator::*)(unsigned session);
    struct Choice {
        unsigned weight;
        Act act;
    };

    unsigned pick_session();
    [[nodiscard]] bool alone(unsigned session) const;
    // Whether a session may say what needs a relation for itself or changes the catalog.
    [[nodiscard]] bool may_define(unsigned session) const { return !calm() && alone(session); }
    const Pattern& pick(std::span<const Pattern> patterns);  // of what suits the weather
    Style style();
    Step say(unsigned session, const Pattern& pattern);
    Step say_text(unsigned session, Kind kind, std::string text);

    Step read(unsigned session);
    Step write(unsigned session);
    Step define(unsigned session);
    Step set(unsigned session);
    Step mistake(unsigned session);
    Step odd(unsigned session);
    Step pipeline(unsigned session);
    Step begin(unsigned session);
    Step savepoint(unsigned session);
    Step end(unsigned session);
    Step prepare_transaction(unsigned session);
    Step end_prepared(unsigned session);

    Random random_;
    std::vector<Session> sessions_;
    std::vector<Said> recent_;  // reads, to be said again
    std::size_t recent_next_ = 0;
    std::vector<std::string> prepared_;              // transactions
    std::optional<std::string> preparing_, ending_;  // what the turn under way does to them
    unsigned gids_ = 0;
    std::uint64_t turns_ = 0;
    unsigned last_session_ = 0;
    std::optional<unsigned> sole_;  // the session that must end its transaction before another speaks
    bool begins_serializable_ = false;
    bool definition_due_ = false;  // in a calm phase
};

}  // namespace warmfront::test
