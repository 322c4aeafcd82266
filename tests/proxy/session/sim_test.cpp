// Every order of the steps of two and three sessions for ten scripts, and a million steps in a random order.
// Again with WARMFRONT_SEED=n; another length with WARMFRONT_STEPS=n.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/proxy/session/sim_world.h"

using namespace warmfront::session::test;

namespace {

using Kind = Statement::Kind;
using Script = std::vector<Statement>;

constexpr Statement kBegin{Kind::Begin}, kCommit{Kind::Commit}, kRollback{Kind::Rollback};
constexpr Statement kRead{Kind::Read, 1}, kPair{Kind::ReadPair}, kRange{Kind::ReadRange};
constexpr Statement kRaise{Kind::Add, 1, 1};
const Script kTransfer{kBegin, {Kind::Add, 2, -5}, {Kind::Add, 3, 5}, kCommit};

// Counts through all ways to choose, by running anew for each: the choices of the last run, the last of them
// that has a further option moved on.
class Choices {
public:
    std::size_t choose(std::size_t options) {
        if (next_ == made_.size()) made_.push_back({0, options});
        return made_[next_++].chosen;
    }
    bool another() {
        next_ = 0;
        while (!made_.empty() && made_.back().chosen + 1 == made_.back().options) made_.pop_back();
        if (made_.empty()) return false;
        ++made_.back().chosen;
        return true;
    }

private:
    struct Choice {
        std::size_t chosen, options;
    };
    std::vector<Choice> made_;
    std::size_t next_ = 0;
};

void run_once(const std::vector<Script>& scripts, Choices& choices, int& hits) {
    SimWorld world(static_cast<int>(scripts.size()));
    std::vector<std::size_t> next(scripts.size(), 0);
    for (;;) {
        std::vector<int> able;
        bool over = true;
        for (int session = 0; session < static_cast<int>(scripts.size()); ++session) {
            const auto place = static_cast<std::size_t>(session);
            const bool starts = world.idle(session) && next[place] < scripts[place].size();
            over &= world.idle(session) && !starts;
            if (starts || world.can_step(session)) able.push_back(session);
        }
        if (over) break;
        REQUIRE_FALSE(able.empty());
        const int session = able[choices.choose(able.size())];
        const auto place = static_cast<std::size_t>(session);
        world.pass_time(1000);
        if (world.idle(session))
            world.send(session, scripts[place][next[place]++]);
        else
            world.step(session);
        if (!world.violations().empty()) FAIL(world.violations().front(), "\n", world.story());
    }
    hits += world.hits();
}

}  // namespace

TEST_CASE("sim: in every order of steps, reads are fresh, monotonic and of one moment") {
    struct Row {
        std::string_view name;
        std::vector<Script> scripts;
    };
    const std::vector<Row> rows{
        {"a write beside reads", {{kRaise}, {kRead, kRead, kRead}}},
        {"two readers, one writer", {{kRaise}, {kRead, kRead}, {kRead}}},
        {"a block that commits", {{kBegin, kRaise, kCommit}, {kRead, kRead}}},
        {"a block that rolls back", {{kBegin, kRaise, kRollback}, {kRead, kRead}}},
        {"a transfer beside a sum", {kTransfer, {kPair, kPair}}},
        {"a transfer beside a range", {kTransfer, {kRange, kRange}}},
        {"reads in a block, own write among them", {{kBegin, kRead, kRaise, kRead, kCommit}, {kRead}}},
        {"an old snapshot does not fill", {{{Kind::BeginRepeatableRead}, kRead}, {kRaise}, {kRead}}},
        {"a prepared transaction",
         {{kBegin, kRaise, {Kind::Prepare, 7}}, {kRead, {Kind::CommitPrepared, 7}, kRead}}},
        {"a savepoint",
         {{kBegin, {Kind::Savepoint}, kRaise, {Kind::RollbackTo}, kRaise, kCommit}, {kRead, kRead}}},
        {"two writers", {{kRaise}, {kRaise}, {kRead, kRead}}},
    };
    for (const auto& [name, scripts] : rows) {
        CAPTURE(name);
        Choices choices;
        int orders = 0, hits = 0;
        do {
            run_once(scripts, choices, hits);
            ++orders;
        } while (choices.another());
        MESSAGE(std::string(name), ": ", orders, " orders, ", hits, " hits");
        CHECK(orders > 50);
    }
}

TEST_CASE("sim: a million steps in a random order") {
    const char* const given_seed = std::getenv("WARMFRONT_SEED");
    const char* const given_steps = std::getenv("WARMFRONT_STEPS");
    const std::uint64_t seed = given_seed != nullptr ? std::stoull(given_seed) : std::random_device{}();
    const std::uint64_t steps = given_steps != nullptr ? std::stoull(given_steps) : 1'000'000;
    MESSAGE("WARMFRONT_SEED=", seed, " WARMFRONT_STEPS=", steps);
    constexpr int kSessions = 6;
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    SimWorld world(kSessions);
    std::vector<Script> plans(kSessions);
    const auto plan = [&](Script& script) {
        const Statement one_of_reads[] = {kRead, kPair, kRange, {Kind::Read, 4}};
        const auto read = [&] { return one_of_reads[below(4)]; };
        switch (below(12)) {
            case 0: script = {kRaise}; break;
            case 1: script = {{Kind::Add, 4, 1}}; break;
            case 2: script = kTransfer; break;
            case 3:
                script = {kBegin, read(), kRaise, read(), {Kind::Add, 4, 1}, below(2) ? kCommit : kRollback};
                break;
            case 4: script = {{Kind::BeginRepeatableRead}, read(), read(), kCommit}; break;
            case 5: script = {kBegin, {Kind::Savepoint}, kRaise, {Kind::RollbackTo}, read(), kCommit}; break;
            case 6: {
                const int name = 10 + static_cast<int>(below(1'000'000));
                script = {kBegin, kRaise, {Kind::Prepare, name}, {Kind::CommitPrepared, name}};
                break;
            }
            case 7: script = {kBegin, read(), read(), kCommit}; break;
            default: script = {read(), read()}; break;
        }
    };
    for (std::uint64_t step = 0; step < steps; ++step) {
        std::vector<int> able;
        for (int session = 0; session < kSessions; ++session)
            if (world.idle(session) || world.can_step(session)) able.push_back(session);
        REQUIRE_FALSE(able.empty());
        const int session = able[below(able.size())];
        auto& script = plans[static_cast<std::size_t>(session)];
        world.pass_time(below(200));
        if (!world.idle(session)) {
            world.step(session);
        } else {
            if (script.empty()) plan(script);
            world.send(session, script.front());
            script.erase(script.begin());
        }
        if (!world.violations().empty()) FAIL(world.violations().front(), "\n", world.story());
    }
    MESSAGE(world.hits(), " hits, ", world.stored(), " stored");
    CHECK(world.hits() > static_cast<int>(steps / 100));
}
