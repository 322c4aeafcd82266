// sql/cacheability_rules.h: the rules that sql/cacheability goes through. Internal to it.
#pragma once

#include <optional>

#include "sql/analysis.h"
#include "sql/analysis_reach.h"

namespace warmfront::sql {

// cacheability_relations.cpp
[[nodiscard]] std::optional<Refusal> by_relations(const Reach& reach, const AnalysisContext& context);

// cacheability_functions.cpp
[[nodiscard]] std::optional<Refusal> by_functions(const Reach::Part& part, bool of_client);
[[nodiscard]] std::optional<Refusal> by_types(const Reach::Part& part);

// cacheability_time.cpp: date and time values that come out of text or depend on the day.
[[nodiscard]] std::optional<Refusal> by_time(const Reach::Part& part);

}  // namespace warmfront::sql
