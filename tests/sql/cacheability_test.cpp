#include "sql/cacheability.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "fake_catalog.h"

using namespace warmfront;
using namespace warmfront::sql;

TEST_CASE("cacheability: a read is kept exactly if nothing but tables, settings and parameters decides it") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    struct Row {
        std::string_view sql, label;
    };  // "": may be kept
    for (const auto& [sql, label] : std::vector<Row>{
             {"SELECT * FROM t", ""},
             {"SELECT t.*, t FROM t WHERE id = $1 ORDER BY name LIMIT 10", ""},
             {"TABLE t", ""},
             {"SELECT id, count(*), max(name) FROM t GROUP BY id HAVING count(*) > 1", ""},
             {"WITH c AS (SELECT * FROM t) SELECT lower(name) FROM c", ""},
             {"SELECT * FROM t WHERE name LIKE 'a%' AND created BETWEEN $1 AND $2", ""},
             {"SELECT * FROM v", ""},
             {"SELECT * FROM vv JOIN app.t USING (id)", ""},
             {"SELECT * FROM mv", ""},
             {"SELECT * FROM mv_log", ""},  // rows of its own
             {"SELECT * FROM unlogged", ""},
             {"SELECT * FROM p", ""},
             {"SELECT * FROM many", ""},  // partitions do not count
             {"SELECT * FROM base", ""},
             {"SELECT * FROM mine", ""},
             {"SELECT current_user, session_user FROM t", ""},
             {"SELECT tableoid FROM t", ""},
             // dates and times
             {"SELECT to_char(created, 'YYYY'), date_trunc('day', created), extract(year FROM due) FROM t",
              ""},
             {"SELECT created::date FROM t", ""},
             {"SELECT date(created), due::timestamp FROM t", ""},
             {"SELECT * FROM t WHERE created > '2020-01-01'::timestamptz", ""},
             {"SELECT created AT TIME ZONE 'UTC' FROM t", ""},
             {"SELECT age(created, due) FROM t", ""},
             {"SELECT age(created) FROM t", "stable_function"},
             {"SELECT note::date FROM t", "text_to_time"},
             {"SELECT nowhere::date FROM t", "text_to_time"},
             {"SELECT (data->>'x')::timestamptz FROM t", "text_to_time"},
             {"SELECT created::date FROM (SELECT note AS created FROM t) s, t", "text_to_time"},
             {"SELECT date(note) FROM t", "text_to_time"},
             {"SELECT * FROM v_text", "text_to_time"},
             {"SELECT to_timestamp(note, 'YYYY') FROM t", ""},
             {"SELECT * FROM t WHERE created > now() - interval '1 day'", "clock"},
             {"SELECT * FROM t WHERE due = current_date", "clock"},
             {"SELECT clock_timestamp() FROM t", "clock"},
             {"SELECT '12:00'::timetz FROM t", "clock"},
             {"SELECT at AT TIME ZONE 'Europe/Berlin' FROM zoned", "clock"},
             {"SELECT at FROM zoned", ""},
             {"SELECT * FROM v_now", "clock"},
             // functions
             {"SELECT random() FROM t", "volatile_function"},
             {"SELECT nextval('seq') FROM t", "volatile_function"},
             {"SELECT pg_advisory_lock(id) FROM t", "volatile_function"},
             {"SELECT query_to_xml('SELECT 1', true, true, '') FROM t", "volatile_function"},
             {"SELECT set_config('a.b', name, false) FROM t", "volatile_function"},
             {"SELECT current_setting('a.b') FROM t", "stable_function"},
             {"SELECT current_schema FROM t", "stable_function"},
             {"SELECT has_table_privilege('t', 'SELECT') FROM t", "stable_function"},
             {"SELECT json_populate_record(NULL::t, data) FROM t", "stable_function"},
             {"SELECT pg_column_size(t) FROM t", "stable_function"},
             {"SELECT t.pg_column_size FROM t", "stable_function"},
             {"SELECT xmlelement(name a) FROM t", ""},
             {"SELECT x.* FROM t, XMLTABLE('/a' PASSING (name::xml) COLUMNS i int) x", ""},
             {"SELECT x.* FROM t, XMLTABLE('/a' PASSING (name::xml) COLUMNS i int, d timestamptz) x",
              "text_to_time"},
             {"SELECT name::xml FROM t", ""},
             {"SELECT jsonb_agg(t), row_to_json(t), format('%s', id), length(name), concat(id, name) FROM t",
              ""},
             {"SELECT log_it(id) FROM t", "user_function"},
             {"SELECT calc(id) FROM t", "user_function"},
             {"SELECT stab(id) FROM t", "user_function"},
             {"SELECT abs(id) FROM t", "user_function"},
             {"SELECT t.full_name FROM t", "user_function"},
             {"SELECT t.name, t.calc FROM t", ""},  // calc takes no row
             {"SELECT replace(name, 'a', 'b') FROM t", ""},
             {"SELECT upper(name) FROM t", ""},
             {"SELECT hidden.upper(name) FROM t", "user_function"},
             {"SELECT uuid_generate_v4() FROM t", "user_function"},
             {"SELECT nowhere(id) FROM t", "unknown_function"},
             {"SELECT * FROM v_log", "user_function"},
             {"SELECT * FROM t, jsonb_array_elements(data)", ""},
             {"SELECT uuid(name), jsonb(name) FROM t", ""},
             // operators, types
             {"SELECT * FROM t WHERE name = 'x'", ""},
             {"SELECT * FROM t WHERE name % 'x'", "user_operator"},
             {"SELECT id @#@ 1 FROM t", "user_operator"},
             {"SELECT name::mood FROM t", ""},
             {"SELECT name::addr FROM t", "user_type"},
             {"SELECT addr(name) FROM t", "user_type"},
             {"SELECT 't'::regclass, id::text FROM t", ""},
             // form
             {"SELECT * FROM t FOR UPDATE", "locks_rows"},
             {"SELECT * FROM (SELECT * FROM t FOR SHARE) s", "locks_rows"},
             {"WITH x AS (DELETE FROM u RETURNING *) SELECT * FROM x, t", "writes"},
             {"SELECT * FROM t TABLESAMPLE system (1)", "sample"},
             {"SELECT ctid FROM t", "system_column"},
             {"SELECT id FROM t WHERE xmin::text = '1'", "system_column"},
             // relations
             {"SELECT 1", "no_table"},
             {"SELECT * FROM unnest(ARRAY[1, 2])", "no_table"},
             {"SELECT * FROM nowhere", "unknown_relation"},
             {"SELECT * FROM app.nowhere", "unknown_relation"},
             {"SELECT * FROM pg_class", "system_catalog"},
             {"SELECT * FROM information_schema.tables", "system_catalog"},
             {"SELECT * FROM v_class", "system_catalog"},
             {"SELECT * FROM pg_temp.x", "temp_table"},
             {"SELECT * FROM pg_temp_3.tt", "temp_table"},
             {"SELECT * FROM ft", "foreign_table"},
             {"SELECT * FROM mixed", "foreign_table"},
             {"SELECT last_value FROM seq", "sequence"},
             {"SELECT * FROM secured", ""},  // no policy: no row
             {"SELECT * FROM owned", ""},
             {"SELECT * FROM tenanted", ""},
             {"SELECT * FROM shared", ""},
             {"SELECT * FROM clocked", "row_security"},
             {"SELECT * FROM named", "row_security"},
             {"SELECT current_setting('app.tenant'), id FROM t", "stable_function"},
             {"SELECT * FROM w", "excluded"},
             {"SELECT * FROM v_new", "unreadable_view"},
             // no SELECT
             {"INSERT INTO t VALUES (1) RETURNING *", "not_a_select"},
             {"EXPLAIN SELECT * FROM t", "not_a_select"},
             {"SHOW work_mem", "not_a_select"},
             {"COPY t TO STDOUT", "not_a_select"},
             {"FETCH c", "not_a_select"},
             {"DECLARE c CURSOR FOR SELECT * FROM t", "not_a_select"},
             {"EXECUTE x", "not_a_select"},
             {"SELECT * INTO x FROM t", "not_a_select"},
             {"", "not_a_select"},
             {"SELECT * FROM t; SELECT * FROM t", "several_statements"},
             {"not SQL", "unparsed"},
             {"SELECT * FROM t /* warmfront: off */", "hint_off"},
             {"SELECT * FROM t /* warmfront: ttl=5s */", ""},
             {"SELECT * FROM t WHERE name = 'warmfront: off'", ""},
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.refusal.text);
        CHECK(analysis.refusal.label == label);
        CHECK(analysis.cacheable == label.empty());
        CHECK(analysis.refusal.text.empty() == label.empty());
        if (!label.empty()) {
            const auto known = refusal_labels();
            CHECK(std::ranges::find(known, analysis.refusal.label) != known.end());
        }
    }
}

