// tests/live/twin/patterns.h: the database that the twin test plays with, and what it says to it.
//
// Rules for a new pattern: the answer may depend only on what was said before. So no now(), no pids, no OIDs;
// rows in a total order; where several rows change, no answer and no effect may depend on which came first
// (PostgreSQL prunes pages when they are read, and a read from the cache reads none, so the places of rows
// differ between the sides).
#pragma once

#include <span>
#include <string_view>

#include "tests/live/twin/statement.h"

namespace warmfront::test {

// A part of the database, and what is said to it.
struct Subject {
    std::string_view schema;                     // one string of many statements
    std::span<const std::string_view> contents;  // queries of whole tables, to compare at the end
    std::span<const Pattern> reads, writes, definitions, sessions;
};
// In the order in which their schemas are made.
const Subject& shop();      // schema.cpp, reads.cpp, writes.cpp, definitions.cpp, sessions.cpp
const Subject& effects();   // effects.cpp
const Subject& types();     // types.cpp
const Subject& families();  // families.cpp
const Subject& rights();    // rights.cpp

// ---- of all subjects
std::span<const std::string_view> schemas();
std::span<const std::string_view> content_queries();
std::span<const Pattern> read_patterns();
std::span<const Pattern> write_patterns();
std::span<const Pattern> definition_patterns();
std::span<const Pattern> session_patterns();
std::span<const Pattern>
mistake_patterns();  // sessions.cpp: what PostgreSQL refuses, and odd but valid texts

}  // namespace warmfront::test
