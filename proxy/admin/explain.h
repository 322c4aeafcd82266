// proxy/admin/explain.h: EXPLAIN CACHE: an analysis told to a person.
#pragma once

#include "proxy/admin/console.h"
#include "sql/analysis.h"
#include "sql/catalog.h"

namespace warmfront::admin {

// class, cached, why not, what it reads and changes (by name; at most kNamesMax, then how many more), and the
// steps that lead there, as far as the analysis was asked for them: a row each, indented.
// catalog: the one that the analysis was made with; nullptr if none is known. Pure.
inline constexpr std::size_t kNamesMax = 100;
[[nodiscard]] Properties explain(const sql::Analysis& analysis, const sql::Catalog* catalog);

}  // namespace warmfront::admin
