// sql/routine_plpgsql.h: the body of a PL/pgSQL function to a Routine. Internal to sql/routine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/routine.h"

namespace warmfront::sql {

struct PlpgsqlSignature {
    enum class Kind { Value, Set, Void, Trigger, EventTrigger, Procedure };
    Kind kind = Kind::Value;
    std::vector<std::string> arguments;  // names of all parameters; "" for one without
};

// body: between the quotes of CREATE FUNCTION. The SET clauses are the caller's.
[[nodiscard]] Routine read_plpgsql(std::string_view body, const PlpgsqlSignature& signature);

// A body made to what a parser without types understands, and what reads, writes and calls the same:
// "r.field := x;" becomes "PERFORM x;" (unless r is NEW or OLD), "RETURN NEXT;" becomes nothing, and so do
// OPEN, FETCH, MOVE and CLOSE but for the query in them, and the cursor that a loop goes over.
struct SimplerPlpgsql {
    std::string text;
    bool assigns_fields = false;
    bool uses_cursors = false;
};
[[nodiscard]] SimplerPlpgsql simpler_plpgsql(std::string_view body);

}  // namespace warmfront::sql
