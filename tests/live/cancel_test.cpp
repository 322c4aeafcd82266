// A CancelRequest ends what that client runs, and nothing else.
#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/activity.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;

static void begin(RawClient& client, std::string_view sql) {
    std::string bytes;
    wire::append_query(bytes, sql);
    must(client.send(bytes));
}

TEST_CASE("cancel: the right backend, and no other") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server);
    auto canceled = must(RawClient::connect({.port = warmfront.port()}));
    auto others = std::vector<RawClient>();
    for (int i = 0; i < 6; ++i) others.push_back(must(RawClient::connect({.port = warmfront.port()})));
    begin(canceled, "SELECT 'sleeper', pg_sleep(600)");
    for (auto& other : others) begin(other, "SELECT 'sleeper', pg_sleep(600)");
    wait_until_active(server, "SELECT 'sleeper'%", 7);

    must(cancel(warmfront.port(), canceled.process_id(), canceled.secret_key()));
    CHECK(sqlstate_of(must(canceled.receive_until_ready())) == "57014");
    CHECK(rows(canceled, "SELECT 1") == "1\n");
    CHECK(server.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT ''sleeper''%' AND "
                       "state = 'active'") == "6");
    for (auto& other : others) {
        must(cancel(warmfront.port(), other.process_id(), other.secret_key()));
        CHECK(sqlstate_of(must(other.receive_until_ready())) == "57014");
    }
}

TEST_CASE("cancel: a wrong key and an unknown process are ignored") {
    const PostgresServer server;
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    begin(client, "SELECT 'sleeper', pg_sleep(2)");
    wait_until_active(server, "SELECT 'sleeper'%");
    auto wrong_key = client.secret_key();
    wrong_key[0] = static_cast<char>(wrong_key[0] ^ 1);
    must(cancel(warmfront.port(), client.process_id(), wrong_key));
    must(cancel(warmfront.port(), client.process_id() + 1, client.secret_key()));
    CHECK(rows_of(must(client.receive_until_ready())) == "sleeper|\n");
}

TEST_CASE("cancel: when nothing runs, the next query is left alone") {
    const PostgresServer server;
    server.sql("CREATE TABLE t AS SELECT 1 AS id");
    const WarmfrontProcess warmfront(server);
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    for (int round = 0; round < 3; ++round) rows(client, "SELECT id FROM t");
    must(cancel(warmfront.port(), client.process_id(), client.secret_key()));
    rows(client,
         "SELECT 1");  // PostgreSQL may take a signal that comes late as meant for this: it is an idle one's
    CHECK(rows(client, "SELECT id FROM t") == "1\n");
}
