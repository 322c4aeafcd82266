// What is asked of a running proxy comes out as a forecast: in the console, by HTTP and as metrics.
#include <functional>
#include <thread>

#include <doctest/doctest.h>

#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

// Buckets of a second: the first whole one is over within two.
constexpr std::string_view kSeconds =
    "forecast: {bucket: 1s, horizon: 10s, seasons: [2m, 14m]}\n"
    "capacity: {min: 2, max: 5}\n";

// Asks on until it holds; what the proxy counts is what this asks.
bool asked_until(RawClient& client, const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        for (int i = 0; i < 50; ++i) (void)rows(client, "SELECT v FROM t WHERE k = " + std::to_string(i % 7));
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

bool holds_text(const std::string& all, std::string_view part) {
    return all.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("forecast: a load is forecast within seconds and is told everywhere alike") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(
        "CREATE TABLE t (k int PRIMARY KEY, v int); INSERT INTO t SELECT g, g FROM generate_series(0, 9) g");
    const WarmfrontProcess warmfront(server, {.settings = std::string(kSeconds)});
    auto console = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
    auto client = must(RawClient::connect({.port = warmfront.port()}));

    const auto shown = [&] { return rows(console, "SHOW FORECAST"); };
    CHECK(asked_until(client, [&] { return holds_text(shown(), "database"); }));
    CHECK(asked_until(client, [&] { return holds_text(shown(), "statement"); }));
    CAPTURE(shown());

    const HttpAnswer all = http_get(warmfront.http_port(), "/api/forecast");
    CHECK(all.status == 200);
    CHECK(holds_text(all.body, R"("id":"database:requests:postgres:")"));
    const HttpAnswer one =
        http_get(warmfront.http_port(), "/api/forecast?series=database%3Arequests%3Apostgres%3A");
    CAPTURE(one.body);
    CHECK(holds_text(one.body, R"("step":1,"recent":{"from":)"));
    CHECK(warmfront.metrics().sum("warmfront_forecast_series") >= 2);
    CHECK(warmfront.metrics().sum("warmfront_forecast_next_requests", R"(kind="database")") > 0);
    CHECK(asked_until(client, [&] {
        return warmfront.metrics().sum("warmfront_recommended_sidecars") >= 2;  // capacity.min
    }));
    const HttpAnswer capacity = http_get(warmfront.http_port(), "/api/capacity");
    CAPTURE(capacity.body);
    CHECK_FALSE(holds_text(capacity.body, R"("recommended_sidecars":null)"));
    CHECK(holds_text(rows(console, "SHOW CAPACITY"), "recommended_sidecars"));
}

TEST_CASE("forecast: loads beyond those with models of their own share one") {
    if (direct_mode()) return;
    PostgresServer server;
    server.sql(
        "CREATE TABLE t (k int PRIMARY KEY, v int); INSERT INTO t SELECT g, g FROM generate_series(0, 9) g");
    const WarmfrontProcess warmfront(
        server, {.settings = "forecast: {bucket: 1s, horizon: 10s, seasons: [2m, 14m], series: 1}\n"});
    auto console = must(RawClient::connect({.port = warmfront.port(), .database = "warmfront"}));
    auto client = must(RawClient::connect({.port = warmfront.port()}));
    const auto shown = [&] { return rows(console, "SHOW FORECAST"); };
    CHECK(asked_until(client, [&] { return holds_text(shown(), "slot means"); }));
    CAPTURE(shown());
    CHECK(asked_until(client, [&] { return holds_text(shown(), "statement"); }));
    CHECK(warmfront.metrics().sum("warmfront_forecast_series") >=
          3);  // the database, the table, the statement
}

TEST_CASE("forecast: the page and its parts are served") {
    if (direct_mode()) return;
    const PostgresServer server;
    const WarmfrontProcess warmfront(server);
    for (const std::string_view path : {"/", "/page/page.css", "/page/page.js", "/page/uPlot.js"}) {
        CAPTURE(path);
        const HttpAnswer answer = http_get(warmfront.http_port(), path);
        CHECK(answer.status == 200);
        CHECK(answer.body.size() > 1000);
    }
}
