// tests/live/twin/statement.h: a random statement: SQL with parameters, drawn from a pattern.
//
// A pattern is SQL with places to fill. {account} becomes a parameter, drawn from the domain of that name,
// that is later sent as a literal or through Bind; [scratch] becomes a piece of the text itself. Domains and
// pieces: statement.cpp. Only what is the same on both sides may be drawn: nothing that depends on time, on
// other sessions or on where rows lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/live/twin/random.h"

namespace warmfront::test {

enum class Kind {
    Read,        // could be served from a cache, or must not be: that is the question
    Write,       // changes rows, takes row locks at most
    Definition,  // takes locks on relations or changes the catalog: only while no other session is in a
                 // transaction
    Session,     // settings, prepared statements, cursors, transactions
};

struct Domain {
    std::string_view name;
    std::uint32_t type;  // OID
    bool quoted;         // as a literal
    std::string (*draw)(Random&);
};

struct Parameter {
    const Domain* domain;
    std::optional<std::string> value;  // as text; nullopt is NULL
};

struct Statement {
    Kind kind;
    std::string sql;  // with $1, $2, ...
    std::vector<Parameter> parameters;
    std::optional<std::string> copy_in = {};  // what a COPY FROM STDIN is sent
    bool simple_only = false;                 // more than one command in the string, or COPY FROM STDIN
};

struct Pattern {
    unsigned weight;
    Kind kind;
    std::string_view sql;
};

// Fills a pattern. The text after a "<<<" is the data of its COPY FROM STDIN.
Statement fill(const Pattern& pattern, Random& random);
// Draws the parameters anew: the same statement for other values.
void redraw(Statement& statement, Random& random);
// The SQL with the parameters written into it as literals.
std::string with_literals(const Statement& statement);
std::string literal(const Parameter& parameter);
// PostgreSQL's binary format; nullopt for types or values for which it is not known here.
std::optional<std::string> binary(const Parameter& parameter);

}  // namespace warmfront::test
