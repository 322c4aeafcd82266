// tests/live/twin/domains.h: what fills the places in patterns: {domain} a value, [piece] a part of the text.
//
// Values come from few, so that repeated reads meet and writes hit what was read. A domain of type 0 leaves
// the type to PostgreSQL, as an untyped parameter or a quoted literal does: its spellings are of the column's
// type. A piece may hold places itself.
#pragma once

#include <span>
#include <string_view>

#include "tests/live/twin/statement.h"

namespace warmfront::test {

// pg_type.h
inline constexpr std::uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25,
                               kOid = 26, kFloat8 = 701, kInt4Array = 1007, kDate = 1082, kTimestamp = 1114,
                               kTimestampTz = 1184, kNumeric = 1700, kUuid = 2950;

// Both throw std::runtime_error for an unknown name.
const Domain& domain_named(std::string_view name);
std::span<const std::string_view> piece_named(std::string_view name);

}  // namespace warmfront::test
