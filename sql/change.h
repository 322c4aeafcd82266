// sql/change.h: what a write does to the rows of one relation, in values: whoever saw it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sql/column_set.h"

namespace warmfront::sql {

// A column's value by its canonical form (sql/value.h).
struct KnownValue {
    std::int16_t column = 0;  // pg_attribute.attnum
    bool null = false;
    bool ordered = false;
    std::uint64_t hash = 0;
    std::int64_t order = 0;
};

// A row as far as it is known, by column number; a column that is not listed may have any value.
using RowImage = std::vector<KnownValue>;

struct RowsChange {
    static constexpr std::size_t kImagesMax = 256;  // of one statement; with more, any row may be changed

    // Columns whose values may be others afterwards; all() where rows come or go.
    ColumnSet columns = ColumnSet::all();
    bool any_row = true;
    // Unless any_row: each changed row is one of these, both before and after.
    std::vector<RowImage> images;
};

}  // namespace warmfront::sql
