// sql/column_set.h: a set of one relation's columns, by attribute number (pg_attribute.attnum).
//
// One word: numbers above 61 share a place, so that sets may seem to have columns in common that they have
// not, never the other way round. The place 0 stands for the row being there at all: every reader looks at
// it, INSERT and DELETE change it. A value.
#pragma once

#include <cstdint>

namespace warmfront::sql {

class ColumnSet {
public:
    // Of a reader that looks at no column: count(*).
    [[nodiscard]] static ColumnSet of_rows() { return ColumnSet(1); }
    [[nodiscard]] static ColumnSet all() { return ColumnSet(~std::uint64_t{0}); }

    ColumnSet() = default;  // none
    void add(int number) { bits_ |= std::uint64_t{1} << (number < 1 || number > 61 ? 62 : number); }
    void add(ColumnSet other) { bits_ |= other.bits_; }
    [[nodiscard]] bool intersects(ColumnSet other) const { return (bits_ & other.bits_) != 0; }
    [[nodiscard]] bool covers(ColumnSet other) const { return (other.bits_ & ~bits_) == 0; }
    bool operator==(const ColumnSet&) const = default;

private:
    explicit ColumnSet(std::uint64_t bits) : bits_(bits) {}
    std::uint64_t bits_ = 0;
};

}  // namespace warmfront::sql
