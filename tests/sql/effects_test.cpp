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
             {"TRUNCATE t CASCADE", "t u w"},
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
             {"DO 'BEGIN END'", ""},
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

namespace {

// Tables audit and log take what triggers and functions write.
struct World {
    Catalog catalog = test::fake_catalog();
    AnalysisContext context;

    World() {
        for (const auto* name : {"audit", "log", "items"}) {
            Relation relation;
            relation.oid = Oid{25000 + static_cast<std::uint32_t>(catalog.relations.size())};
            relation.schema = "public";
            relation.name = name;
            catalog.relations.push_back(std::move(relation));
        }
        catalog.index();
    }
    Function& add(std::string name, std::string language, std::string body) {
        return test::add_function(catalog, std::move(name), std::move(language), std::move(body));
    }
    // A trigger on the table, with its function.
    Trigger& on(std::string_view table, unsigned events, char timing, std::string body) {
        auto& function = add("fires_" + std::to_string(catalog.functions.size()), "plpgsql", std::move(body));
        function.is_trigger = true;
        auto& relation = test::relation_named(catalog, table);
        relation.has_triggers = true;
        relation.triggers.push_back({function.name, function.oid, events, timing, true});
        return relation.triggers.back();
    }
    Analysis analysed(std::string_view sql) {
        catalog.index();
        context = test::fake_context(catalog);
        context.tells_steps = true;
        return analyse(sql, context);
    }
    // "a b", "* reason"
    std::string effects(std::string_view sql) {
        const auto analysis = analysed(sql);
        return analysis.effects.everything ? "* " + analysis.effects_reason
                                           : test::names_of(analysis.effects.relations, catalog);
    }
    std::string indirect(std::string_view sql) { return test::names_of(analysed(sql).indirect, catalog); }
    std::string steps(std::string_view sql) {
        std::string text;
        for (const auto& step : analysed(sql).effect_steps) text += step + "\n";
        return text;
    }
};

}  // namespace

TEST_CASE("effects: a trigger does what its function's body says, when its events come") {
    World world;
    world.on("t", kInsert, 'a', "BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NULL; END");
    world.on("t", kDelete, 'b', "BEGIN PERFORM add_log(1); RETURN OLD; END");
    world.on("t", kTruncate, 'a', "BEGIN DELETE FROM log; RETURN NULL; END");
    world.add("add_log", "sql", "INSERT INTO log VALUES ($1)");
    CHECK(world.effects("INSERT INTO t VALUES (1)") == "t audit");
    CHECK(world.effects("COPY t FROM STDIN") == "t audit");
    CHECK(world.effects("UPDATE t SET id = 1") == "t");
    CHECK(world.effects("DELETE FROM t") == "t u w log");
    CHECK(world.effects("TRUNCATE t") == "t log");
    CHECK(world.effects("MERGE INTO t USING v s ON true WHEN MATCHED THEN DELETE") == "t u w audit log");
    CHECK(world.indirect("INSERT INTO t VALUES (1)") == "audit");
    // of what is written by the way, too
    world.on("w", kUpdate, 'a', "BEGIN UPDATE items SET id = 1; RETURN NULL; END");
    CHECK(world.effects("UPDATE u SET id = 1") == "u w items");
    CHECK(world.indirect("UPDATE u SET id = 1") == "items");
    world.on("items", kUpdate, 'a', "BEGIN EXECUTE 'x'; RETURN NULL; END");
    CHECK(world.effects("UPDATE w SET id = 1").find("* runs public.fires_") == 0);
    CHECK(world.effects("UPDATE w SET id = 1").find("puts SQL text together") != std::string::npos);
    CHECK(world.effects("DELETE FROM w") == "w");
}

TEST_CASE("effects: a trigger may alter the row on its way in, or leave it") {
    World world;
    auto& keeps =
        world.on("t", kInsert | kUpdate, 'b', "BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END");
    CHECK(world.indirect("UPDATE t SET id = 1") == "audit");
    keeps.per_row = false;
    world.on("p1", kUpdate, 'b', "BEGIN NEW.x := 1; RETURN NEW; END");
    CHECK(world.indirect("UPDATE p SET x = 1") == "p p1");
    CHECK(world.indirect("UPDATE p2 SET x = 1") == "");
    CHECK(world.indirect("DELETE FROM p1") == "");
    Function builtin;
    builtin.oid = Oid{3000};
    builtin.schema = "pg_catalog";
    builtin.name = "tsvector_update_trigger";
    builtin.native = builtin.is_trigger = true;
    world.catalog.functions.push_back(builtin);
    auto& table = test::relation_named(world.catalog, "items");
    table.triggers.push_back({"search", Oid{3000}, kInsert | kUpdate, 'b', true});
    CHECK(world.indirect("INSERT INTO items VALUES (1)") == "items");
    world.catalog.functions.back().name = "suppress_redundant_updates_trigger";
    CHECK(world.indirect("INSERT INTO items VALUES (1)") == "");
    CHECK(world.effects("INSERT INTO items VALUES (1)") == "items");
}

