// sql/cacheability.h: why an answer may not be kept.
//
// An answer is kept only if it is a function of the contents of the tables it depends on, the settings in the
// session's fingerprint (role, database, search_path, TimeZone, ...), the parameters, and the catalog
// snapshot. In doubt: refused. The word "now" in a literal or parameter is not seen here; may_mean_now()
// looks at those when an answer is stored. Trusted are the labels (IMMUTABLE) of built-in functions, and of C
// functions behind user-defined operators. Functions in SQL and PL/pgSQL that are labelled STABLE or
// IMMUTABLE are held to the same rules as a query. Pure; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "sql/analysis.h"
#include "sql/analysis_reach.h"

namespace warmfront::sql {

// Every label a Refusal can have; what they mean is in the .cpp.
[[nodiscard]] std::span<const std::string_view> refusal_labels();

// What a read may depend on at most; the fill rule has room for 64 lines.
inline constexpr std::size_t kReadsMax = 60;

// nullopt: the answer may be kept. reach is that of a SELECT, functions opened; context.catalog is not null.
[[nodiscard]] std::optional<Refusal> refusal_of(const Reach& reach, const AnalysisContext& context);

}  // namespace warmfront::sql
