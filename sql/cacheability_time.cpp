// Two ways in which a date or time depends on the day without a function that says so:
// - The input of date, time and timestamp takes the words now, today, tomorrow and yesterday. A cast of text
// out of a
//   table could meet one. A cast of a column is let through if every column of that name is of a date or time
//   type.
// - timetz with a named time zone takes the daylight saving of today.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sql/cacheability_labels.h"
#include "sql/cacheability_rules.h"

namespace warmfront::sql {
namespace {

// pg_type.oid: date, time, timestamp, timestamptz, interval. (They never change.)
constexpr std::array<Oid, 5> kTimes{Oid{1082}, Oid{1083}, Oid{1114}, Oid{1184}, Oid{1186}};
constexpr Oid kTimeTz{1266};

bool holds(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

template <typename Each>
void each_column(const Reach::Part& part, Each each) {
    for (const auto& name : part.statement->reads) {
        for (const auto* relation : part.scope.relations(name))
            for (const auto& column : relation->columns) each(column);
    }
}

// An expression may have the column's name too: by AS, or after the function it calls.
bool is_time_column(const Reach::Part& part, const std::string& name) {
    const auto& statement = *part.statement;
    if (holds(statement.aliases, name)) return false;
    if (std::ranges::any_of(statement.functions, [&](const FunctionUse& use) {
            return use.form == FunctionUse::Form::Call && use.name == name;
        }))
        return false;
    bool found = false, text = false;
    each_column(part, [&](const Column& column) {
        if (column.name != name) return;
        found = true;
        text |= std::ranges::find(kTimes, column.type) == kTimes.end();
    });
    return found && !text;
}

bool handles_timetz(const Reach::Part& part) {
    const auto& statement = *part.statement;
    if (std::ranges::any_of(statement.types, [](const RelationName& type) { return type.name == "timetz"; }))
        return true;
    const bool shifts = std::ranges::any_of(statement.functions,
                                            [](const FunctionUse& use) { return use.name == "timezone"; });
    bool has_column = false;
    each_column(part, [&](const Column& column) { has_column |= column.type == kTimeTz; });
    return shifts && has_column;
}

}  // namespace

std::optional<Refusal> by_time(const Reach::Part& part) {
    constexpr auto kWhy =
        "casts {} to a date or time, which would take the word now in it for the present; use to_date or "
        "to_timestamp";
    if (part.statement->casts_other_to_time ||
        (part.plpgsql && !part.statement->columns_cast_to_time.empty()))
        return Refusal{label::kTextToTime, fmt::format(kWhy, "what may be text out of a table")};
    for (const auto& name : part.statement->columns_cast_to_time) {
        if (!is_time_column(part, name)) return Refusal{label::kTextToTime, fmt::format(kWhy, name)};
    }
    if (handles_timetz(part))
        return Refusal{label::kClock,
                       "handles time with time zone, which depends on the day's daylight saving"};
    return std::nullopt;
}

}  // namespace warmfront::sql
