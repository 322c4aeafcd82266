#include "sql/effects.h"

#include <doctest/doctest.h>

#include "fake_catalog.h"

using namespace warmfront;
using namespace warmfront::sql;

namespace {

// The relations' names; "* <reason>" for everything.
std::string effects(std::string_view sql, const Catalog& catalog) {
    const auto analysis = analyse(sql, test::fake_context(catalog));
    if (analysis.effects.everything) {
        CHECK(analysis.effects.relations.empty());
        CHECK_FALSE(analysis.effects_reason.empty());
        return "*";
    }
    CHECK(analysis.effects_reason.empty());
    return test::names_of(analysis.effects.relations, catalog);
}

}  // namespace

TEST_CASE("effects: after a SET in the same string a name may mean any schema's table") {
    const auto catalog = test::fake_catalog();
    CHECK(effects("SET search_path = app; UPDATE t SET id = 1", catalog) == "t t");
    CHECK(effects("SELECT set_config('search_path', 'app', true); DELETE FROM mine", catalog) == "mine");
    CHECK(effects("SET search_path = app; SELECT upper('x')", catalog) == "*");  // hidden.upper() is volatile
    CHECK(effects("SET search_path = app; SELECT * FROM t", catalog).empty());
    CHECK(effects("CREATE TEMP VIEW t AS SELECT 1; SELECT * FROM t", catalog) == "*");
}

TEST_CASE("effects: of a session with temporary objects a name may mean a view that writes") {
    auto catalog = test::fake_catalog();
    auto context = test::fake_context(catalog);
    context.has_temporary = true;
    CHECK(analyse("SELECT * FROM t", context).effects.everything);
    CHECK(analyse("INSERT INTO t VALUES (1)", context).effects.everything);
    CHECK(analyse("SELECT 1", context).effects.none());
    catalog.functions.clear();
    catalog.index();
    CHECK(analyse("SELECT * FROM t", context).effects.none());
}

TEST_CASE("effects: a write reaches what PostgreSQL changes with it, and no more") {
    const auto catalog = test::fake_catalog();
    struct Row {
        std::string_view sql, effects;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             // foreign keys: t <- u (on delete), u <- w (on update), p1 <- w (on delete)
             {"INSERT INTO t VALUES (1)", "t"},
             {"INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x'", "t"},
             {"UPDATE t SET name = 'x'", "t"},
             {"DELETE FROM t", "t u w"},
             {"MERGE INTO t USING v s ON true WHEN MATCHED THEN DELETE", "t u w"},
             {"UPDATE u SET id = 1", "u w"},
             {"DELETE FROM u", "u"},
             {"INSERT INTO u VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2", "u w"},
             {"COPY t FROM STDIN", "t"},
             {"TRUNCATE t", "t"},
             {"TRUNCATE t CASCADE", "*"},
             {"DELETE FROM fk_to_triggered", "*"},
             {"UPDATE fk_to_triggered SET id = 1", "fk_to_triggered"},
             // partitions and inheritance
             {"INSERT INTO p VALUES (1)", "p p1 p2"},
             {"INSERT INTO p2 VALUES (1)", "p p2"},
             {"UPDATE p SET x = 1", "w p p1 p2"},  // moves rows between partitions: a delete for foreign keys
             {"UPDATE p1 SET x = 1", "w p p1"},
             {"DELETE FROM base", "base child"},
             {"DELETE FROM ONLY child", "base child"},
             // views
             {"INSERT INTO v VALUES (1)", "t v"},
             {"DELETE FROM vv", "t u w v vv"},
             {"INSERT INTO v_instead VALUES (1)", "*"},
             {"UPDATE v_new SET id = 1", "*"},
             {"UPDATE v_log SET id = 1", "*"},
             // what cannot be followed
             {"INSERT INTO triggered VALUES (1)", "*"},
             {"INSERT INTO ruled VALUES (1)", "*"},
             {"INSERT INTO defaulted VALUES (1)", "*"},
             {"INSERT INTO nowhere VALUES (1)", "*"},
             {"INSERT INTO tt VALUES (1)", "*"},
             {"UPDATE pg_class SET relname = 'x'", "*"},
             // plainly
             {"INSERT INTO ft VALUES (1)", "ft"},
             {"INSERT INTO app.t SELECT * FROM t", "t"},
             {"INSERT INTO mine SELECT id FROM t", "mine"},
             {"WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "t u w"},
             {"WITH x AS (INSERT INTO base VALUES (1)) INSERT INTO p2 VALUES (2)", "p p2 base child"},
             {"REFRESH MATERIALIZED VIEW mv", "mv"},
             {"REFRESH MATERIALIZED VIEW mv_log", "*"},
             {"REFRESH MATERIALIZED VIEW nowhere", "*"},
             {"EXPLAIN ANALYZE DELETE FROM u", "u"},
             {"EXPLAIN DELETE FROM u", ""},
             {"EXPLAIN (ANALYZE off) DELETE FROM u", ""},
             {"COPY (DELETE FROM u RETURNING *) TO STDOUT", "u"},
             {"PREPARE x AS DELETE FROM u", ""},
             {"EXECUTE x", "*"},
             {"BEGIN; INSERT INTO t VALUES (1); DELETE FROM u; COMMIT", "t u"},
             {"INSERT INTO t VALUES (1); CALL x()", "*"},
             // reads and functions
             {"SELECT * FROM t, v", ""},
             {"SELECT log_it(1)", "*"},
             {"SELECT * FROM v_log", "*"},
             {"SELECT nowhere(1)", "*"},
             {"SELECT hidden.upper('x')", "*"},
             {"SELECT upper('x')", ""},  // hidden is not on the search path
             {"SELECT calc(1), stab(2), uuid_generate_v4()", ""},
             {"SELECT t.touch FROM t", "*"},
             {"SELECT (t).touch FROM t", "*"},
             {"SELECT t.log_it FROM t", ""},  // does not take a row
             {"SELECT a @#@ b FROM t", "*"},
             {"SELECT a % b, c = d FROM t", ""},
             {"SELECT random(), nextval('seq'), pg_notify('a', 'b'), lo_unlink(1), pg_sleep(1)", ""},
             {"SELECT set_config('a', 'b', false)", ""},
             {"SELECT query_to_xml('x', true, true, '')", "*"},
             {"SELECT * FROM v_new", "*"},
             {"SELECT * FROM nowhere", "*"},  // may be a view that calls log_it()
             {"SELECT * FROM policed", "*"},
             {"SELECT * FROM secured", ""},
             {"SELECT uuid('a'), jsonb('b')", ""},
             {"DECLARE c CURSOR FOR SELECT log_it(1)", "*"},
             {"DECLARE c CURSOR FOR SELECT * FROM t", ""},
             {"FETCH ALL FROM c", ""},
             {"CREATE TEMP TABLE x AS SELECT * FROM t", ""},
             {"CREATE TEMP TABLE x AS SELECT log_it(1)", "*"},
             {"SELECT log_it(1) INTO TEMP x", "*"},
             {"CREATE TEMP TABLE x AS EXECUTE p", "*"},
             // the rest
             {"CREATE TABLE x (i int)", "*"},
             {"GRANT SELECT ON t TO bob", "*"},
             {"DO 'BEGIN END'", "*"},
             {"COMMIT PREPARED 'x'", "*"},
             {"ROLLBACK PREPARED 'x'", ""},
             {"COMMIT", ""},
             {"SET search_path = x", ""},
             {"VACUUM t", ""},
             {"LOCK t", ""},
             {"LISTEN x", ""},
             {"not SQL", "*"},
         }) {
        CAPTURE(sql);
        CHECK(effects(sql, catalog) == expected);
    }
}

