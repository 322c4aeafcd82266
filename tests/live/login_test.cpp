// Every password exchange passes through to PostgreSQL, with the client's own credentials.
#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;

static void make_roles(const PostgresServer& server) {
    server.sql(R"(
        CREATE ROLE by_trust LOGIN;
        CREATE ROLE by_password LOGIN PASSWORD 'secret';
        SET password_encryption = 'md5';
        CREATE ROLE by_md5 LOGIN PASSWORD 'secret';
        SET password_encryption = 'scram-sha-256';
        CREATE ROLE by_scram LOGIN PASSWORD 'secret';
        CREATE ROLE rejected LOGIN;)");
}

TEST_CASE("login: every method admits the right password and refuses the wrong one in PostgreSQL's words") {
    const PostgresServer server(
        {.hba = {"host all by_password 127.0.0.1/32 password", "host all by_md5 127.0.0.1/32 md5",
                 "host all by_scram 127.0.0.1/32 scram-sha-256", "host all rejected 127.0.0.1/32 reject"}});
    make_roles(server);
    const WarmfrontProcess warmfront(server);

    struct Row {
        std::string_view role, password, sqlstate;
    };
    for (const auto& [role, password, sqlstate] : std::vector<Row>{{"by_trust", "", ""},
                                                                   {"by_password", "secret", ""},
                                                                   {"by_password", "wrong", "28P01"},
                                                                   {"by_md5", "secret", ""},
                                                                   {"by_md5", "wrong", "28P01"},
                                                                   {"by_scram", "secret", ""},
                                                                   {"by_scram", "wrong", "28P01"},
                                                                   {"rejected", "", "28000"},
                                                                   {"nobody_of_that_name", "", "28000"}}) {
        CAPTURE(role);
        CAPTURE(password);
        RawClient::Options options{
            .port = warmfront.port(), .user = std::string(role), .password = std::string(password)};
        auto through = RawClient::connect(options);
        options.port = server.port();
        auto direct = RawClient::connect(options);
        REQUIRE(through.has_value() == direct.has_value());
        if (through) {
            CHECK(sqlstate == "");
            CHECK(rows(*through, "SELECT current_user") == std::string(role) + "\n");
        } else {
            CHECK(through.error().sqlstate == sqlstate);
            CHECK(through.error().sqlstate == direct.error().sqlstate);
            CHECK(through.error().text == direct.error().text);
        }
    }
}

TEST_CASE("login: an unknown database and a bad startup parameter fail as they do without warmfront") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server);
    for (RawClient::Options options :
         std::vector<RawClient::Options>{{.database = "nowhere"},
                                         {.parameters = {{"DateStyle", "upside down"}}},
                                         {.parameters = {{"nonsense", "1"}}}}) {
        options.port = warmfront.port();
        const auto through = RawClient::connect(options);
        options.port = server.port();
        const auto direct = RawClient::connect(options);
        REQUIRE(!direct.has_value());
        REQUIRE(!through.has_value());
        CHECK(through.error().sqlstate == direct.error().sqlstate);
        CHECK(through.error().text == direct.error().text);
    }
}

TEST_CASE("login: startup parameters arrive") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server);
    auto client =
        must(RawClient::connect({.port = warmfront.port(),
                                 .parameters = {{"application_name", "a test"},
                                                {"DateStyle", "German"},
                                                {"options", "-c search_path=pg_catalog -c geqo=off"}}}));
    CHECK(rows(client, "SHOW application_name") == "a test\n");
    CHECK(rows(client, "SELECT DATE '2024-02-01'") == "01.02.2024\n");
    CHECK(rows(client, "SHOW search_path; SHOW geqo") == "pg_catalog\noff\n");
}