TEST_CASE("effects: which relations only the rows that the statement names change") {
    World world;
    world.add("add_log", "sql", "INSERT INTO log VALUES ($1)");
    struct Row {
        std::string_view sql, indirect;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             {"INSERT INTO t VALUES (1)", ""},
             {"UPDATE p SET x = 1", ""},
             {"DELETE FROM t", "w"},  // of those in u the key tells which
             {"DELETE FROM base", ""},
             {"INSERT INTO t SELECT add_log(1)", "log"},
             {"UPDATE v SET id = 1", "t v"},
             {"UPDATE ft SET id = 1", "ft"},
             {"WITH x AS (DELETE FROM items RETURNING *) UPDATE log SET id = 1", "log items"},
             {"WITH x AS (DELETE FROM u RETURNING *) SELECT * FROM x", "u"},
             {"EXPLAIN ANALYZE UPDATE u SET id = 1", "u w"},
             {"TRUNCATE u, items", "u items"},
             {"REFRESH MATERIALIZED VIEW mv", "mv"},
             {"UPDATE u SET id = 1; UPDATE items SET id = 1", "u w items"},
             {"SET search_path = app; UPDATE t SET id = 1", "t t"},
         }) {
        CAPTURE(sql);
        CHECK(world.indirect(sql) == expected);
    }
    // A foreign key of a table to itself.
    test::relation_named(world.catalog, "items").cascades_on_delete = {
        test::relation_named(world.catalog, "items").oid};
    CHECK(world.indirect("DELETE FROM items") == "items");
}

