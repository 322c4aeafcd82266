// tests/live/traps/trap_runner.h: runs traps through warmfront, beside a direct session that asks the same.
//
// A mode, step by step; "compare" is every question in every delivery, directly once, through warmfront
// twice:
//   warm       every question in every delivery through warmfront, until all that should be kept are hits
//   same       the reading session writes; compare
//   other      another session through warmfront writes; compare (after each step)
//   commit     another session: BEGIN, the steps; it asks too; compare, also in READ COMMITTED blocks of the
//              readers; COMMIT; compare, inside those blocks and after; what the writer saw was the same
//   rollback   BEGIN, the steps; compare; ROLLBACK; compare, which also fills; the steps again, COMMIT;
//   compare steps      each by whom it names; compare after each
// What others have locked is not asked for. Writes go by another delivery in every mode and trap.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/live/support/postgres_server.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/traps/asking.h"
#include "tests/live/traps/trap.h"

namespace warmfront::test {

struct TrapTally {
    unsigned traps = 0, runs = 0;
    std::uint64_t comparisons = 0;
    std::uint64_t kept = 0;  // of the first questions after a write: hits
    std::vector<std::string> failures;
};

class TrapRunner {
public:
    // Makes the group's database, and lays every trap's schemas, before warmfront hears of it.
    TrapRunner(const PostgresServer& server, const WarmfrontProcess& warmfront, TrapGroup group,
               std::string database);

    // Every trap whose group and name ("group: name") contain `only`.
    TrapTally run(std::string_view only = {});

private:
    class Play;
    void lay(const Trap& trap, std::size_t number, TrapMode mode);
    [[nodiscard]] std::string schema_of(std::size_t number, TrapMode mode) const;

    const PostgresServer& server_;
    const WarmfrontProcess& warmfront_;
    const TrapGroup group_;
    const std::string database_;
};

}  // namespace warmfront::test