TEST_CASE("cacheability: exclusion reaches partitions from their parent and back") {
    const auto catalog = test::fake_catalog();
    auto context = test::fake_context(catalog);
    Choices choices{{{{"", "p"}, false, {}, "tables"}, {{"public", "child"}, false, {}, "tables"}}, {}, {}};
    context.choices = &choices;
    CHECK(analyse("SELECT * FROM p2", context).refusal.label == "excluded");
    CHECK(analyse("SELECT * FROM base", context).refusal.label == "excluded");
    choices.tables = {{{"app", "t"}, false, {}, "tables"}};
    CHECK(analyse("SELECT * FROM t", context).cacheable);
    CHECK_FALSE(analyse("SELECT * FROM app.t", context).cacheable);
}

TEST_CASE("cacheability: a cast that is not immutable makes every answer doubtful") {
    auto catalog = test::fake_catalog();
    catalog.has_unstable_casts = true;
    const auto analysis = analyse("SELECT * FROM t", test::fake_context(catalog));
    CHECK(analysis.refusal.label == "user_cast");
    CHECK(analysis.effects.none());
}

TEST_CASE("cacheability: without a catalog no answer is kept") {
    AnalysisContext context;
    const auto analysis = analyse("SELECT * FROM t", context);
    CHECK_FALSE(analysis.cacheable);
    CHECK(analysis.refusal.label == "catalog_unknown");
}