TEST_CASE("effects: without a writing function in the database, reading the unknown changes nothing") {
    auto catalog = test::fake_catalog();
    std::erase_if(catalog.functions, [](const Function& function) { return !is_builtin(function.oid); });
    catalog.index();
    CHECK(effects("SELECT * FROM nowhere", catalog) == "");
    CHECK(effects("SELECT * FROM v_new", catalog) == "");
    CHECK(effects("INSERT INTO nowhere VALUES (1)", catalog) == "*");
}

TEST_CASE("effects: a volatile cast makes any query a write, an event trigger any DDL") {
    auto catalog = test::fake_catalog();
    catalog.has_volatile_casts = true;
    CHECK(effects("SELECT * FROM t", catalog) == "*");
    CHECK(effects("COMMIT", catalog) == "");
    catalog.has_volatile_casts = false;
    catalog.has_event_triggers = true;
    CHECK(effects("SELECT * FROM t", catalog) == "");
    CHECK(effects("CREATE TEMP TABLE x (i int)", catalog) == "*");
    CHECK(effects("REFRESH MATERIALIZED VIEW mv", catalog) == "*");
}

TEST_CASE("effects: without a catalog every query that names anything may change everything") {
    AnalysisContext context;
    CHECK(analyse("SELECT * FROM t", context).effects.everything);
    CHECK(analyse("INSERT INTO t VALUES (1)", context).effects.everything);
    CHECK(analyse("SELECT f()", context).effects.everything);
    CHECK(analyse("SELECT 1", context).effects.none());
    CHECK(analyse("COMMIT", context).effects.none());
    CHECK(analyse("CREATE TEMP TABLE x (i int)", context).effects.everything);
}

TEST_CASE("effects: cycles of views and foreign keys come to an end") {
    auto catalog = test::fake_catalog();
    for (auto& relation : catalog.relations) {
        if (relation.name == "w") relation.cascades_on_delete = relation.cascades_on_update = {Oid{20000}};
        if (relation.name == "v") relation.view_definition = "SELECT * FROM public.vv";
    }
    catalog.index();
    CHECK(effects("DELETE FROM t", catalog) == "t u w");
    CHECK(effects("DELETE FROM vv", catalog) == "v vv");
    CHECK(effects("SELECT * FROM vv", catalog) == "");
}
