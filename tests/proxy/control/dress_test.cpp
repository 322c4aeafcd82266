#include "proxy/control/dress.h"

#include <doctest/doctest.h>

using namespace warmfront;
using namespace warmfront::control;

namespace {

ProbedValues base() {
    return {{"current_database", "app"},   {"session_user", "warm"},
            {"current_user", "warm"},      {"has_temp_objects", "f"},
            {"TimeZone", "UTC"},           {"search_path", "\"$user\", public"},
            {"current_schemas", "public"}, {"app.tenant", std::string(1, '\0')},
            {"statement_timeout", "10s"}};
}

Replay of(std::vector<std::pair<std::string, std::string>> settings) {
    Replay replay;
    replay.database = "app";
    replay.settings = std::move(settings);
    return replay;
}

}  // namespace

TEST_CASE("dress: what is to be set, and as whom") {
    struct Row {
        std::string_view name;
        Replay wanted;
        bool superuser;
        PrewarmRoles roles;
        std::string_view sql, role_sql;
        Guise guise;
    };
    using enum PrewarmRoles;
    const auto alice = of({{"session_user", "alice"}, {"current_user", "alice"}});
    for (const auto& row : std::vector<Row>{
             {"nothing named", of({}), false, Own, "", "", Guise::Own},
             {"the same", of({{"session_user", "warm"}, {"current_user", "warm"}, {"TimeZone", "UTC"}}),
              false, Own, "", "", Guise::Own},
             {"settings, quoted",
              of({{"TimeZone", "o'clock\\"},
                  {"app.tenant", "5"},
                  {"statement_timeout", "1s"},
                  {"current_database", "other"}}),
              false, Own,
              "SELECT pg_catalog.set_config(E'TimeZone', E'o\\'clock\\\\', false), "
              "pg_catalog.set_config(E'app.tenant', E'5', false)",
              "", Guise::Own},
             {"our account in another role", of({{"session_user", "warm"}, {"current_user", "a\"b"}}), false,
              Own, "", "SET ROLE \"a\"\"b\"", Guise::Own},
             {"granted", alice, false, Granted, "", "SET ROLE \"alice\"", Guise::Assumed},
             {"exactly", alice, true, All, "", "SET SESSION AUTHORIZATION \"alice\"", Guise::Exact},
             {"exactly, in another role", of({{"session_user", "alice"}, {"current_user", "bob"}}), true, All,
              "", "SET SESSION AUTHORIZATION \"alice\"; SET ROLE \"bob\"", Guise::Exact}}) {
        CAPTURE(row.name);
        const auto dress = dress_for(row.wanted, base(), row.superuser, row.roles);
        REQUIRE(dress);
        CHECK(dress->sql == row.sql);
        CHECK(dress->role_sql == row.role_sql);
        CHECK(dress->guise == row.guise);
    }
    for (const auto& [superuser, roles] :
         std::vector<std::pair<bool, PrewarmRoles>>{{false, Own}, {true, Own}, {true, Granted}}) {
        const auto dress = dress_for(alice, base(), superuser, roles);
        REQUIRE_FALSE(dress);
        CHECK(dress.error().sqlstate == "42501");
    }
}

TEST_CASE("dress: a session that came out otherwise than the client's is not used") {
    struct Row {
        std::string_view name;
        Replay wanted;
        Guise guise;
        std::string_view refused;  // the setting; empty: it is used
    };
    for (const auto& row : std::vector<Row>{
             {"nothing named", of({}), Guise::Own, ""},
             {"time limits are ours", of({{"statement_timeout", "1s"}}), Guise::Own, ""},
             {"the server's own", of({{"current_database", "of yesterday"}}), Guise::Own, ""},
             {"schemas of the path", of({{"current_schemas", "of yesterday"}}), Guise::Own, ""},
             {"a setting", of({{"TimeZone", "Asia/Tokyo"}}), Guise::Own, "TimeZone"},
             {"not set at all", of({{"TimeZone", std::string(1, '\0')}}), Guise::Own, "TimeZone"},
             {"set to nothing", of({{"app.tenant", ""}}), Guise::Own, "app.tenant"},
             {"the login", of({{"session_user", "alice"}}), Guise::Own, "session_user"},
             {"the login, assumed", of({{"session_user", "alice"}}), Guise::Assumed, ""},
             {"the role, assumed", of({{"current_user", "alice"}}), Guise::Assumed, "current_user"},
             {"temporary objects", of({{"has_temp_objects", "t"}}), Guise::Own, "has_temp_objects"}}) {
        CAPTURE(row.name);
        const auto values = client_values(row.wanted, base(), row.guise);
        CHECK(values.has_value() == row.refused.empty());
        if (values) {
            CHECK(values->size() == base().size());
            if (row.guise == Guise::Assumed) CHECK((*values)[1] == "alice");
        } else {
            CHECK(values.error().text.ends_with(row.refused));
        }
    }
    ProbedValues soiled = base();
    soiled[3].second = "t";
    CHECK_FALSE(client_values(of({}), soiled, Guise::Own));
}
