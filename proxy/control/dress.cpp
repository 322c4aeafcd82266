#include "proxy/control/dress.h"

#include <algorithm>
#include <array>

#include "sql/session_settings.h"

namespace warmfront::control {
namespace {

constexpr std::string_view kNull("\0", 1);

// What they are is the server's matter (of the last: once role and search_path are set), not the session's:
// today's is right.
constexpr std::array<std::string_view, 3> kOfServer{"current_database", "database_files", "current_schemas"};
constexpr std::array<std::string_view, 3> kOfRole{"session_user", "current_user", "has_temp_objects"};
// They alter no answer, and ours are our own.
constexpr std::array<std::string_view, 3> kTimeLimits{"statement_timeout", "idle_session_timeout",
                                                      "idle_in_transaction_session_timeout"};

bool among(const auto& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::string quoted(std::string_view value, char quote) {
    std::string text(1, quote);
    for (const char c : value) {
        if (c == quote) text += quote;
        text += c;
    }
    return text + quote;
}

// Right whatever standard_conforming_strings is.
std::string literal(std::string_view value) {
    std::string text = "E'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

const std::string& value_of(const ProbedValues& values, std::string_view name) {
    static const std::string none;
    const auto found = std::ranges::find(values, name, &std::pair<std::string, std::string>::first);
    return found == values.end() ? none : found->second;
}

std::string settings_sql(const Replay& wanted, const ProbedValues& base) {
    std::string sql;
    for (const auto& [name, now] : base) {
        if (among(kOfServer, name) || among(kOfRole, name) || among(kTimeLimits, name)) continue;
        const std::string* const value = wanted.setting(name);
        if (value == nullptr || *value == now || *value == kNull) continue;
        sql += sql.empty() ? "SELECT " : ", ";
        sql += "pg_catalog.set_config(" + literal(name) + ", " + literal(*value) + ", false)";
    }
    return sql;
}

}  // namespace

Result<Dress> dress_for(const Replay& wanted, const ProbedValues& base, bool superuser, PrewarmRoles roles) {
    Dress dress;
    dress.sql = settings_sql(wanted, base);
    const std::string own = value_of(base, "session_user");
    const std::string* const given_login = wanted.setting("session_user");
    const std::string login = given_login == nullptr ? own : *given_login;
    const std::string* const given_role = wanted.setting("current_user");
    const std::string role = given_role == nullptr ? login : *given_role;
    if (login == own) {
        if (role != own) dress.role_sql = "SET ROLE " + quoted(role, '"');
        return dress;
    }
    if (roles == PrewarmRoles::Own)
        return fail("42501", "prewarm.roles is own, and the client logged in as another role");
    if (superuser) {
        if (roles != PrewarmRoles::All)
            return fail("42501",
                        "warmfront's account is a superuser, which becomes another role only where "
                        "prewarm.roles is all");
        dress.guise = Guise::Exact;
        dress.role_sql = "SET SESSION AUTHORIZATION " + quoted(login, '"');
        if (role != login) dress.role_sql += "; SET ROLE " + quoted(role, '"');
        return dress;
    }
    dress.guise = Guise::Assumed;
    dress.role_sql = "SET ROLE " + quoted(role, '"');
    return dress;
}

Result<std::vector<std::string>> client_values(const Replay& wanted, const ProbedValues& probed,
                                               Guise guise) {
    std::vector<std::string> values;
    for (const auto& [name, now] : probed) {
        const std::string* const given = wanted.setting(name);
        const std::string& value = given == nullptr || among(kOfServer, name) ? now : *given;
        const bool ours = among(kTimeLimits, name) || (guise == Guise::Assumed && name == "session_user");
        if (value != now && !ours)
            return fail("55000", "a session of warmfront's own cannot have the client's " + name);
        values.push_back(value);
    }
    if (value_of(probed, "has_temp_objects") != "f")
        return fail("55000", "the session has temporary objects");
    return values;
}

}  // namespace warmfront::control
