// sql/value.h: whether two values of a column are equal, told by a hash of one canonical form.
//
// PostgreSQL's `=` is not equality of text: 5 is '5' and '005', a uuid is written in five ways, char(n)
// ignores blanks at its end. canonical() takes a value as a statement gives it (literal, parameter in text or
// binary) through the type of the column that it is compared with or stored in. What it is not sure about it
// does not judge (nullopt): the caller then assumes any value. Where it judges, values that PostgreSQL takes
// for equal have equal hashes; different values seldom do.
//
// Not judged, since their equality depends on more than the bytes: floating point, intervals, json, arrays,
// network addresses, text of a nondeterministic collation. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sql/names.h"

namespace warmfront::sql {

enum class ValueKind : std::uint8_t {
    None,  // never judged
    Integer,
    Bool,
    Text,        // text, varchar
    PaddedText,  // char(n)
    Citext,
    Uuid,
    Date,
    Timestamp,
    TimestampTz,
    Numeric,
    Enum,
    Bytea,
};

// A type as far as its values are judged.
struct ValueType {
    Oid oid{};  // pg_type.oid; of a domain: its base type's
    ValueKind kind = ValueKind::None;
    std::int32_t modifier = -1;  // pg_attribute.atttypmod
    bool operator==(const ValueType&) const = default;
};

// By pg_type.oid for the built-in types; enums (typtype e) and citext by what the catalog says of them.
[[nodiscard]] ValueKind kind_of_type(Oid type, char typtype, std::string_view name,
                                     bool deterministic_collation);

// A value as it came: NULL, text or binary.
struct RawValue {
    bool null = false;
    bool binary = false;
    bool negated = false;  // a minus sign stands in front of the number
    // pg_type.oid that the client declared or a cast says; 0: none, PostgreSQL takes the column's.
    Oid type{};
    std::string_view bytes;
    bool utf8 = true;  // false: the encoding may be another, so that only ASCII is judged
};

struct CanonicalValue {
    bool null = false;
    bool ordered = false;    // `order` is set
    std::uint64_t hash = 0;  // of type family and value
    // Never falls while the value grows; equal for values that differ by less than its unit.
    std::int64_t order = 0;
};

[[nodiscard]] std::optional<CanonicalValue> canonical(const ValueType& type, const RawValue& value);

// The elements of a one-dimensional array ('{1,2}' or binary), as views into it; its `type` is the array's.
// nullopt where it is not understood, holds an element in quotes with escapes, or more than elements_max.
[[nodiscard]] std::optional<std::vector<RawValue>> elements_of(const RawValue& array,
                                                               std::size_t elements_max);

// Whether the ranges of such a type can be told by CanonicalValue::order.
[[nodiscard]] bool is_ordered(ValueKind kind);

// Whether a value that equals a column of the one type is judged alike for a column of the other.
[[nodiscard]] bool same_family(const ValueType& a, const ValueType& b);

}  // namespace warmfront::sql