TEST_CASE("effects: functions are followed into their bodies") {
    World world;
    world.add("pure", "plpgsql", "BEGIN RETURN (SELECT count(*) FROM t) + 1; END");
    world.add("add_log", "sql", "INSERT INTO log VALUES ($1)");
    world.add("twice", "plpgsql", "BEGIN PERFORM add_log(1); PERFORM twice(); UPDATE u SET id = 1; END");
    world.add("dynamic", "plpgsql", "BEGIN EXECUTE 'x'; END");
    world.add("python", "plpython3u", "");
    world.add("sets", "plpgsql", "BEGIN SET search_path = app; UPDATE t SET id = 1; END");
    world.add("sets_other", "plpgsql", "BEGIN PERFORM set_config('search_path', 'app', true); END");
    world.add("makes", "sql", "CREATE TABLE x (i int)");
    world.add("makes_temp", "sql", "CREATE TEMP TABLE x AS SELECT 1");
    world.add("writes_nowhere", "sql", "INSERT INTO nowhere VALUES (1)");
    world.add("named", "sql", "INSERT INTO t VALUES (1)").settings = {"search_path=app, pg_temp"};
    auto& definer = world.add("definer", "sql", "INSERT INTO mine VALUES (1)");
    definer.security_definer = true;
    definer.owner = "bob";
    auto& atomic = world.add("atomic", "sql", "BEGIN ATOMIC\n INSERT INTO public.t VALUES (1);\nEND");
    atomic.atomic = true;
    atomic.settings = {"search_path=app"};
    world.add("stable", "sql", "INSERT INTO log VALUES (1)").volatility = 's';
    world.add("defaulting", "sql", "SELECT 1").defaults = "public.add_log(1)";
    auto& stable = world.add("stable_default", "sql", "SELECT 1");
    stable.defaults = "public.add_log(1)";
    stable.volatility = 'i';
    auto& sum = world.add("total", "internal", "");
    sum.kind = 'a';
    sum.support = {world.add("step", "sql", "SELECT add_log(1)").oid};
    world.add("unknown_total", "internal", "").kind = 'a';
    world.catalog.operators.push_back(
        {"public", "<+>", 'v', false, world.add("plus", "sql", "DELETE FROM log").oid});
    const auto check = world.add("checks", "sql", "DELETE FROM log").oid;
    world.catalog.types.push_back({Oid{50002}, "public", "checked", 'd', {check}});
    world.add("takes_checked", "internal", "").volatility = 'i';
    world.catalog.functions.back().argument_types = {Oid{50002}};
    world.add("has_checked", "plpgsql", "DECLARE c public.checked; BEGIN END");
    test::relation_named(world.catalog, "defaulted").called = {check};
    test::relation_named(world.catalog, "policed").called = {check};
    struct Row {
        std::string_view sql, effects;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             {"SELECT pure()", ""},
             {"SELECT pure() FROM items WHERE pure() > 0", ""},
             {"SELECT add_log(1)", "log"},
             {"SELECT twice()", "u w log"},
             {"SELECT dynamic()",
              "* runs public.dynamic(), which puts SQL text together at run time (EXECUTE)"},
             {"SELECT python()", "* runs public.python(), which is written in plpython3u"},
             {"SELECT log_it(1)", "* runs public.log_it(), which has a body that is not known"},
             {"SELECT sets()", "t t"},
             {"SELECT sets_other()", ""},
             {"SELECT sets_other(), twice()", "u w log"},
             {"SELECT makes()", "* changes the catalog"},
             {"SELECT makes_temp()", "* creates a temporary table, whose name may hide others"},
             {"SELECT writes_nowhere()", "* writes nowhere, which the catalog snapshot does not hold"},
             {"SELECT definer()", "mine"},
             {"SELECT stable()", ""},  // PostgreSQL would not let it
             {"SELECT defaulting()", "log"},
             {"SELECT stable_default()", "log"},
             {"SELECT total(id) FROM t", "log"},
             {"SELECT unknown_total(id) FROM t",
              "* calls unknown_total(), an aggregate of which the functions are not known"},
             {"SELECT 1 <+> 2", "log"},
             {"SELECT 'x'::checked", "log"},
             {"SELECT takes_checked('x')", "log"},
             {"SELECT has_checked()", "log"},
             {"INSERT INTO defaulted VALUES (1)", "defaulted log"},
             {"SELECT * FROM policed", "log"},
             {"SELECT named()", "t"},
             {"SELECT atomic()", "t"},
         }) {
        CAPTURE(sql);
        CHECK(world.effects(sql) == expected);
    }
    CHECK(world.analysed("SELECT named()").effects.relations == std::vector{Oid{20080}});   // app.t
    CHECK(world.analysed("SELECT atomic()").effects.relations == std::vector{Oid{20000}});  // public.t
    CHECK(world.analysed("SELECT add_log(1)").query_class == QueryClass::Write);
    CHECK(world.analysed("SELECT pure()").query_class == QueryClass::Read);
    CHECK_FALSE(world.analysed("SELECT add_log(1)").changes_settings);
    CHECK(world.analysed("SELECT sets()").changes_settings);
    CHECK(world.analysed("SELECT dynamic()").changes_settings);
    CHECK(world.analysed("SELECT makes()").changes_catalog);
    world.catalog.has_volatile_casts = true;
    world.catalog.volatile_casts = {check};
    CHECK(world.effects("SELECT 1") == "log");
}

TEST_CASE("effects: names in a body are looked up where its caller's are, if at all") {
    World world;
    world.add("writes_t", "sql", "UPDATE t SET id = 1");
    CHECK(world.effects("SELECT writes_t()") == "t");
    CHECK(world.effects("SET search_path = app; SELECT writes_t()") == "t t");
    world.catalog.index();
    auto context = test::fake_context(world.catalog);
    context.search_path = {"app", "public"};
    CHECK(analyse("SELECT writes_t()", context).effects.relations == std::vector{Oid{20080}});
    // What PL/pgSQL found at its first run, and what an owner may use of the caller's path, may be any of
    // them.
    world.add("code_writes_t", "plpgsql", "BEGIN UPDATE t SET id = 1; END");
    world.add("definer_writes_t", "sql", "UPDATE t SET id = 1").security_definer = true;
    world.add("path_writes_t", "sql", "UPDATE t SET id = 1").settings = {"search_path=app, public"};
    world.catalog.index();
    for (const auto* sql :
         {"SELECT code_writes_t()", "SELECT definer_writes_t()", "SELECT path_writes_t()"}) {
        CAPTURE(sql);
        CHECK(analyse(sql, context).effects.relations.size() == 2);
    }
    context.has_temporary = true;
    CHECK(analyse("SELECT writes_t()", context).effects.everything);
    // A view's names are its own, those of a function that it calls are the caller's.
    test::relation_named(world.catalog, "v_log").view_definition =
        "SELECT public.writes_t() FROM public.items";
    CHECK(world.effects("SELECT * FROM v_log") == "t");
    // "$user" is whoever owns the table that the foreign key belongs to; COMMIT comes with other settings.
    world.on("u", kUpdate | kDelete, 'a', "BEGIN UPDATE t SET id = 1; RETURN NULL; END");
    CHECK(world.effects("DELETE FROM t") == "t u w t");
    CHECK(world.effects("DELETE FROM u") == "t u");
    test::relation_named(world.catalog, "u").triggers.back().deferrable = true;
    CHECK(world.effects("DELETE FROM u") == "t u t");
}

