// The prewarmer on predictions of the test's own, in front of a PostgreSQL of the test's own; left out where
// there is none.
#ifdef WARMFRONT_PG_BIN_DIR

#include "proxy/control/prewarmer.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "proxy/control/control.h"
#include "proxy/control/postgres_upstream.h"
#include "tests/live/support/postgres_server.h"

using namespace warmfront;
using namespace warmfront::control;
using namespace std::chrono_literals;

namespace {

bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

class NoConsole final : public session::AdminConsole {
public:
    [[nodiscard]] std::string answer(std::string_view) override { return {}; }
};

// All that a server is made of, but for its workers.
struct World {
    explicit World(const test::PostgresServer& server, PrewarmSettings prewarm = {},
                   std::chrono::milliseconds ttl = 1h)
        : upstream(*PostgresUpstream::make(*UpstreamTarget::parse(server.conninfo()))),
          control(
              {[this](const std::string& name) { return upstream.target().conninfo_for(name); }, "postgres"},
              write_log, log),
          store({.memory_bytes = std::size_t{64} << 20, .ttl_ms = static_cast<std::uint64_t>(ttl.count())}) {
        auto settings = std::make_shared<Settings>();
        settings->prewarm = prewarm;
        settings->cache.memory = std::size_t{64} << 20;
        settings->cache.ttl = ttl;
        shared.replace(settings, {});
        databases.choose(std::make_shared<const sql::Choices>());
        control.start(databases);
        REQUIRE(eventually([&] { return control.not_ready_because().empty(); }));
        Prewarmer::Options options;
        options.hot = [this](const forecast::HotKeyOptions&) {
            const std::lock_guard lock(mutex);
            return hot;
        };
        options.known = [this](std::uint64_t key) -> std::optional<KnownKey> {
            const std::lock_guard lock(mutex);
            return KnownKey{replays.at(key), 0, 0};
        };
        options.misses = [] { return MissLoad{}; };
        options.reachable = [this] { return control.not_ready_because().empty(); };
        options.conninfo_for = [this](const std::string& name) {
            return upstream.target().conninfo_for(name);
        };
        prewarmer.emplace(shared, options);
        prewarmer->start();
    }
    ~World() {
        prewarmer->stop();
        control.stop();
    }

    // A read that is predicted to be asked for so often while its answer is good.
    void predict(std::uint64_t key, const std::string& statement, double requests) {
        const std::lock_guard lock(mutex);
        Replay replay;
        replay.database = "postgres";
        replay.statement = statement;
        replays[key] = text_of(replay).value();
        forecast::HotKey each;
        each.key = key;
        each.name = {forecast::SeriesName::Kind::Template, "postgres", "00000000000000ff", {}};
        each.requests = requests;
        each.chance = each.chance_soon = 1 - std::exp(-requests);
        std::erase_if(hot, [&](const auto& known) { return known.key == key; });
        hot.push_back(each);
    }
    [[nodiscard]] std::uint64_t count(std::string_view outcome) const {
        for (const auto& [name, number] : prewarmer->numbers().outcomes)
            if (name == outcome) return number;
        return 0;
    }
    [[nodiscard]] std::uint64_t stored(std::string_view reason) const {
        for (const auto& [name, number] : prewarmer->numbers().stored)
            if (name == reason) return number;
        return 0;
    }
    // What SHOW HOT says of the statement: "state: plan".
    [[nodiscard]] std::string shown(std::string_view statement) const {
        const auto view = prewarmer->view();
        for (const auto& row : view->hot)
            if (row.statement == statement) return row.state + ": " + row.plan;
        return {};
    }

    SteadyClock clock;
    Logger log{LogLevel::Error, [](std::string_view) {}};
    cache::WriteLog write_log;
    PostgresUpstream upstream;
    Control control;
    session::Ledger ledger{{.workers = 8}};
    cache::Store store;
    cache::Flights flights;
    sql::TemplateTable templates{1000};
    sql::SettingsInterner interner{1000};
    session::Databases databases{write_log, 10,
                                 [this](session::Database& database) { control.catalog_wanted(database); }};
    NoConsole console;
    session::CancelRegistry cancels;
    session::Directory directory;
    session::Switches switches;
    session::Shared shared{clock,    log,     write_log, store,   flights,   templates, interner, databases,
                           upstream, control, console,   cancels, directory, ledger,    switches};
    std::mutex mutex;
    std::vector<forecast::HotKey> hot;
    std::map<std::uint64_t, std::string> replays;
    std::optional<Prewarmer> prewarmer;
};

const std::string kSchema =
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, "
    "99) i";

std::string read_of(int id) {
    return "SELECT v FROM t WHERE id = " + std::to_string(id);
}

}  // namespace

