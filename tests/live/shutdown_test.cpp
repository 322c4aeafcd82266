// SIGTERM: what is in flight is finished, then everybody is told 57P01 (admin_shutdown), and the exit status
// is 0.
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/activity.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

// What comes on a connection until it ends.
Messages drain(RawClient& client) {
    Messages messages;
    for (;;) {
        auto message = client.receive();
        if (!message) {
            CHECK(message.error().sqlstate == "08006");  // the end, not a wait without one
            return messages;
        }
        messages.push_back(std::move(*message));
    }
}

void begin(RawClient& client, std::string_view sql) {
    std::string bytes;
    wire::append_query(bytes, sql);
    must(client.send(bytes));
}

}  // namespace

TEST_CASE("shutdown: a query in flight is answered before its client is dismissed") {
    if (direct_mode()) return;
    const PostgresServer server;
    WarmfrontProcess warmfront(server);
    auto idle = must(RawClient::connect({.port = warmfront.port()}));
    auto busy = must(RawClient::connect({.port = warmfront.port()}));
    auto holder = must(RawClient::connect({.port = server.port()}));
    rows(holder, "SELECT pg_advisory_lock(1)");
    begin(busy, "SELECT 'finished', pg_advisory_lock(1)");
    wait_until_active(server, "SELECT 'finished'%");
    warmfront.process().send_signal(SIGTERM);

    CHECK(sqlstate_of(drain(idle)) == "57P01");
    rows(holder, "SELECT pg_advisory_unlock(1)");
    const auto answer = drain(busy);
    CHECK(rows_of(answer) == "finished|\n");
    CHECK(status_of(answer) == 'I');
    CHECK(sqlstate_of(answer) == "57P01");
    CHECK(warmfront.process().wait(60s).value_or(-1) == 0);
    CHECK(!RawClient::connect({.port = warmfront.port()}).has_value());
}

TEST_CASE("shutdown: what takes longer than shutdown_timeout is not waited for") {
    if (direct_mode()) return;
    const PostgresServer server;
    WarmfrontProcess warmfront(server, {.settings = "shutdown_timeout: 1s\n"});
    auto busy = must(RawClient::connect({.port = warmfront.port()}));
    begin(busy, "SELECT 'endless', pg_sleep(600)");
    wait_until_active(server, "SELECT 'endless'%");
    warmfront.process().send_signal(SIGTERM);
    CHECK(sqlstate_of(drain(busy)) == "57P01");
    CHECK(warmfront.process().wait(60s).value_or(-1) == 0);
}

TEST_CASE("shutdown: it can be started again at once in the same place") {
    if (direct_mode()) return;
    const PostgresServer server;
    WarmfrontProcess warmfront(server);
    for (int round = 0; round < 2; ++round) {
        auto client = must(RawClient::connect({.port = warmfront.port()}));
        CHECK(rows(client, "SELECT 1") == "1\n");
        CHECK(warmfront.stop() == 0);
        warmfront.start();
    }
    warmfront.kill9();
    warmfront.start();
    CHECK(RawClient::connect({.port = warmfront.port()}).has_value());
}
