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
             {"SELECT * FROM secured", "row_security"},
             {"SELECT * FROM t JOIN secured USING (id)", "row_security"},
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
