// sql/names.h: identifiers of PostgreSQL as types of their own, so that two cannot be swapped.
#pragma once

#include <cstdint>
#include <string>

namespace warmfront::sql {

enum class Oid : std::uint32_t {};  // pg_class.oid, pg_type.oid, ...; 0 is "no such"

inline constexpr std::uint32_t kFirstUserOid = 16384;  // FirstNormalObjectId: below it, PostgreSQL's own

inline bool is_builtin(Oid oid) {
    return static_cast<std::uint32_t>(oid) < kFirstUserOid;
}

struct RelationName {
    std::string schema;  // empty: to be found on the search path
    std::string name;
    bool operator==(const RelationName&) const = default;
};

}  // namespace warmfront::sql
