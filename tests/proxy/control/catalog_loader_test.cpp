// Against a PostgreSQL of the test's own; left out where there is none.
#ifdef WARMFRONT_PG_BIN_DIR

#include "proxy/control/catalog_loader.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <poll.h>

#include "sql/analysis.h"
#include "tests/live/support/postgres_server.h"

using namespace warmfront;
using control::CatalogLoader;
using sql::Oid;

namespace {

constexpr const char* kSchema = R"(
    CREATE SCHEMA app;
    CREATE ROLE reader LOGIN;
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE FUNCTION log_it(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN i; END';
    CREATE FUNCTION calc(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE t (id int PRIMARY KEY, name text, created timestamptz, gone int);
    ALTER TABLE t DROP COLUMN gone;
    CREATE FUNCTION label(t) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.name';
    CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE ON UPDATE SET NULL);
    CREATE TABLE plain_fk (t int REFERENCES t);
    CREATE TABLE p (id int) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE base (id int);
    CREATE TABLE child () INHERITS (base);
    CREATE TABLE triggered (id int);
    CREATE TRIGGER touch BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TABLE untriggered (id int);
    CREATE TRIGGER touch BEFORE UPDATE ON untriggered FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE untriggered DISABLE TRIGGER touch;
    CREATE TABLE parted (id int) PARTITION BY LIST (id);
    CREATE TABLE parted1 PARTITION OF parted DEFAULT;
    CREATE TRIGGER touch BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TABLE ruled (id int);
    CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO base VALUES (1);
    CREATE TABLE defaulted (id int DEFAULT log_it(1));
    CREATE TABLE defaulted_plainly (id int DEFAULT calc(1), at timestamptz DEFAULT now(), s serial);
    CREATE TABLE checked (id int CHECK (log_it(id) > 0));
    CREATE DOMAIN checked_int AS int CHECK (log_it(VALUE) > 0);
    CREATE TABLE of_domain (id checked_int);
    CREATE TABLE policed (id int);
    ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
    CREATE POLICY only_some ON policed USING (log_it(id) > 0);
    CREATE VIEW v AS SELECT id, lower(name) AS name FROM t;
    CREATE VIEW app.vv AS SELECT v.id, log_it(v.id) AS l FROM v;
    CREATE MATERIALIZED VIEW mv AS SELECT id FROM t;
    CREATE UNLOGGED TABLE fast (id int);
    CREATE SEQUENCE seq;
    CREATE FUNCTION same(mood, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2';
    CREATE OPERATOR === (FUNCTION = same, LEFTARG = mood, RIGHTARG = text);
    CREATE FUNCTION step(int, int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1 + $2; END';
    CREATE AGGREGATE total(int) (SFUNC = step, STYPE = int, INITCOND = '0');
    CREATE TABLE log (id int, what text);
    CREATE TABLE watched (id int PRIMARY KEY, what text);
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
        'BEGIN INSERT INTO log SELECT id, TG_OP FROM gone; RETURN NULL; END';
    CREATE TRIGGER watch AFTER DELETE ON watched REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION watch();
    CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM base; RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (log_it(NEW.id) > 0) EXECUTE FUNCTION late();
    CREATE TABLE self (id int PRIMARY KEY, parent int REFERENCES self ON DELETE CASCADE);
    CREATE VIEW shown AS SELECT id FROM watched;
    CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END';
    CREATE TRIGGER show INSTEAD OF INSERT ON shown FOR EACH ROW EXECUTE FUNCTION show();
    CREATE PROCEDURE clean(INOUT n int) LANGUAGE plpgsql AS
        'BEGIN DELETE FROM log WHERE id = n; n := 1; COMMIT; END';
    CREATE FUNCTION price(p_id int, OUT a numeric, OUT b text) LANGUAGE sql STABLE AS
        'SELECT id, name FROM t WHERE id = p_id';
    CREATE FUNCTION priced(p_id int) RETURNS TABLE (id int, name text) LANGUAGE plpgsql STABLE AS
        'BEGIN RETURN QUERY SELECT t.id, t.name FROM t WHERE t.id = p_id; END';
    CREATE FUNCTION put(int, text DEFAULT log_it(2)::text) RETURNS void LANGUAGE sql
        BEGIN ATOMIC INSERT INTO log VALUES ($1, $2); END;
    CREATE FUNCTION dynamic() RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE 'DELETE FROM log'; END$$;
    CREATE FUNCTION wipe(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN DELETE FROM log; RETURN true; END';
    CREATE DOMAIN wiped AS int CHECK (wipe(VALUE));
    CREATE DOMAIN wiped_twice AS wiped;
    CREATE FUNCTION wipe_both(int, int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN DELETE FROM log; RETURN true; END';
    CREATE OPERATOR <+> (FUNCTION = wipe_both, LEFTARG = int, RIGHTARG = int);
    CREATE TABLE of_some (id int, owner text);
    ALTER TABLE of_some ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON of_some USING (EXISTS (SELECT FROM base WHERE base.id = of_some.id));
)";

test::PostgresServer& server() {
    static test::PostgresServer instance;
    static const bool filled = [] {
        instance.sql("CREATE DATABASE shop");
        instance.sql(kSchema, "shop");
        return true;
    }();
    (void)filled;
    return instance;
}

std::shared_ptr<const sql::Catalog> loaded(CatalogLoader& loader,
                                           const std::shared_ptr<const sql::Catalog>& previous = nullptr) {
    auto result = loader.load(previous);
    REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().text));
    return result->catalog;
}

const sql::Relation& relation(const sql::Catalog& catalog, const sql::RelationName& name) {
    const auto* found = catalog.find(name, {"public"}, "postgres");
    REQUIRE_MESSAGE(found != nullptr, name.name);
    return *found;
}

const sql::Function& function(const sql::Catalog& catalog, std::string_view name) {
    const auto found = catalog.functions_named("", name);
    REQUIRE_MESSAGE(!found.empty(), name);
    return *found.front();
}

// Of the account that owns nothing and may read nothing.
std::string as_reader(const test::PostgresServer& postgres) {
    return postgres.conninfo("shop") + " user=reader";
}

}  // namespace

TEST_CASE("catalog_loader: an account without rights reads what the analysis needs") {
    CatalogLoader loader(as_reader(server()));
    const auto catalog = loaded(loader);
    CHECK(catalog->version == 1);

    const auto& t = relation(*catalog, {"", "t"});
    REQUIRE(t.columns.size() == 3);
    CHECK(t.columns[2].name == "created");
    CHECK(t.columns[2].type == Oid{1184});
    CHECK(t.cascades_on_delete == std::vector{relation(*catalog, {"", "u"}).oid});
    CHECK(t.cascades_on_update == t.cascades_on_delete);
    CHECK(relation(*catalog, {"", "p"}).kind == 'p');
    CHECK(relation(*catalog, {"", "p"}).children == std::vector{relation(*catalog, {"", "p1"}).oid});
    CHECK(relation(*catalog, {"", "child"}).parents == std::vector{relation(*catalog, {"", "base"}).oid});
    CHECK(relation(*catalog, {"", "fast"}).persistence == 'u');
    CHECK(relation(*catalog, {"", "seq"}).kind == 'S');
    CHECK(relation(*catalog, {"", "mv"}).kind == 'm');
    CHECK(relation(*catalog, {"", "pg_class"}).schema == "pg_catalog");

    struct Row {
        std::string_view name;
        bool triggers, rules, calls, secured;
    };
    for (const auto& [name, triggers, rules, calls, secured] : std::vector<Row>{
             {"t", false, false, false, false},  // its foreign keys' triggers are PostgreSQL's own
             {"triggered", true, false, false, false},
             {"untriggered", false, false, false, false},
             {"parted", true, false, false, false},
             {"parted1", true, false, false, false},
             {"ruled", false, true, false, false},
             {"v", false, false, false, false},
             {"defaulted", false, false, true, false},
             {"defaulted_plainly", false, false, false, false},
             {"checked", false, false, true, false},
             {"of_domain", false, false, true, false},
             {"policed", false, false, true, true},
         }) {
        CAPTURE(name);
        const auto& found = relation(*catalog, {"", std::string(name)});
        CHECK(found.has_triggers == triggers);
        CHECK(found.has_rules == rules);
        CHECK(found.calls_functions == calls);
        CHECK(found.row_security == secured);
    }

    CHECK(function(*catalog, "log_it").volatility == 'v');
    CHECK(function(*catalog, "calc").volatility == 'i');
    CHECK_FALSE(function(*catalog, "calc").native);
    CHECK(function(*catalog, "label").takes_row);
    CHECK_FALSE(function(*catalog, "calc").takes_row);
    CHECK(function(*catalog, "total").volatility == 'v');  // that of its step function
    CHECK(function(*catalog, "count").volatility == 'i');
    CHECK(function(*catalog, "lower").native);
    CHECK(function(*catalog, "pg_column_size").takes_row);
    CHECK(catalog->functions_named("", "touch").empty());
    CHECK(catalog->functions_named("", "proc").empty());
    CHECK(catalog->has_writing_functions());
    CHECK(catalog->operators_named("===").size() == 1);
    CHECK(catalog->type_named("mood")->kind == 'e');
    CHECK_FALSE(catalog->has_volatile_casts);
    CHECK_FALSE(catalog->has_unstable_casts);
    CHECK_FALSE(catalog->has_event_triggers);
}

TEST_CASE("catalog_loader: what it loads is what the analysis works on") {
    CatalogLoader loader(as_reader(server()));
    const auto catalog = loaded(loader);
    sql::AnalysisContext context;
    context.catalog = catalog.get();
    context.search_path = {"public"};
    struct Row {
        std::string_view sql, label;
        bool everything;
    };
    for (const auto& [sql, label, everything] : std::vector<Row>{
             {"SELECT * FROM v WHERE id = 1", "", false},
             {"SELECT * FROM app.vv", "user_function", false},  // log_it() only says that it may write
             {"SELECT count(*), max(name), to_char(created, 'YYYY') FROM t GROUP BY 3", "", false},
             {"SELECT string_agg(name, ',' ORDER BY id) FROM t", "", false},
             {"SELECT extract(epoch FROM created), created AT TIME ZONE 'UTC', created::date FROM t", "",
              false},
             {"SELECT position('a' IN name), trim(name), name || 'x' FROM t WHERE name ILIKE 'a%'", "",
              false},
             {"SELECT coalesce(name, ''), substring(name FROM 2), name SIMILAR TO 'a' FROM t", "", false},
             {"SELECT row_number() OVER (ORDER BY id), lag(name) OVER w FROM t WINDOW w AS (ORDER BY id)", "",
              false},
             {"SELECT id, generate_series(1, 3), jsonb_build_object('a', name) FROM t", "", false},
             {"SELECT json_agg(t), array_agg(id), percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM t", "",
              false},
             {"SELECT * FROM t WHERE created > now()", "clock", false},
             {"SELECT gen_random_uuid(), id FROM t", "volatile_function", false},
             {"SELECT t.label FROM t", "", false},
             {"SELECT total(id) FROM t", "user_function", false},
             {"SELECT * FROM policed", "row_security", false},
             {"SELECT * FROM price(1)", "", false},
             {"SELECT * FROM priced(1)", "", false},
             {"SELECT dynamic()", "user_function", true},
             {"SELECT * FROM information_schema.columns", "system_catalog", false},
             {"INSERT INTO defaulted_plainly DEFAULT VALUES", "not_a_select", false},
             {"INSERT INTO of_domain VALUES (1)", "not_a_select", false},
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.refusal.text);
        CHECK(analysis.refusal.label == label);
        CHECK(analysis.effects.everything == everything);
    }
}

TEST_CASE("catalog_loader: triggers, rules and bodies are loaded such that effects can be computed") {
    CatalogLoader loader(as_reader(server()));
    const auto catalog = loaded(loader);
    sql::AnalysisContext context;
    context.catalog = catalog.get();
    context.search_path = {"public"};
    struct Row {
        std::string_view sql, effects, indirect;
    };
    for (const auto& [sql, effects, indirect] : std::vector<Row>{
             {"INSERT INTO watched VALUES (1)", "base child watched", "base child"},
             {"UPDATE watched SET id = 2", "watched", ""},
             {"DELETE FROM watched", "log watched", "log"},
             {"INSERT INTO shown VALUES (1)", "log shown", "log"},
             {"UPDATE shown SET id = 1", "shown watched", "shown watched"},
             {"INSERT INTO triggered VALUES (1)", "triggered", ""},
             {"UPDATE triggered SET id = 1", "triggered", ""},  // touch() gives back NEW
             {"INSERT INTO parted VALUES (1)", "parted parted1", ""},
             {"INSERT INTO ruled VALUES (1)", "base child ruled", "base child"},
             {"DELETE FROM t", "t u", ""},  // the rows of u that refer to those of t
             {"DELETE FROM self", "self", ""},
             {"TRUNCATE t CASCADE", "plain_fk t u", "plain_fk u"},
             {"CALL clean(1)", "log", "log"},
             {"SELECT put(1)", "log", "log"},
             {"SELECT dynamic()", "*", ""},
             {"SELECT log_it(1)", "", ""},
             {"SELECT total(id) FROM t", "", ""},
             {"SELECT 1::wiped_twice", "log", "log"},
             {"SELECT 1 <+> 2", "log", "log"},
             {"DO $$BEGIN PERFORM put(1); END$$", "log", "log"},
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.effects_reason);
        const auto names = [&](const std::vector<Oid>& oids) {
            std::vector<std::string> sorted;
            for (const auto oid : oids) sorted.push_back(catalog->find(oid)->name);
            std::ranges::sort(sorted);
            std::string text;
            for (const auto& name : sorted) text += (text.empty() ? "" : " ") + name;
            return text;
        };
        CHECK((analysis.effects.everything ? "*" : names(analysis.effects.relations)) == effects);
        CHECK(names(analysis.indirect) == indirect);
    }
    // Which rows foreign keys act on: those of u by its columns, of a table that refers to itself any.
    const auto changed_rows = [&](const char* sql) {
        std::string text;
        for (const auto& change : analyse(sql, context).changes)
            text += catalog->find(change.relation)->name + (change.images.front().empty() ? "* " : " ");
        return text;
    };
    CHECK(changed_rows("DELETE FROM t WHERE id = 1") == "t u ");
    CHECK(changed_rows("DELETE FROM self WHERE id = 1").empty());

    const auto& watch = *std::ranges::find(catalog->functions, "watch", &sql::Function::name);
    CHECK(watch.is_trigger);
    CHECK(watch.language == "plpgsql");
    CHECK(watch.security_definer);
    CHECK(watch.owner == "postgres");
    CHECK(watch.settings == std::vector<std::string>{"search_path=public, pg_temp"});
    const auto& price = function(*catalog, "price");
    CHECK(price.arguments == std::vector<std::string>{"p_id", "a", "b"});
    CHECK(price.argument_types == std::vector{Oid{23}, Oid{1700}, Oid{25}});
    CHECK(price.result == Oid{2249});
    CHECK(function(*catalog, "priced").returns_set);
    CHECK(function(*catalog, "put").atomic);
    CHECK(function(*catalog, "put").arguments == std::vector<std::string>{"", ""});
    CHECK(function(*catalog, "lower").language.empty());
    CHECK(function(*catalog, "lower").body.empty());
    CHECK(catalog->procedures_named("public", "clean").size() == 1);
    const auto& triggers = relation(*catalog, {"", "watched"}).triggers;
    REQUIRE(triggers.size() == 2);
    CHECK(triggers[0].deferrable);
    CHECK(triggers[0].per_row);
    CHECK_FALSE(triggers[1].deferrable);
    CHECK_FALSE(triggers[1].per_row);
    CHECK(triggers[1].transition_tables == std::vector<std::string>{"gone"});
    CHECK(relation(*catalog, {"", "untriggered"}).triggers.empty());
    CHECK(relation(*catalog, {"", "t"}).triggers.empty());  // a foreign key's are PostgreSQL's own
    const auto reads = analyse("SELECT * FROM of_some", context).reads;
    CHECK(std::ranges::count(reads, relation(*catalog, {"", "base"}).oid) == 1);
}

TEST_CASE("catalog_loader: view definitions come with their schemas written out") {
    CatalogLoader loader(server().conninfo("shop"));
    const auto catalog = loaded(loader);
    CHECK(relation(*catalog, {"", "v"}).view_definition.find("public.t") != std::string::npos);
    CHECK(sql::parse(relation(*catalog, {"app", "vv"}).view_definition).has_value());
}

TEST_CASE(
    "catalog_loader: a snapshot is kept until something changed, and each change is called by its name") {
    auto& postgres = server();
    CatalogLoader loader(as_reader(postgres));
    auto catalog = loaded(loader);
    struct Row {
        std::string_view sql;
        bool catalog, settings;
    };
    for (const auto& [sql, catalog_changed, settings_changed] : std::vector<Row>{
             {"SELECT 1", false, false},
             {"INSERT INTO t VALUES (1, 'a'); ANALYZE t; VACUUM t", false, false},
             {"TRUNCATE t CASCADE; REFRESH MATERIALIZED VIEW mv; VACUUM FULL t", false, false},
             {"CREATE TEMP TABLE tt (id int PRIMARY KEY, m mood DEFAULT 'ok', CHECK (id > 0))", false, false},
             {"SELECT nextval('seq')", false, false},
             {"CREATE TABLE made (id int)", true, false},
             {"ALTER TABLE made ADD COLUMN x varchar(10)", true, false},
             {"ALTER TABLE made ALTER x TYPE varchar(20)", true, false},
             {"ALTER TABLE made ALTER x SET DEFAULT 'a'", true, false},
             {"ALTER TABLE made RENAME x TO y", true, false},
             {"ALTER TABLE made RENAME TO renamed", true, false},
             {"ALTER TABLE renamed SET SCHEMA app", true, false},
             {"GRANT SELECT ON app.renamed TO reader", true, false},
             {"GRANT SELECT (id) ON t TO reader", true, false},
             {"ALTER TABLE app.renamed ENABLE ROW LEVEL SECURITY", true, false},
             {"CREATE POLICY all_of_it ON app.renamed USING (true)", true, false},
             {"CREATE OR REPLACE VIEW v AS SELECT id, upper(name) AS name FROM t", true, false},
             {"ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", true, false},
             {"ALTER FUNCTION calc(int) STABLE", true, false},
             {"ALTER TABLE triggered DISABLE TRIGGER touch", true, false},
             {"CREATE OR REPLACE FUNCTION step(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1'", true,
              false},
             {"ALTER FUNCTION watch() OWNER TO reader", true, false},
             {"ALTER ROLE reader RENAME TO old_reader", true, true},
             {"ALTER ROLE old_reader RENAME TO reader", true, true},
             {"ALTER TABLE p DETACH PARTITION p1", true, false},
             {"GRANT USAGE ON SCHEMA app TO reader", true, false},
             {"DROP TABLE app.renamed", true, false},
             {"CREATE ROLE writer", false, true},
             {"GRANT writer TO reader", false, true},
             {"ALTER ROLE reader SET search_path = app", false, true},
             {"ALTER DATABASE shop SET timezone = 'UTC'", false, true},
             {"SELECT pg_reload_conf(); SELECT pg_sleep(1)", false, true},
         }) {
        CAPTURE(sql);
        // Each statement in a transaction of its own, since VACUUM must be.
        for (std::size_t at = 0; at < sql.size();) {
            const auto end = std::min(sql.find(';', at), sql.size());
            postgres.sql(sql.substr(at, end - at), "shop");
            at = end + 1;
        }
        const auto result = loader.load(catalog);
        REQUIRE(result.has_value());
        CHECK(result->catalog_changed == catalog_changed);
        CHECK((result->catalog != catalog) == catalog_changed);
        CHECK(result->catalog->version == catalog->version + (catalog_changed ? 1 : 0));
        CHECK(result->settings_changed == settings_changed);
        CHECK_FALSE(result->server_changed);
        catalog = result->catalog;
    }
}

TEST_CASE("catalog_loader: casts and event triggers of a database are known") {
    auto& postgres = server();
    postgres.sql("CREATE DATABASE casts");
    CatalogLoader loader(postgres.conninfo("casts"));
    const auto casts = [&] {
        const auto catalog = loaded(loader);
        return std::string(catalog->has_volatile_casts ? "volatile " : "") +
               (catalog->has_unstable_casts ? "unstable " : "") +
               (catalog->has_event_triggers ? "events" : "");
    };
    struct Row {
        std::string_view sql, expected;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             {"SELECT 1", ""},
             {"CREATE TYPE mood AS ENUM ('a'); CREATE CAST (varchar AS mood) WITH INOUT AS IMPLICIT", ""},
             {"CREATE TYPE pair AS (a int, b int); CREATE FUNCTION sum(pair) RETURNS int LANGUAGE sql STABLE "
              "AS "
              "'SELECT $1.a'; CREATE CAST (pair AS int) WITH FUNCTION sum(pair)",
              "unstable "},
             {"ALTER FUNCTION sum(pair) VOLATILE", "volatile unstable "},
             {"DROP CAST (pair AS int)", ""},
             {"CREATE CAST (mood AS date) WITH INOUT", "unstable "},
             {"DROP CAST (mood AS date)", ""},
             {"CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT "
              "TRIGGER e ON "
              "ddl_command_end EXECUTE FUNCTION ddl()",
              "events"},
             {"ALTER EVENT TRIGGER e DISABLE", ""},
         }) {
        CAPTURE(sql);
        postgres.sql(sql, "casts");
        CHECK(casts() == expected);
    }
}

TEST_CASE("catalog_loader: a restarted or crashed server is told apart, and the connection comes back") {
    test::PostgresServer postgres;
    CatalogLoader loader(postgres.conninfo());
    const auto first = loaded(loader);
    CHECK(loader.socket() >= 0);
    pollfd watched{loader.socket(), POLLIN, 0};
    CHECK(poll(&watched, 1, 0) == 0);

    postgres.stop();
    CHECK(poll(&watched, 1, 10'000) == 1);  // the end of the connection is seen without asking
    const auto down = loader.load(first);
    REQUIRE_FALSE(down.has_value());
    CHECK(down.error().text.find('\n') == std::string::npos);
    CHECK(loader.socket() == -1);
    const auto still_down = loader.load(first);
    REQUIRE_FALSE(still_down.has_value());
    CHECK(still_down.error().sqlstate == "08006");

    postgres.start();
    const auto restarted = loader.load(first);
    REQUIRE(restarted.has_value());
    CHECK(restarted->server_changed);
    CHECK(restarted->catalog == first);
    CHECK_FALSE(loader.load(first)->server_changed);

    // A connection lost while the server stays up may have been a crash of another backend.
    postgres.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
        "backend_type = 'client backend'");
    pollfd ended{loader.socket(), POLLIN, 0};
    CHECK(poll(&ended, 1, 10'000) == 1);
    const auto reconnected = loader.load(first);
    REQUIRE(reconnected.has_value());
    CHECK(reconnected->server_changed);
}

TEST_CASE("catalog_loader: versions grow, also when an earlier snapshot was let go") {
    CatalogLoader loader(server().conninfo("shop"));
    const auto first = loaded(loader);
    const auto again = loaded(loader, nullptr);
    CHECK(again->version > first->version);
    CHECK(again->fingerprint == first->fingerprint);
}

TEST_CASE("catalog_loader: what cannot be reached or read is an error in one line") {
    struct Row {
        std::string_view name, conninfo;
    };
    for (const auto& [name, conninfo] : std::vector<Row>{
             {"nobody listens", "host=127.0.0.1 port=1 dbname=x user=x"},
             {"not a connection string", "what is this"},
             {"a URI of nobody", "postgresql://x@127.0.0.1:1/x"},
         }) {
        CAPTURE(name);
        CatalogLoader loader{std::string(conninfo)};
        const auto result = loader.load(nullptr);
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().sqlstate == "08006");
        CHECK_FALSE(result.error().text.empty());
        CHECK(result.error().text.find('\n') == std::string::npos);
    }
    CatalogLoader nowhere(server().conninfo("nowhere"));
    CHECK_FALSE(nowhere.load(nullptr).has_value());
    CHECK(nowhere.socket() == -1);
}

#endif
