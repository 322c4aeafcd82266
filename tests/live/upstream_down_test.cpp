// PostgreSQL cannot be reached: the client is told so, and warmfront goes on.
#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;

TEST_CASE("upstream down: the client learns address and reason, and warmfront recovers with PostgreSQL") {
    if (direct_mode()) return;
    PostgresServer server;
    WarmfrontProcess warmfront(server);
    REQUIRE(RawClient::connect({.port = warmfront.port()}).has_value());
    for (int round = 0; round < 2; ++round) {
        server.stop();
        for (int attempt = 0; attempt < 3; ++attempt) {
            const auto client = RawClient::connect({.port = warmfront.port()});
            REQUIRE(!client.has_value());
            CAPTURE(client.error().text);
            CHECK(client.error().sqlstate.starts_with("08"));
            CHECK(client.error().text.find(std::to_string(server.port())) != std::string::npos);
            CHECK(client.error().text.find("refused") != std::string::npos);
        }
        CHECK(http_get(warmfront.http_port(), "/healthz").status == 200);
        server.start();
        auto client = RawClient::connect({.port = warmfront.port()});
        REQUIRE(client.has_value());
        CHECK(rows(*client, "SELECT 1") == "1\n");
    }
    CHECK(warmfront.stop() == 0);
}
