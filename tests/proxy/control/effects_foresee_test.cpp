// What a statement changed, as PostgreSQL counts it, must be among what the analysis foresaw. Against a
// PostgreSQL of the test's own; left out where there is none.
#ifdef WARMFRONT_PG_BIN_DIR

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "proxy/control/catalog_loader.h"
#include "sql/analysis.h"
#include "tests/live/support/postgres_server.h"

using namespace warmfront;

namespace {

constexpr const char* kSchema = R"(
    CREATE SCHEMA shadow;
    CREATE TABLE log (id int, what text);
    CREATE TABLE shadow.log (id int, what text);
    CREATE TABLE audit (id int);
    CREATE TABLE customers (id int PRIMARY KEY, name text);
    CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE lines (id int PRIMARY KEY, parent int REFERENCES orders ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE CASCADE);
    CREATE TABLE days (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE days_old PARTITION OF days FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
    CREATE TABLE days_new PARTITION OF days DEFAULT;
    CREATE TABLE notes (id int, day date, FOREIGN KEY (id, day) REFERENCES days ON DELETE CASCADE);
    CREATE TABLE base (id int);
    CREATE TABLE child (x int) INHERITS (base);
    INSERT INTO customers VALUES (1, 'a'), (2, 'b');
    INSERT INTO orders VALUES (1, 1), (2, 2);
    INSERT INTO lines VALUES (1, 1), (2, 2);
    INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2);
    INSERT INTO days VALUES (1, '2023-01-01'), (2, '2024-05-01'), (3, '2023-03-03');
    INSERT INTO notes VALUES (1, '2023-01-01'), (2, '2024-05-01');
    INSERT INTO base VALUES (1);
    INSERT INTO child VALUES (1, 1);

