// sql/statement_rows.h: which rows a statement speaks of, as it is written: the conditions that every row of
// a table must meet to matter to a query, the rows that an INSERT, UPDATE or DELETE names.
//
// Facts only: names as written, no look-ups; part of a Statement. What is too intricate is left out, which
// means "any row".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/names.h"

namespace warmfront::sql {

// Where a value comes from when the statement runs.
struct ValueSource {
    enum class From : std::uint8_t {
        Null,
        Constant,   // `text`, as the value reads (quotes and escapes resolved); written at byte `place`
        Literal,    // a constant that a template leaves open: its literal number `number`, from 0
        Parameter,  // $number, from 1
    };
    enum class Form : std::uint8_t { String, Integer, Decimal, Bool };  // of a constant as it is written
    From from = From::Null;
    Form form = Form::String;
    bool negative = false;  // a literal with a minus sign in front
    bool repeated = false;  // a parameter used at several places: its type may come from another one
    std::uint32_t number = 0;
    std::size_t place = 0;
    std::string text;
    std::string cast;    // type named by a cast around it, without schema; empty: none
    bool array = false;  // the cast is to an array of it
    bool operator==(const ValueSource&) const = default;
};

struct ColumnName {
    std::string table;  // alias or name of the table; empty: not written
    std::string column;
    bool operator==(const ColumnName&) const = default;
};

struct Condition {
    enum class Kind : std::uint8_t {
        AnyOf,       // column = one of values (one value: =)
        AnyElement,  // column = ANY (values[0])
        Same,        // column = other
        AtLeast,     // column >= values[0], or >: bounds count as within
        AtMost,
    };
    Kind kind = Kind::AnyOf;
    ColumnName column;
    std::vector<ValueSource> values;
    ColumnName other;
    // Bit n: a row of items[n] that fails the condition (together with any rows) does not matter.
    std::uint64_t filters = 0;
};

// One SELECT (or the target, FROM and WHERE of an UPDATE or DELETE) without what is nested in it.
struct QueryLevel {
    static constexpr std::size_t kItemsMax = 64;

    struct Item {
        RelationName relation;  // as written
        std::string name;       // that columns are qualified with
        bool table = false;     // false: a subquery, a function, a CTE, or a table with renamed columns
    };
    std::vector<Item> items;
    std::vector<Condition> conditions;
};

// The rows of a statement's own target: of an INSERT ... VALUES, UPDATE or DELETE at the top.
struct TargetRows {
    struct Assignment {
        std::string column;
        std::optional<ValueSource> value;  // nullopt: computed
    };
    // INSERT: the columns as written (none: the table's in order), and each row's values.
    bool inserts = false;
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<ValueSource>>> rows;
    // INSERT ... ON CONFLICT (these) DO UPDATE SET `set`; without them any row may be the one updated.
    bool updates_on_conflict = false;
    std::vector<std::string> conflict_columns;
    // UPDATE: what is set.
    bool updates = false;
    std::vector<Assignment> set;
    // UPDATE, DELETE: level.items[0] is the target.
    QueryLevel level;
};

// COPY FROM STDIN in text format with its usual delimiters.
struct CopiedRows {
    std::vector<std::string> columns;  // as written; none: the table's in order
};

}  // namespace warmfront::sql
