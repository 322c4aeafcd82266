// Functions are resolved by name, not by argument types: every function that the call could mean must pass.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sql/cacheability_labels.h"
#include "sql/cacheability_rules.h"
#include "sql/choices.h"
#include "sql/functions.h"
#include "sql/session_settings.h"

namespace warmfront::sql {
namespace {

constexpr std::array<std::string_view, 5> kClockFunctions{"clock_timestamp", "now", "statement_timestamp",
                                                          "timeofday", "transaction_timestamp"};

bool is_vouched(const Function& function, const Scope& scope) {
    return vouched(scope.choices, &FunctionSettings::user, function.schema, function.name);
}

// What an opened function does is refused, or not, with the other parts of the statement.
std::optional<Refusal> by_user_function(const Function& function, const Scope& scope) {
    if (is_vouched(function, scope)) return std::nullopt;
    const auto why = why_untrusted(function, *scope.catalog);
    if (!why) return std::nullopt;
    return Refusal{label::kUserFunction,
                   fmt::format("calls {}.{}(), which {}; functions.user lists those that you vouch for",
                               function.schema, function.name, *why)};
}

std::optional<Refusal> by_builtin(const Function& function, const FunctionUse& use, const Choices* choices) {
    if (function.volatility == 'i') return std::nullopt;
    const auto listed = [&](VouchedList list) {
        return vouched(choices, list, function.schema, function.name);
    };
    if (std::ranges::find(kClockFunctions, use.name) != kClockFunctions.end()) {
        if (listed(&FunctionSettings::clock)) return std::nullopt;
        return Refusal{
            label::kClock,
            fmt::format("calls {}(); pass the time as a parameter, or list it in functions.clock", use.name)};
    }
    // VOLATILE up to PostgreSQL 14 for timetz's sake only, which by_time looks after.
    if (use.name == "timezone") return std::nullopt;
    if (function.volatility == 'v') {
        if (listed(&FunctionSettings::changing)) return std::nullopt;
        return Refusal{
            label::kVolatileFunction,
            fmt::format("calls {}(), which is volatile; functions.volatile lists those that may be "
                        "kept all the same",
                        use.name)};
    }
    if (is_reproducible(use.name, use.arguments) || listed(&FunctionSettings::stable)) return std::nullopt;
    return Refusal{
        label::kStableFunction,
        fmt::format("calls {}(), which depends on more than its arguments and the session's settings; "
                    "functions.stable lists those that you vouch for",
                    use.name)};
}

// An extension's immutable overload of a function that is built in too (citext's replace, max, ...) is as
// good.
bool is_overload(const Function& function, const std::vector<const Function*>& candidates) {
    return function.volatility == 'i' && !function.extension.empty() &&
           std::ranges::any_of(candidates, [](const Function* other) { return is_builtin(other->oid); });
}

std::optional<Refusal> by_call(const FunctionUse& use, const Scope& scope) {
    const auto candidates = scope.functions(use);
    if (candidates.empty()) {
        if (is_type_without_function(use.name)) return std::nullopt;
        if (scope.catalog->type_named(use.name) != nullptr) {
            return Refusal{label::kUserType, fmt::format("casts to {}, which is not built in", use.name)};
        }
        return Refusal{label::kUnknownFunction,
                       fmt::format("calls {}(), which the catalog snapshot does not hold", use.name)};
    }
    for (const auto* function : candidates) {
        if (!is_builtin(function->oid)) {
            if (is_overload(*function, candidates)) continue;
            if (auto refusal = by_user_function(*function, scope)) return refusal;
        } else if (auto refusal = by_builtin(*function, use, scope.choices)) {
            return refusal;
        }
    }
    return std::nullopt;
}

std::optional<Refusal> by_field(const FunctionUse& use, const Scope& scope) {
    for (const auto* function : scope.functions(use)) {
        if (!function->takes_row) continue;
        if (!is_builtin(function->oid)) {
            if (auto refusal = by_user_function(*function, scope)) return refusal;
            continue;
        }
        if (auto refusal = by_builtin(*function, use, scope.choices)) return refusal;
    }
    return std::nullopt;
}

std::optional<Refusal> by_operator(const FunctionUse& use, const Scope& scope) {
    for (const auto* symbol : scope.catalog->operators_named(use.name)) {
        const bool fine = symbol->volatility == 'i' && symbol->native;
        if (!fine && !vouched(scope.choices, &FunctionSettings::user, symbol->schema, symbol->name)) {
            return Refusal{
                label::kUserOperator,
                fmt::format("uses operator {}, which a function that is not built in gives a meaning; "
                            "functions.user lists those that you vouch for",
                            use.name)};
        }
    }
    return std::nullopt;
}

bool is_current_setting(const FunctionUse& use, const Scope& scope) {
    const auto candidates = scope.functions(use);
    return use.name == "current_setting" && !candidates.empty() &&
           std::ranges::all_of(candidates,
                               [](const Function* function) { return is_builtin(function->oid); });
}

}  // namespace

// By names that are written out, of which each session is asked for the values. (Those in a client's
// statement may be literals of its template.)
static bool reads_known_settings(const Reach::Part& part, bool of_client) {
    const auto& statement = *part.statement;
    return !of_client && !statement.reads_any_setting &&
           std::ranges::all_of(statement.settings_read, [&](const std::string& name) {
               return is_probed(name) || part.scope.catalog->watches(name);
           });
}

std::optional<Refusal> by_functions(const Reach::Part& part, bool of_client) {
    const bool settings_known = reads_known_settings(part, of_client);
    for (const auto& use : part.statement->functions) {
        std::optional<Refusal> refusal;
        if (settings_known && use.form == FunctionUse::Form::Call && is_current_setting(use, part.scope))
            continue;
        switch (use.form) {
            case FunctionUse::Form::Call: refusal = by_call(use, part.scope); break;
            case FunctionUse::Form::Operator: refusal = by_operator(use, part.scope); break;
            case FunctionUse::Form::Field: refusal = by_field(use, part.scope); break;
        }
        if (refusal) return refusal;
    }
    return std::nullopt;
}

std::optional<Refusal> by_types(const Reach::Part& part) {
    const auto& catalog = *part.scope.catalog;
    if (catalog.has_unstable_casts || catalog.has_volatile_casts) {
        return Refusal{
            label::kUserCast,
            "this database has a cast whose function is not immutable, and casts may run unwritten"};
    }
    for (const auto& type : part.statement->types) {
        if (type.schema == "pg_catalog") continue;
        const auto* user_type = catalog.type_named(type.name);
        if (user_type != nullptr && user_type->kind != 'e')
            return Refusal{label::kUserType, fmt::format("casts to {}, which is not built in", type.name)};
    }
    return std::nullopt;
}

}  // namespace warmfront::sql
