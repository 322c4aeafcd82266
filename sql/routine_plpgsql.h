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

}  // namespace warmfront::sql