TEST_CASE("effects: of a view, what its INSTEAD OF triggers do") {
    World world;
    world.on("v_instead", kInsert, 'i', "BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END");
    CHECK(world.effects("INSERT INTO v_instead VALUES (1)") == "v_instead log");
    CHECK(world.effects("DELETE FROM v_instead") == "t u w v_instead");
    CHECK(world.indirect("DELETE FROM v_instead") == "t u w v_instead");
}

TEST_CASE("effects: a rule does its actions, the original act or both") {
    World world;
    auto& table = test::relation_named(world.catalog, "ruled");
    table.rules = {
        {"keep", kInsert,
         "CREATE RULE keep AS\n    ON INSERT TO public.ruled\n   WHERE (public.twice(new.id) > 5) DO ALSO "
         " INSERT INTO public.log (id)\n  VALUES (new.id);"},
        {"instead", kDelete,
         "CREATE RULE instead AS\n    ON DELETE TO public.ruled DO INSTEAD ( UPDATE public.u SET id = "
         "old.id;\n DELETE FROM public.items;\n)"},
        {"nothing", kUpdate, "CREATE RULE nothing AS\n    ON UPDATE TO public.ruled DO INSTEAD NOTHING;"}};
    world.add("twice", "sql", "DELETE FROM audit");
    CHECK(world.effects("INSERT INTO ruled VALUES (1)") == "ruled audit log");
    CHECK(world.effects("DELETE FROM ruled") == "u w ruled items");
    CHECK(world.indirect("DELETE FROM ruled") == "u w items");
    CHECK(world.effects("UPDATE ruled SET id = 1") == "ruled");
    test::relation_named(world.catalog, "ruled").rules[0].definition = "CREATE RULE of a later PostgreSQL";
    CHECK(world.effects("INSERT INTO ruled VALUES (1)") == "* rule keep is not understood");
}

TEST_CASE("effects: procedures and DO blocks") {
    World world;
    world.add("proc", "plpgsql", "BEGIN INSERT INTO log VALUES (1); COMMIT; CALL proc2(pure()); END").kind =
        'p';
    world.add("proc2", "sql", "DELETE FROM items").kind = 'p';
    world.add("pure", "sql", "SELECT 1");
    world.add("add_audit", "sql", "INSERT INTO audit VALUES (1)");
    struct Row {
        std::string_view sql, effects;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             {"CALL proc()", "log items"},
             {"CALL public.proc2(add_audit())", "audit items"},
             {"CALL nowhere()", "* calls nowhere(), which the catalog snapshot does not hold"},
             {"CALL add_audit()", "* calls add_audit(), which the catalog snapshot does not hold"},
             {"DO $$BEGIN CALL proc2(); PERFORM add_audit(); END$$", "audit items"},
             {"DO LANGUAGE plpgsql 'BEGIN DELETE FROM log; END'", "log"},
             {"DO $$BEGIN EXECUTE 'x'; END$$",
              "* runs a DO block, which puts SQL text together at run time (EXECUTE)"},
             {"DO LANGUAGE plpython3u 'x'", "* runs a DO block, which is written in plpython3u"},
             {"DO 'BEGIN DO ''BEGIN DELETE FROM log; END''; END'", "log"},
         }) {
        CAPTURE(sql);
        CHECK(world.effects(sql) == expected);
        CHECK(world.analysed(sql).transaction == TransactionEffect::Mixed);
        CHECK(world.analysed(sql).changes_settings == expected.starts_with("*"));
        CHECK(world.analysed(sql).query_class ==
              (expected.starts_with("*") ? QueryClass::Opaque : QueryClass::Write));
        CHECK(analyse(sql, {}).effects.everything);
        CHECK(analyse(sql, {}).changes_settings);
    }
    CHECK(world.effects("DO 'BEGIN SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; END'") ==
          "* runs what a routine seldom runs");
    CHECK(world.effects("DO 'BEGIN SET transaction_isolation = serializable; END'") ==
          "* sets the isolation level");
    CHECK(world.effects("DO 'BEGIN SET LOCAL work_mem = 1; END'").empty());
    CHECK_FALSE(world.analysed("DO 'BEGIN SET LOCAL work_mem = 1; END'").changes_settings);
    CHECK(world.analysed("DO 'BEGIN SET LOCAL datestyle = iso; END'").changes_settings);
}

