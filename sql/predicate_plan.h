// sql/predicate_plan.h: which rows a statement looks at and changes, with its values left open. Plain data,
// made by sql/predicate, kept in an Analysis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sql/column_set.h"
#include "sql/names.h"
#include "sql/statement_rows.h"
#include "sql/value.h"

namespace warmfront::sql {

// A value of a statement, once its place is known: a literal by its number in the template, or as before.
struct ColumnValues {
    std::int16_t column = 0;
    ValueType type;
    bool elements = false;  // sources[0] is an array: any of its elements
    std::vector<ValueSource> sources;
};

struct ColumnRange {
    std::int16_t column = 0;
    ValueType type;
    std::optional<ValueSource> low, high;  // both within; at least one is there
};

// What a query looks at in one of the tables that it names.
struct Footprint {
    static constexpr std::size_t kKeysMax = 3;

    Oid relation{};
    ColumnSet columns;               // whose values it looks at
    std::vector<ColumnValues> keys;  // by column; only rows with these matter
    std::optional<ColumnRange> range;
};

// What a write does to one relation; each image a row as it was or will be.
struct ChangePlan {
    Oid relation{};
    ColumnSet columns = ColumnSet::all();
    std::vector<std::vector<ColumnValues>> images;
};

// What a COPY FROM STDIN adds to one relation: which of its columns each field of a line is. A field that is
// no column of it (of a parent, or child) or not judged has number 0.
struct CopyPlan {
    Oid relation{};
    struct Field {
        std::int16_t column = 0;
        ValueType type;
    };
    std::vector<Field> fields;
    std::vector<std::int16_t> nulls;  // columns that are not copied and have no default
};

}  // namespace warmfront::sql
