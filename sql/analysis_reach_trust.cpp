// What a function's answer may depend on besides the tables in its body, and where that is looked for:
// - Anything, in a body that cannot be read: not in SQL or PL/pgSQL, dynamic, with cursors (which outlive
// it).
// - The clock, by a function or a cast that the body names: cacheability looks at these, as in a query. By
// the
//   word now in a literal: PostgreSQL reads it where the type is a date's, so no body with that word passes.
//   By text out of a table that PL/pgSQL turns into a date without a word, as it assigns any value to any
//   variable: so every variable, parameter that is assigned to, and result must be of a type that text cannot
//   turn into a date in.
// - Settings that it changes for itself: only search_path, which is followed.
// A notice would be told once and then never again. PostgreSQL's word is taken for STABLE and IMMUTABLE.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sql/analysis_reach.h"
#include "sql/tokenizer.h"

namespace warmfront::sql {
namespace {

// Sorted. As declared, without length and array brackets. "UNKNOWN": a parameter, or a loop's integer.
constexpr std::array<std::string_view, 28> kTimeless{"UNKNOWN",
                                                     "bigint",
                                                     "bool",
                                                     "boolean",
                                                     "bpchar",
                                                     "bytea",
                                                     "char",
                                                     "character",
                                                     "character varying",
                                                     "decimal",
                                                     "double precision",
                                                     "float4",
                                                     "float8",
                                                     "int",
                                                     "int2",
                                                     "int4",
                                                     "int8",
                                                     "integer",
                                                     "json",
                                                     "jsonb",
                                                     "name",
                                                     "numeric",
                                                     "oid",
                                                     "real",
                                                     "record",
                                                     "smallint",
                                                     "text",
                                                     "uuid"};
// pg_type.oid of the same, their arrays, and void; sorted. The polymorphic ones may stand for a date.
constexpr std::array<std::uint32_t, 37> kTimelessOids{
    16,   17,   18,   19,   20,   21,   23,   25,   26,   114,  199,  700,  701,
    1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028,
    1042, 1043, 1231, 1700, 2249, 2278, 2287, 2950, 2951, 3802, 3807};

static_assert(std::ranges::is_sorted(kTimeless) && std::ranges::is_sorted(kTimelessOids));

bool is_timeless(Oid type) {
    return std::ranges::binary_search(kTimelessOids, static_cast<std::uint32_t>(type));
}

bool is_timeless(std::string type) {
    type.erase(std::min(type.find_first_of("(["), type.size()));
    type.erase(type.find_last_not_of(' ') + 1);
    for (char& c : type) {
        if (type != "UNKNOWN" && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return type == "varchar" || std::ranges::binary_search(kTimeless, type);
}

bool only_reads(const Statement& statement) {
    return statement.kind == StatementKind::Select && statement.writes.empty() && !statement.locks_rows &&
           statement.inner.empty();
}

std::optional<std::string> of_plpgsql(const Function& function, const Routine& routine,
                                      const Catalog& catalog) {
    if (function.body.find("variable_conflict") != std::string::npos)
        return "says by #variable_conflict what its names mean";
    if (routine.uses_cursors) return "uses cursors, which may outlive it";
    if (routine.assigns_fields)
        return "assigns to a field of a row, whose value may come from text that means the present";
    for (const auto& type : routine.variable_types) {
        if (!is_timeless(type))
            return fmt::format(
                "has a variable of type {}, whose value may come from text that means the present", type);
    }
    const bool parameters =
        std::ranges::all_of(function.argument_types, [](Oid type) { return is_timeless(type); });
    if (routine.assigns_parameters && !parameters)
        return "assigns to a parameter, of which one has a type whose value may come from text that means "
               "the "
               "present";
    // Into a row that is returned PostgreSQL puts no value of another type.
    const bool row = std::ranges::any_of(
        catalog.types, [&](const Type& type) { return type.oid == function.result && type.kind == 'c'; });
    if (!row && !is_timeless(function.result))
        return "returns a type whose value may come from text that means the present";
    return std::nullopt;
}

}  // namespace

std::optional<std::string> why_untrusted(const Function& function, const Catalog& catalog) {
    if (function.volatility == 'v') return "is volatile (the default; label it STABLE or IMMUTABLE if it is)";
    if (function.kind != 'f') return "is an aggregate or window function that is not built in";
    const auto routine = catalog.routine(function);
    if (!routine->opaque.empty()) return routine->opaque;
    if (routine->sets_other) return "has a SET clause of another setting than search_path";
    if (routine->tells_client) return "raises notices";
    if (!std::ranges::all_of(routine->statements, only_reads) || routine->ends_transactions)
        return "runs statements other than plain SELECT";
    if (may_mean_now(function.body) || may_mean_now(function.defaults))
        return "has the word now, today, tomorrow or yesterday, or an escape that may spell it";
    return function.language == "plpgsql" ? of_plpgsql(function, *routine, catalog) : std::nullopt;
}

}  // namespace warmfront::sql
