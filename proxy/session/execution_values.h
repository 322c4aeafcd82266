// proxy/session/execution_values.h: the values that one execution of a statement was given, by whichever
// protocol.
#pragma once

#include <string_view>
#include <vector>

#include "proxy/wire/messages.h"
#include "sql/predicate.h"

namespace warmfront::session {

class ExecutionValues {
public:
    ExecutionValues() = default;  // not known
    // A simple query's, as sql::normalize() gave them. utf8: the client's encoding is UTF-8.
    ExecutionValues(std::string_view literals, bool utf8);
    // A Bind's. parameter_types: as in Parse. Malformed ones are not known.
    ExecutionValues(std::string_view parameter_types, const wire::Bind& bind, bool utf8);
    ExecutionValues(const ExecutionValues&) = delete;
    ExecutionValues& operator=(const ExecutionValues&) = delete;

    // Valid as long as this and what it was made of.
    [[nodiscard]] const sql::StatementValues& values() const { return values_; }

private:
    std::vector<sql::RawValue> parameters_;
    sql::StatementValues values_;
};

}  // namespace warmfront::session