TEST_CASE("prewarmer: what is predicted hot is fetched, and what is not is left") {
    test::PostgresServer server;
    server.sql(kSchema);
    World world(server);
    for (int id = 1; id <= 30; ++id) world.predict(static_cast<std::uint64_t>(id), read_of(id), 20);
    world.predict(99, read_of(99), 0.1);
    CHECK(eventually([&] { return world.count("stored") == 30; }));
    CHECK(eventually([&] { return world.shown(read_of(7)).starts_with("there: is there for another"); }));
    CHECK(world.shown(read_of(99)).starts_with("absent: 0.10 requests predicted"));
    CHECK(world.store.stats().entries == 30);
    const auto totals = world.ledger.totals();
    CHECK(totals.fetched == 30);
    CHECK(totals.fetch_spent_us > 0);
    CHECK(world.prewarmer->numbers().hot_keys == 31);
}

TEST_CASE("prewarmer: what a write voids is fetched anew, and what is not hot any more is left void") {
    test::PostgresServer server;
    server.sql(kSchema);
    World world(server);
    for (int id = 1; id <= 10; ++id) world.predict(static_cast<std::uint64_t>(id), read_of(id), 20);
    REQUIRE(eventually([&] { return world.shown(read_of(10)).starts_with("there"); }));
    REQUIRE(world.count("stored") == 10);
    for (int id = 6; id <= 10; ++id) world.predict(static_cast<std::uint64_t>(id), read_of(id), 0.01);
    REQUIRE(eventually([&] { return world.prewarmer->view()->hot.back().requests < 1; }));
    world.write_log.everything_changed("postgres");
    CHECK(eventually([&] { return world.stored("write") == 5; }));
    CHECK(eventually([&] { return world.shown(read_of(10)).starts_with("voided"); }));
    CHECK(world.count("stored") == 15);
}

TEST_CASE("prewarmer: the share of the memory is kept") {
    test::PostgresServer server;
    server.sql(kSchema);
    World world(server, {.memory_share = 0});
    world.predict(1, read_of(1), 20);
    CHECK(
        eventually([&] { return world.shown(read_of(1)).find("share of the memory") != std::string::npos; }));
    CHECK(world.count("stored") == 0);
}

TEST_CASE("prewarmer: a statement whose answers go unused is left out") {
    test::PostgresServer server;
    server.sql(kSchema);
    World world(server, {.rate = 10'000});
    for (int id = 1; id <= 40; ++id) world.predict(static_cast<std::uint64_t>(id), read_of(id), 20);
    REQUIRE(eventually([&] { return world.count("stored") == 40; }));
    world.store.clear();
    CHECK(eventually([&] { return world.shown(read_of(1)).find("did not pay") != std::string::npos; }));
    CHECK(world.prewarmer->numbers().templates_off == 1);
    CHECK(world.ledger.totals().fetched_unused >= 40);
}

TEST_CASE("prewarmer: while PostgreSQL is away nothing is asked, and it goes on when it is back") {
    test::PostgresServer server;
    server.sql(kSchema);
    World world(server);
    world.predict(1, read_of(1), 20);
    REQUIRE(eventually([&] { return world.count("stored") == 1; }));
    server.stop();
    REQUIRE(eventually([&] { return !world.control.not_ready_because().empty(); }));
    world.predict(2, read_of(2), 20);
    REQUIRE(eventually([&] { return !world.shown(read_of(2)).empty(); }));
    CHECK(world.count("stored") == 1);
    server.start();
    CHECK(eventually([&] { return world.shown(read_of(2)).starts_with("there"); }));
    CHECK(eventually([&] { return world.shown(read_of(1)).starts_with("there"); }));
}

TEST_CASE("prewarmer: what cannot be fetched is not asked for again and again, and says why") {
    test::PostgresServer server;
    server.sql(kSchema);
    World world(server, {.rate = 10'000, .roles = PrewarmRoles::All});
    world.predict(1, "SELECT random() FROM t", 20);
    world.predict(2, "SELECT no_such FROM t", 20);
    CHECK(eventually(
        [&] { return world.shown("SELECT random() FROM t").find("volatile") != std::string::npos; }));
    CHECK(
        eventually([&] { return world.shown("SELECT no_such FROM t").find("42703") != std::string::npos; }));
    CHECK(world.count("refused") <= 10);
    CHECK(world.count("failed") <= 10);
    CHECK_FALSE(world.prewarmer->prewarm("{}"));
    CHECK(world.prewarmer->prewarm(R"({"v": 1, "database": "postgres", "statement": "SELECT v FROM t"})"));
    CHECK(eventually([&] { return world.shown("SELECT v FROM t").starts_with("there"); }));
}

#endif