TEST_CASE("cacheability: at most sixty relations") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    const auto query = [](int tables) {
        std::string sql = "SELECT 1 FROM many0";
        for (int i = 1; i < tables; ++i) sql += ", many" + std::to_string(i);
        return sql;
    };
    CHECK(analyse(query(60), context).cacheable);
    CHECK(analyse(query(60), context).reads.size() == 60);
    CHECK(analyse(query(61), context).refusal.label == "too_many_relations");
}

TEST_CASE("cacheability: a function that only reads is held to the rules of a query") {
    auto catalog = test::fake_catalog();
    struct Made {
        std::string_view name, language, body, label;
        char volatility = 's';
        std::vector<std::string> settings{};
    };
    const std::vector<Made> functions{
        {"plain", "sql", "SELECT name FROM t WHERE id = $1", ""},
        {"immutable", "sql", "SELECT $1 + 1", "", 'i'},
        {"of_view", "sql", "SELECT id FROM vv", ""},
        {"nested", "sql", "SELECT plain(1) FROM u", ""},
        {"itself", "sql", "SELECT itself(1) FROM u", ""},
        {"code", "plpgsql",
         "DECLARE r record; n int := 0; BEGIN FOR r IN SELECT * FROM t LOOP n := n + r.id; END LOOP; "
         "IF n > 5 THEN RAISE EXCEPTION 'x'; END IF; RETURN n; END",
         ""},
        {"in_app", "sql", "SELECT id FROM t", "", 's', {"search_path=app"}},
        {"volatile_one", "sql", "SELECT id FROM t", "user_function", 'v'},
        {"other_setting", "sql", "SELECT id FROM t", "user_function", 's', {"work_mem=1GB"}},
        {"python", "plpython3u", "", "user_function"},
        {"dynamic", "plpgsql", "BEGIN EXECUTE 'SELECT 1'; END", "user_function"},
        {"unreadable", "sql", "SELECT FROM FROM", "user_function"},
        {"writes", "sql", "DELETE FROM u", "user_function"},
        {"writes_in_with", "sql", "WITH x AS (DELETE FROM u RETURNING id) SELECT id FROM x", "user_function"},
        {"locks", "sql", "SELECT id FROM u FOR UPDATE", "user_function"},
        {"sets", "plpgsql", "BEGIN SET search_path = app; RETURN 1; END", "user_function"},
        {"notices", "plpgsql", "BEGIN RAISE NOTICE 'x'; RETURN 1; END", "user_function"},
        {"clock", "sql", "SELECT now()", "user_function"},
        {"keyword", "sql", "SELECT id FROM t WHERE created < CURRENT_TIMESTAMP", "clock"},
        {"word", "sql", "SELECT id FROM t WHERE created < 'today'", "user_function"},
        {"calls_volatile", "sql", "SELECT random()", "volatile_function"},
        {"calls_user", "sql", "SELECT log_it(1)", "user_function"},
        {"calls_unknown", "sql", "SELECT nowhere(1)", "unknown_function"},
        {"reads_setting", "sql", "SELECT current_setting($1)", "stable_function"},
        {"reads_system", "sql", "SELECT relname FROM pg_class", "system_catalog"},
        {"reads_secured", "sql", "SELECT id FROM clocked", "row_security"},
        {"reads_excluded", "sql", "SELECT id FROM w", "excluded"},
        {"reads_unknown", "sql", "SELECT id FROM nowhere", "unknown_relation"},
        {"samples", "sql", "SELECT id FROM u TABLESAMPLE system (1)", "sample"},
        {"text_to_time", "sql", "SELECT note::date FROM t", "text_to_time"},
        {"column_to_time", "sql", "SELECT created::date FROM t", ""},
        {"code_to_time", "plpgsql", "BEGIN RETURN (SELECT created::date FROM t); END", "text_to_time"},
        {"variable", "plpgsql", "DECLARE d date; BEGIN SELECT note INTO d FROM t; RETURN 1; END",
         "user_function"},
        {"row_variable", "plpgsql", "DECLARE r t%ROWTYPE; BEGIN SELECT * INTO r FROM t; RETURN 1; END",
         "user_function"},
        {"field", "plpgsql", "DECLARE r record; BEGIN SELECT due INTO r FROM t; r.due := 'x'; RETURN 1; END",
         "user_function"},
        {"fields_of_new", "plpgsql",
         "DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP RETURN r.id; END LOOP; END", ""},
        {"conflict", "plpgsql", "#variable_conflict use_variable\nBEGIN RETURN 1; END", "user_function"},
        {"cursor", "plpgsql", "DECLARE c CURSOR FOR SELECT 1; BEGIN OPEN c; RETURN c; END", "user_function"},
    };
    for (const auto& made : functions) {
        auto& function = test::add_function(catalog, std::string(made.name), std::string(made.language),
                                            std::string(made.body));
        function.volatility = made.volatility;
        function.settings = made.settings;
        function.result = Oid{25};
    }
    catalog.index();
    const auto context = test::fake_context(catalog);
    for (const auto& made : functions) {
        CAPTURE(made.name);
        const auto analysis = analyse("SELECT " + std::string(made.name) + "(1) FROM t", context);
        CAPTURE(analysis.refusal.text);
        CHECK(analysis.refusal.label == made.label);
        CHECK(analysis.cacheable == made.label.empty());
    }
    const auto reads = [&](std::string_view sql) {
        return test::names_of(analyse(sql, context).reads, catalog);
    };
    CHECK(reads("SELECT plain(1)") == "t");
    CHECK(reads("SELECT plain(1), u.id FROM u") == "t u");
    CHECK(reads("SELECT nested(1)") == "t u");
    CHECK(reads("SELECT of_view(1)") == "t v vv");
    CHECK(reads("SELECT code(1)") == "t");
    CHECK(analyse("SELECT in_app(1)", context).reads == std::vector{Oid{20080}});
    CHECK(analyse("SELECT * FROM code(1)", context).cacheable);
    CHECK(analyse("SELECT immutable(1)", context).refusal.label == "no_table");
    CHECK(analyse("SELECT volatile_one(1)", context).refusal.text.find("is volatile") != std::string::npos);
    // A session goes on with the t that it found at the function's first run.
    auto both = context;
    both.search_path = {"app", "public"};
    CHECK(analyse("SELECT code(1) FROM u", both).refusal.text.find("several schemas") != std::string::npos);
    CHECK(analyse("SELECT plain(1) FROM u", both).cacheable);
}

