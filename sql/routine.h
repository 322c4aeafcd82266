// sql/routine.h: what the body of a function, procedure or DO block says: the statements that it may run.
//
// Facts only, as in sql/statement: names as written, no look-ups. Of languages SQL (also with an SQL-standard
// body) and PL/pgSQL; of all others a routine is opaque. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/catalog.h"
#include "sql/statement.h"

namespace warmfront::sql {

struct Routine {
    // Why it may do anything ("puts SQL text together at run time (EXECUTE)"); empty: it runs no more than
    // the statements below, any number of times, in any order.
    std::string opaque;
    std::vector<Statement> statements;  // expressions too, as the SELECT that they are to PL/pgSQL
    bool ends_transactions = false;     // COMMIT or ROLLBACK: what it did so far may take effect
    bool tells_client = false;          // RAISE of less than an error
    // Of a trigger function: gives back the NEW or OLD that it got, or nothing, and never assigns to NEW.
    bool keeps_new_row = false;
    // Of PL/pgSQL:
    bool assigns_parameters = false;
    bool assigns_fields = false;  // of variables that are rows
    bool uses_cursors = false;
    std::vector<std::string> variable_types;  // of PL/pgSQL's variables, as declared; parameters apart
    // SET clauses of the function.
    bool sets_search_path = false;
    std::vector<std::string> search_path;
    bool sets_role = false;
    bool sets_other = false;
};

inline constexpr std::size_t kRoutineBytesMax = 64 * 1024;  // a longer body is opaque
inline constexpr std::size_t kRoutineStatementsMax = 2000;  // and one of more statements and expressions

// The defaults of its parameters are among the statements.
[[nodiscard]] Routine routine_of(const Function& function);
// These defaults alone; an error where they are not understood. The function has some.
[[nodiscard]] Result<Statement> defaults_of(const Function& function);
// A DO block.
[[nodiscard]] Routine routine_of_block(std::string_view language, std::string_view body);

// Routines by OID, each parsed once. Any thread may ask; the lock is held for a look-up, not for parsing.
// Bounded: beyond kStatementsMax statements all are forgotten (and parsed anew when asked for).
class Routines {
public:
    static constexpr std::size_t kStatementsMax = 50'000;

    [[nodiscard]] std::shared_ptr<const Routine> of(const Function& function);

private:
    std::mutex mutex_;
    std::unordered_map<std::uint32_t, std::shared_ptr<const Routine>> known_;
    std::size_t statements_ = 0;
};

}  // namespace warmfront::sql