    CREATE FUNCTION note(i int) RETURNS int LANGUAGE plpgsql AS $$
        DECLARE r record; n int := 0;
        BEGIN
            FOR r IN SELECT * FROM customers LOOP
                IF r.id = i THEN INSERT INTO log VALUES (r.id, 'note') RETURNING id INTO n; END IF;
            END LOOP;
            RETURN n;
        EXCEPTION WHEN division_by_zero THEN DELETE FROM audit; RETURN 0;
        END $$;
    CREATE FUNCTION deep(i int) RETURNS int LANGUAGE sql AS 'SELECT note(i) + note(i + 1)';
    CREATE FUNCTION in_shadow() RETURNS void LANGUAGE sql SET search_path = shadow AS
        'INSERT INTO log VALUES (1, ''s'')';
    CREATE FUNCTION moves() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN PERFORM set_config('search_path', 'shadow, public', true); PERFORM note(1); END $$;
    CREATE FUNCTION atomic(i int) RETURNS int LANGUAGE sql
        BEGIN ATOMIC INSERT INTO audit VALUES ($1); DELETE FROM lines WHERE lines.id = $1; SELECT 1; END;
    CREATE FUNCTION defaulting(i int DEFAULT note(1)) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i';
    CREATE FUNCTION reads_only(i int) RETURNS bigint LANGUAGE plpgsql AS
        'BEGIN RETURN (SELECT count(*) FROM customers WHERE id = i); END';
    CREATE FUNCTION by_cursor() RETURNS int LANGUAGE plpgsql AS $$
        DECLARE c CURSOR (k int) FOR SELECT note(id) FROM orders WHERE id > k; d refcursor; x int; r record;
        BEGIN
            FOR r IN c (0) LOOP r.note := 1; END LOOP;
            OPEN d FOR SELECT atomic(id) FROM lines;
            LOOP FETCH d INTO x; EXIT WHEN NOT FOUND; END LOOP;
            CLOSE d;
            RETURN x;
        END $$;
    CREATE PROCEDURE pair_of(INOUT n int) LANGUAGE plpgsql AS
        'BEGIN CALL one(n); PERFORM note(n); n := n + 1; END';
    CREATE PROCEDURE one(i int) LANGUAGE sql AS 'INSERT INTO audit VALUES (i)';
    CREATE FUNCTION add_up(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + note($2)';
    CREATE AGGREGATE total(int) (SFUNC = add_up, STYPE = int, INITCOND = '0');
    CREATE OPERATOR <+> (FUNCTION = add_up, LEFTARG = int, RIGHTARG = int);
    CREATE FUNCTION holds(i int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN PERFORM note(1); RETURN true; END';
    CREATE DOMAIN held AS int CHECK (holds(VALUE));
    CREATE FUNCTION takes_held(held) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1::int';
    CREATE FUNCTION declares_held() RETURNS int LANGUAGE plpgsql AS
        'DECLARE h held := 5; BEGIN RETURN h; END';
    CREATE TABLE with_default (id int DEFAULT note(1), h held);
    CREATE TABLE with_check (id int CHECK (holds(id)));

    CREATE FUNCTION on_line() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO audit VALUES (coalesce(NEW.id, OLD.id)); RETURN NULL; END';
    CREATE TRIGGER on_line AFTER INSERT OR UPDATE OR DELETE ON lines FOR EACH ROW EXECUTE FUNCTION on_line();
    CREATE FUNCTION on_node() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO log SELECT id, TG_OP FROM gone; RETURN NULL; END';
    CREATE TRIGGER on_node AFTER DELETE ON nodes REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
        EXECUTE FUNCTION on_node();
    CREATE FUNCTION on_day() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO audit VALUES (1); RETURN NEW; END';
    CREATE TRIGGER on_day BEFORE INSERT ON days FOR EACH ROW EXECUTE FUNCTION on_day();
    CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON customers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (holds(NEW.id)) EXECUTE FUNCTION on_line();

    CREATE VIEW names AS SELECT id, name FROM customers WHERE EXISTS (SELECT FROM orders WHERE customer = customers.id);
    CREATE VIEW noting AS SELECT id, note(id) AS n FROM customers;
    CREATE VIEW desk AS SELECT id, what FROM log;
    CREATE RULE file_it AS ON INSERT TO desk DO INSTEAD (INSERT INTO log VALUES (NEW.id, 'rule');
                                                         DELETE FROM lines WHERE id = NEW.id);
    CREATE RULE also AS ON DELETE TO audit WHERE reads_only(1) > 0 DO ALSO INSERT INTO log VALUES (1, 'also');
    CREATE VIEW joined AS SELECT c.id, o.id AS o FROM customers c JOIN orders o ON o.customer = c.id;
    CREATE FUNCTION on_joined() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN UPDATE lines SET parent = NULL WHERE id = NEW.o; RETURN NEW; END';
    CREATE TRIGGER on_joined INSTEAD OF UPDATE ON joined FOR EACH ROW EXECUTE FUNCTION on_joined();
    CREATE TABLE guarded (id int);
    INSERT INTO guarded VALUES (1);
    CREATE POLICY few ON guarded USING (holds(id));
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
)";

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

}  // namespace

TEST_CASE("effects: no table changes that the analysis did not foresee") {
    test::PostgresServer server;
    server.sql(kSchema);
    control::CatalogLoader loader(server.conninfo());
    const auto loaded = loader.load(nullptr);
    REQUIRE(loaded.has_value());
    const auto& catalog = *loaded->catalog;
    sql::AnalysisContext context;
    context.catalog = &catalog;
    context.search_path = {"$user", "public"};
    context.user = "postgres";

    std::size_t changes = 0;
    for (const std::string_view sql : std::vector<std::string_view>{
             "SELECT reads_only(1)",
             "SELECT note(1)",
             "SELECT deep(1)",
             "SELECT in_shadow()",
             "SELECT by_cursor()",
             "SELECT moves()",
             "SELECT atomic(1)",
             "SELECT defaulting()",
             "SELECT total(id) FROM customers",
             "SELECT 1 <+> 1",
             "SELECT 5::held",
             "SELECT takes_held(5)",
             "SELECT declares_held()",
             "SELECT * FROM noting",
             "SELECT * FROM names",
             "CALL pair_of(1)",
             "DO $$DECLARE i int; BEGIN FOR i IN 1..2 LOOP PERFORM atomic(i); END LOOP; END$$",
             "INSERT INTO with_default DEFAULT VALUES",
             "INSERT INTO with_default VALUES (1, 2)",
             "INSERT INTO with_check VALUES (1)",
             "INSERT INTO lines VALUES (3, 1)",
             "INSERT INTO lines VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET parent = 2",
             "MERGE INTO lines USING orders o ON lines.id = o.id WHEN MATCHED THEN DELETE",
             "DELETE FROM customers WHERE id = 1",
             "UPDATE customers SET id = 7 WHERE id = 1",
             "UPDATE customers SET name = 'x'",
             "DELETE FROM orders",
             "UPDATE orders SET id = id + 10",
             "DELETE FROM nodes WHERE id = 1",
             "INSERT INTO days VALUES (4, '2023-02-02')",
             "UPDATE days SET day = '2024-06-01' WHERE id = 3",
             "DELETE FROM days_old",
             "UPDATE base SET id = 2",
             "INSERT INTO child VALUES (2, 2)",
             "UPDATE names SET name = 'y'",
             "INSERT INTO desk VALUES (1, 'x')",
             "DELETE FROM desk",
             "DELETE FROM audit",
             "UPDATE joined SET o = 1",
             "WITH gone AS (DELETE FROM lines RETURNING id) INSERT INTO base SELECT id FROM gone",
             "COPY (SELECT note(1)) TO '/dev/null'",
             "EXPLAIN ANALYZE DELETE FROM lines",
             "SELECT * FROM guarded",
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.effects_reason);
        REQUIRE_FALSE(analysis.effects.everything);
        const auto changed = words_of(server.value(
            "BEGIN; " + std::string(sql) +
            "; SET CONSTRAINTS ALL IMMEDIATE; SELECT string_agg(schemaname || '.' || relname, ' ') FROM "
            "pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"));
        std::vector<std::string> foreseen;
        for (const auto oid : analysis.effects.relations) {
            const auto* relation = catalog.find(oid);
            REQUIRE(relation != nullptr);
            foreseen.push_back(relation->schema + "." + relation->name);
        }
        changes += changed.size();
        for (const auto& table : changed) {
            CAPTURE(table);
            CHECK(std::ranges::find(foreseen, table) != foreseen.end());
        }
    }
    CHECK(changes > 60);
}

#endif