TEST_CASE("cacheability: of a function's overloads all must pass, and its parameters and owner count") {
    auto catalog = test::fake_catalog();
    const auto add = [&](std::string name, std::string language, std::string body) -> Function& {
        auto& function = test::add_function(catalog, std::move(name), std::move(language), std::move(body));
        function.volatility = 's';
        function.result = Oid{25};
        return function;
    };
    add("twice", "sql", "SELECT id FROM t");
    add("twice", "sql", "SELECT id FROM t").volatility = 'v';
    add("defaulted", "sql", "SELECT id FROM t").defaults = "random()";
    add("clocked", "sql", "SELECT id FROM t").defaults = "now()";
    add("assigns", "plpgsql", "BEGIN a := (SELECT note FROM t); RETURN 1; END").arguments = {"a"};
    catalog.functions.back().argument_types = {Oid{1082}};
    add("assigns_text", "plpgsql", "BEGIN a := (SELECT note FROM t); RETURN 1; END").arguments = {"a"};
    catalog.functions.back().argument_types = {Oid{25}};
    add("takes", "plpgsql", "BEGIN RETURN (SELECT note FROM t WHERE due = a); END").arguments = {"a"};
    catalog.functions.back().argument_types = {Oid{1082}};
    add("gives", "plpgsql", "BEGIN RETURN (SELECT note FROM t); END").result = Oid{1082};
    add("gives_many", "plpgsql", "BEGIN RETURN NEXT (SELECT note FROM t); END").result = Oid{1082};
    catalog.functions.back().returns_set = true;
    add("gives_rows", "plpgsql", "BEGIN RETURN QUERY SELECT * FROM t; END").result = Oid{50003};
    catalog.functions.back().returns_set = true;
    catalog.types.push_back({Oid{50003}, "public", "t", 'c'});
    auto& mine = add("definer", "sql", "SELECT id FROM mine");
    mine.security_definer = true;
    mine.owner = "alice";
    auto& of_row = add("of_row", "sql", "SELECT name FROM u");
    of_row.takes_row = true;
    catalog.index();
    auto context = test::fake_context(catalog);
    context.user = "bob";
    struct Row {
        std::string_view sql, label;
    };
    for (const auto& [sql, label] : std::vector<Row>{
             {"SELECT twice(1) FROM u", "user_function"},
             {"SELECT defaulted() FROM u", "volatile_function"},
             {"SELECT clocked() FROM u", "user_function"},
             {"SELECT assigns(due) FROM t", "user_function"},
             {"SELECT assigns_text(due) FROM t", ""},
             {"SELECT takes(due) FROM t", ""},
             {"SELECT gives() FROM t", "user_function"},
             {"SELECT gives_many() FROM t", "user_function"},
             {"SELECT gives_rows() FROM t", ""},
             {"SELECT definer() FROM u", ""},  // of alice's schema
             {"SELECT t.of_row FROM t", ""},
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, context);
        CAPTURE(analysis.refusal.text);
        CHECK(analysis.refusal.label == label);
    }
    CHECK(test::names_of(analyse("SELECT definer()", context).reads, catalog) == "mine");
    CHECK(test::names_of(analyse("SELECT t.of_row FROM t", context).reads, catalog) == "t u");
}

TEST_CASE("analysis: the steps of reading tell through what a table is read") {
    auto catalog = test::fake_catalog();
    test::add_function(catalog, "plain", "sql", "SELECT name FROM u").volatility = 's';
    test::relation_named(catalog, "secured").policies = {"(EXISTS ( SELECT 1 FROM public.w))"};
    catalog.index();
    auto context = test::fake_context(catalog);
    context.tells_steps = true;
    std::string steps;
    for (const auto& step : analyse("SELECT plain(1) FROM vv, secured", context).read_steps)
        steps += step + "\n";
    CHECK(steps ==
          "view public.vv\n"
          "  view public.v\n"
          "    public.t\n"
          "public.secured\n"
          "  policy of public.secured\n"
          "    public.w\n"
          "function public.plain()\n"
          "  public.u\n");
    context.tells_steps = false;
    CHECK(analyse("SELECT * FROM vv", context).read_steps.empty());
}
