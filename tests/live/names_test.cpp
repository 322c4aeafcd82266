// What a name means to PostgreSQL when another table of the name has come to lie nearer on the search path.
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"

using namespace warmfront;
using namespace warmfront::test;

namespace {

constexpr std::string_view kTables =
    "CREATE SCHEMA near; CREATE SCHEMA far; CREATE TABLE far.t (id int PRIMARY KEY, v text);"
    "INSERT INTO far.t VALUES (1, 'first');"
    "CREATE FUNCTION far.put(text) RETURNS void LANGUAGE plpgsql AS "
    "'BEGIN UPDATE t SET v = $1 WHERE id = 1; END'";
constexpr std::string_view kNearer = "CREATE TABLE near.t (id int, v text)";

class Client {
public:
    explicit Client(std::uint16_t port) : client_(must(RawClient::connect({.port = port}))) {
        must(client_.query("SET search_path = near, far"));
    }
    std::string ask(std::string_view sql) { return rows(client_, std::string(sql)); }
    void prepare(std::string_view name, std::string_view sql) {
        std::string request;
        wire::append_parse(request, name, sql, {});
        wire::append_sync(request);
        send(request);
    }
    void execute(std::string_view name, std::string_view value) {
        std::string request;
        const std::optional<std::string_view> values[] = {value};
        wire::append_bind(request, "", name, {}, values, {});
        wire::append_execute(request, "", 0);
        wire::append_sync(request);
        send(request);
    }

private:
    void send(const std::string& request) {
        must(client_.send(request));
        const auto answer = must(client_.receive_until_ready());
        REQUIRE(sqlstate_of(answer).empty());
    }
    RawClient client_;
};

// Until it is answered from memory, or for long enough.
void warm(const WarmfrontProcess& warmfront, Client& reader, std::string_view sql) {
    for (int i = 0; i < 400; ++i) {
        const auto before = warmfront.metrics().sum("warmfront_hits_total");
        (void)reader.ask(sql);
        if (warmfront.metrics().sum("warmfront_hits_total") > before) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("never answered from memory: " << sql);
}

}  // namespace

TEST_CASE("names: a prepared write goes on where it wrote, and what was kept of there is dropped") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\n"});
    for (const bool executed_before : {true, false}) {
        CAPTURE(executed_before);
        Client writer(warmfront.port()), reader(warmfront.port());
        writer.prepare("w", "UPDATE t SET v = $1 WHERE id = 1");
        if (executed_before) writer.execute("w", "early");
        (void)reader.ask(kNearer);
        warm(warmfront, reader, "SELECT v FROM far.t");
        writer.execute("w", executed_before ? "late" : "later");
        CHECK(reader.ask("SELECT v FROM far.t") == (executed_before ? "late\n" : "later\n"));
        (void)reader.ask("DROP TABLE near.t");
    }
}

TEST_CASE("names: so does one that SQL's PREPARE made") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\n"});
    Client writer(warmfront.port()), reader(warmfront.port());
    (void)writer.ask("PREPARE w (text) AS UPDATE t SET v = $1 WHERE id = 1");
    (void)reader.ask(kNearer);
    warm(warmfront, reader, "SELECT v FROM far.t");
    (void)writer.ask("EXECUTE w('late')");
    CHECK(reader.ask("SELECT v FROM far.t") == "late\n");
}

TEST_CASE("names: PL/pgSQL goes on where it wrote first, and what was kept of there is dropped") {
    if (direct_mode()) return;
    const PostgresServer server;
    server.sql(kTables);
    const WarmfrontProcess warmfront(server, {.settings = "cache: {ttl: 1h}\n"});
    Client writer(warmfront.port()), reader(warmfront.port());
    (void)writer.ask("SELECT put('early')");
    (void)reader.ask(kNearer);
    warm(warmfront, reader, "SELECT v FROM far.t");
    (void)writer.ask("SELECT put('late')");
    CHECK(reader.ask("SELECT v FROM far.t") == "late\n");
}