TEST_CASE("effects: a trigger's transition tables are no relations") {
    World world;
    auto& trigger =
        world.on("t", kInsert, 'a', "BEGIN INSERT INTO audit SELECT id FROM new_rows; RETURN NULL; END");
    CHECK(world.effects("INSERT INTO t VALUES (1)").starts_with("* reads new_rows"));
    test::relation_named(world.catalog, "t").triggers.back().transition_tables = {"new_rows"};
    (void)trigger;
    CHECK(world.effects("INSERT INTO t VALUES (1)") == "t audit");
}

TEST_CASE("effects: without end there is an end") {
    World world;
    for (int i = 0; i < 1200; ++i)
        world.add("f" + std::to_string(i), "sql", "SELECT f" + std::to_string(i + 1) + "()");
    world.add("f1200", "sql", "DELETE FROM log");
    CHECK(world.effects("SELECT f0()") == "* calls nest too deeply");
    CHECK(world.effects("SELECT f1150()") == "log");
    std::string all = "SELECT 1";
    for (int i = 0; i < 1200; ++i) all += ", g" + std::to_string(i) + "()";
    for (int i = 0; i < 1200; ++i) world.add("g" + std::to_string(i), "sql", "SELECT 1");
    CHECK(world.effects(all) == "* calls too many functions");
    world.on("t", kInsert, 'a', "BEGIN INSERT INTO u VALUES (1); RETURN NULL; END");
    world.on("u", kInsert, 'a', "BEGIN INSERT INTO t VALUES (1); RETURN NULL; END");
    CHECK(world.effects("INSERT INTO t VALUES (1)") == "t u");
    CHECK(world.indirect("INSERT INTO t VALUES (1)") == "t u");
}

TEST_CASE("effects: the steps tell what leads to what") {
    World world;
    world.on("t", kUpdate, 'a', "BEGIN PERFORM add_log(1); RETURN NULL; END").name = "audit_t";
    world.add("add_log", "sql", "INSERT INTO log VALUES ($1)");
    world.catalog.functions[world.catalog.functions.size() - 2].name = "audit";
    CHECK(world.steps("UPDATE t SET id = 1") ==
          "UPDATE public.t\n"
          "  trigger audit_t of public.t (AFTER UPDATE) runs public.audit()\n"
          "    calls public.add_log()\n"
          "      INSERT public.log\n");
    CHECK(world.steps("DELETE FROM t") ==
          "DELETE public.t\n"
          "  foreign key of public.u (ON DELETE)\n"
          "    foreign key of public.w (ON UPDATE)\n");
    CHECK(world.steps("UPDATE v SET id = 1") ==
          "UPDATE public.v\n"
          "  through the view: UPDATE public.t\n"
          "    trigger audit_t of public.t (AFTER UPDATE) runs public.audit()\n"
          "      calls public.add_log()\n"
          "        INSERT public.log\n");
    CHECK(world.steps("SELECT log_it(1)") ==
          "calls public.log_it()\n"
          "  everything: runs public.log_it(), which has a body that is not known\n");
    CHECK(world.steps("SELECT * FROM t").empty());
    CHECK(world.analysed("UPDATE many SET id = 1").effect_steps.size() == 101);
    std::string truncate = "TRUNCATE many0";
    for (int i = 1; i < 100; ++i) truncate += ", many" + std::to_string(i);
    CHECK(world.analysed(truncate + ", many, p, t, u, w, items").effect_steps.size() <= 201);
    AnalysisContext silent = test::fake_context(world.catalog);
    CHECK(analyse("UPDATE t SET id = 1", silent).effect_steps.empty());
}
