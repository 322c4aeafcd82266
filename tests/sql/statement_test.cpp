#include "sql/statement.h"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront;
using namespace warmfront::sql;

namespace {

std::string join(const std::vector<std::string>& parts) {
    std::string joined;
    for (const auto& part : parts) joined += (joined.empty() ? "" : " ") + part;
    return joined;
}

std::string dotted(const RelationName& name) {
    return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

std::string reads(const Statement& statement) {
    std::vector<std::string> parts;
    for (const auto& name : statement.reads) parts.push_back(dotted(name));
    return join(parts);
}

// "t(ud)": updates and deletes.
std::string writes(const Statement& statement) {
    std::vector<std::string> parts;
    for (const auto& target : statement.writes)
        parts.push_back(dotted(target.relation) + "(" + (target.updates ? "u" : "") +
                        (target.deletes ? "d" : "") + ")");
    return join(parts);
}

// Calls "f/2", operators "=", fields ".f".
std::string functions(const Statement& statement) {
    std::vector<std::string> parts;
    for (const auto& use : statement.functions) {
        const auto name = dotted({use.schema, use.name});
        switch (use.form) {
            case FunctionUse::Form::Call: parts.push_back(name + "/" + std::to_string(use.arguments)); break;
            case FunctionUse::Form::Operator: parts.push_back(name); break;
            case FunctionUse::Form::Field: parts.push_back("." + name); break;
        }
    }
    return join(parts);
}

std::string flags(const Statement& s) {
    std::vector<std::string> parts;
    const auto add = [&](bool set, const char* name) {
        if (set) parts.emplace_back(name);
    };
    add(s.writes_in_cte, "writes_in_cte");
    add(s.locks_rows, "locks_rows");
    add(s.reads_clock, "clock");
    add(s.reads_role, "role");
    add(s.samples, "samples");
    add(s.system_columns, "system_columns");
    add(s.chain, "chain");
    add(s.is_local, "local");
    add(s.read_only, "read_only");
    add(s.cascade, "cascade");
    add(s.discards_all, "all");
    add(s.casts_other_to_time, "text_to_time");
    return join(parts);
}

Statement only(std::string_view sql) {
    const auto parsed = parse(sql);
    REQUIRE_MESSAGE(parsed.has_value(), sql);
    REQUIRE(parsed->size() == 1);
    return parsed->front();
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("statement: every relation that is read is found, CTE names within their scope are not") {
    struct Row {
        std::string_view sql, reads;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             {"SELECT 1", ""},
             {"SELECT * FROM t", "t"},
             {"TABLE s.t", "s.t"},
             {"SELECT * FROM db.s.t", "s.t"},
             {"SELECT * FROM a, b JOIN c USING (x) LEFT JOIN LATERAL (SELECT * FROM d WHERE d.x = a.x) e ON "
              "true",
              "a b c d"},
             {"SELECT (SELECT max(x) FROM a) + 1, EXISTS (SELECT 1 FROM b), ARRAY(SELECT x FROM c)", "a b c"},
             {"SELECT 1 FROM a WHERE x IN (SELECT x FROM b) AND y > ALL (SELECT y FROM c)", "a b c"},
             {"SELECT x FROM a UNION SELECT x FROM b EXCEPT (SELECT x FROM c INTERSECT SELECT x FROM d)",
              "a b c d"},
             {"SELECT x FROM a ORDER BY (SELECT 1 FROM b) LIMIT (SELECT 2 FROM c) OFFSET (SELECT 1 FROM d)",
              "a b d c"},
             {"SELECT sum(x) FILTER (WHERE x IN (SELECT y FROM b)) OVER (ORDER BY (SELECT 1 FROM c)) FROM a",
              "b c a"},
             {"VALUES (1, (SELECT x FROM a)), (2, 3)", "a"},
             {"SELECT * FROM ROWS FROM (f((SELECT x FROM a)), g(1))", "a"},
             {"SELECT CASE WHEN EXISTS (SELECT 1 FROM a) THEN (SELECT x FROM b) ELSE 1 END", "a b"},
             {"WITH c AS (SELECT * FROM t) SELECT * FROM c", "t"},
             {"WITH t AS (SELECT * FROM t) SELECT * FROM t", "t"},
             {"WITH a AS (SELECT 1), b AS (SELECT * FROM a, x) SELECT * FROM a, b", "x"},
             {"WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b", "b"},
             {"WITH RECURSIVE a AS (SELECT * FROM b UNION SELECT * FROM a), b AS (SELECT * FROM x) SELECT * "
              "FROM a",
              "x"},
             {"SELECT * FROM (WITH c AS (SELECT * FROM t) SELECT * FROM c) q, c", "t c"},
             {"WITH c AS (SELECT 1) SELECT * FROM s.c", "s.c"},
             {"WITH c AS (SELECT 1) SELECT * FROM t WHERE EXISTS (SELECT 1 FROM c)", "t"},
             {"SELECT * FROM a FOR UPDATE OF a", "a"},
             {"INSERT INTO a SELECT * FROM b", "b"},
             {"WITH c AS (SELECT * FROM x) INSERT INTO a SELECT * FROM c", "x"},
             {"UPDATE a SET x = (SELECT y FROM b) FROM c WHERE a.i = c.i RETURNING (SELECT 1 FROM d)",
              "b c d"},
             {"DELETE FROM a USING b WHERE a.i = b.i AND a.x IN (SELECT x FROM c)", "b c"},
             {"MERGE INTO a USING (SELECT * FROM b) s ON a.i = s.i WHEN MATCHED THEN DELETE", "b"},
             {"INSERT INTO a VALUES (1) ON CONFLICT (i) DO UPDATE SET x = (SELECT y FROM b)", "b"},
             {"COPY t TO STDOUT", "t"},
             {"COPY t FROM STDIN WHERE x > 1", ""},
             {"SELECT * FROM \"T x\" AS t", "T x"},
             {"SELECT * FROM XMLTABLE('/a' PASSING (SELECT x FROM b) COLUMNS c int)", "b"},
             {"SELECT * FROM t TABLESAMPLE system (1)", "t"},
             {"SELECT a[(SELECT i FROM b)] FROM c", "b c"},
             {"SELECT GREATEST(1, (SELECT x FROM a)), COALESCE((SELECT x FROM b), 1), ROW((SELECT 1 FROM c))",
              "a b c"},
         }) {
        CAPTURE(sql);
        CHECK(reads(only(sql)) == expected);
    }
}

TEST_CASE("statement: kinds, targets and flags are read off the tree") {
    using K = StatementKind;
    struct Row {
        std::string_view sql;
        K kind;
        std::string_view writes, flags;
    };
    for (const auto& [sql, kind, written, flagged] : std::vector<Row>{
             {"SELECT 1", K::Select, "", ""},
             {"VALUES (1)", K::Select, "", ""},
             {"SELECT 1 INTO x", K::Ddl, "", ""},
             {"SELECT 1 INTO TEMP x", K::CreateTemp, "", ""},
             {"SELECT 1 INTO x UNION SELECT 2", K::Ddl, "", ""},
             {"SELECT * FROM t FOR NO KEY UPDATE", K::Select, "", "locks_rows"},
             {"SELECT * FROM (SELECT * FROM t FOR SHARE) q", K::Select, "", "locks_rows"},
             {"SELECT current_timestamp(3)", K::Select, "", "clock"},
             {"SELECT localtime", K::Select, "", "clock"},
             {"SELECT current_date + 1 FROM t", K::Select, "", "clock"},
             {"SELECT current_user, current_catalog", K::Select, "", "role"},
             {"SELECT * FROM t TABLESAMPLE bernoulli (10)", K::Select, "", "samples"},
             {"SELECT ctid FROM t", K::Select, "", "system_columns"},
             {"SELECT 1 FROM t ORDER BY t.xmin::text", K::Select, "", "system_columns"},
             {"SELECT tableoid FROM t", K::Select, "", ""},
             {"INSERT INTO t VALUES (1)", K::Insert, "t()", ""},
             {"INSERT INTO s.t VALUES (1) ON CONFLICT DO NOTHING", K::Insert, "s.t()", ""},
             {"INSERT INTO t VALUES (1) ON CONFLICT (i) DO UPDATE SET x = 1", K::Insert, "t(u)", ""},
             {"UPDATE ONLY t SET x = 1", K::Update, "t(u)", ""},
             {"DELETE FROM t", K::Delete, "t(d)", ""},
             {"MERGE INTO t USING s ON true WHEN NOT MATCHED THEN DO NOTHING", K::Merge, "t(ud)", ""},
             {"WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", K::Select, "t(d)", "writes_in_cte"},
             {"WITH x AS (INSERT INTO u VALUES (1)) UPDATE t SET x = 1", K::Update, "u() t(u)",
              "writes_in_cte"},
             {"WITH x AS (SELECT 1) DELETE FROM t", K::Delete, "t(d)", ""},
             {"TRUNCATE a, b CASCADE", K::Truncate, "a() b()", "cascade"},
             {"TRUNCATE a RESTART IDENTITY", K::Truncate, "a()", ""},
             {"COPY t (a, b) FROM STDIN", K::CopyFrom, "t()", ""},
             {"COPY t FROM PROGRAM 'cat x'", K::CopyFrom, "t()", ""},
             {"COPY t TO '/tmp/x'", K::CopyTo, "", ""},
             {"COPY (SELECT 1) TO STDOUT", K::CopyTo, "", ""},
             {"BEGIN", K::Begin, "", ""},
             {"START TRANSACTION READ ONLY", K::Begin, "", "read_only"},
             {"COMMIT AND CHAIN", K::Commit, "", "chain"},
             {"END", K::Commit, "", ""},
             {"ABORT", K::Rollback, "", ""},
             {"SAVEPOINT a", K::Savepoint, "", ""},
             {"RELEASE a", K::ReleaseSavepoint, "", ""},
             {"ROLLBACK TO a", K::RollbackToSavepoint, "", ""},
             {"PREPARE TRANSACTION 'x'", K::PrepareTransaction, "", ""},
             {"COMMIT PREPARED 'x'", K::CommitPrepared, "", ""},
             {"ROLLBACK PREPARED 'x'", K::RollbackPrepared, "", ""},
             {"SET TRANSACTION READ ONLY", K::SetTransaction, "", "read_only"},
             {"SET LOCAL x.y TO 1", K::Set, "", "local"},
             {"RESET ALL", K::Set, "", ""},
             {"SET ROLE bob", K::Set, "", ""},
             {"SHOW ALL", K::Show, "", ""},
             {"DISCARD ALL", K::Discard, "", "all"},
             {"DISCARD PLANS", K::Discard, "", ""},
             {"PREPARE p AS SELECT 1", K::PrepareStatement, "", ""},
             {"EXECUTE p(1)", K::ExecuteStatement, "", ""},
             {"DEALLOCATE p", K::Deallocate, "", ""},
             {"DEALLOCATE ALL", K::Deallocate, "", "all"},
             {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", K::DeclareCursor, "", ""},
             {"FETCH 10 FROM c", K::Fetch, "", ""},
             {"MOVE c", K::Fetch, "", ""},
             {"CLOSE ALL", K::CloseCursor, "", ""},
             {"EXPLAIN SELECT 1", K::Explain, "", ""},
             {"EXPLAIN VERBOSE DELETE FROM t", K::Explain, "", ""},
             {"EXPLAIN ANALYZE DELETE FROM t", K::ExplainAnalyze, "", ""},
             {"EXPLAIN (COSTS off, ANALYZE) SELECT 1", K::ExplainAnalyze, "", ""},
             {"EXPLAIN (ANALYZE true) SELECT 1", K::ExplainAnalyze, "", ""},
             {"EXPLAIN (ANALYZE  OFF, BUFFERS) SELECT 1", K::Explain, "", ""},
             {"EXPLAIN (FORMAT json, analyze False) SELECT 1", K::Explain, "", ""},
             {"EXPLAIN (ANALYZE 'off') SELECT 1", K::ExplainAnalyze, "", ""},  // a template holds no literals
             {"EXPLAIN (ANALYZE 0) SELECT 1", K::ExplainAnalyze, "", ""},
             {"LISTEN a", K::Listen, "", ""},
             {"UNLISTEN *", K::Listen, "", ""},
             {"NOTIFY a, 'x'", K::Notify, "", ""},
             {"LOCK TABLE t IN SHARE MODE", K::Lock, "", ""},
             {"SET CONSTRAINTS ALL DEFERRED", K::SetConstraints, "", ""},
             {"VACUUM FULL t", K::Maintenance, "", ""},
             {"ANALYZE t", K::Maintenance, "", ""},
             {"REINDEX TABLE t", K::Maintenance, "", ""},
             {"CLUSTER t", K::Maintenance, "", ""},
             {"CHECKPOINT", K::Maintenance, "", ""},
             {"LOAD 'x'", K::Maintenance, "", ""},
             {"CREATE TEMP TABLE x (i int)", K::CreateTemp, "", ""},
             {"CREATE TABLE pg_temp.x (i int)", K::CreateTemp, "", ""},
             {"CREATE TEMP VIEW x AS SELECT 1", K::CreateTemp, "", ""},
             {"CREATE TEMP SEQUENCE x", K::CreateTemp, "", ""},
             {"CREATE TEMP TABLE x AS SELECT 1", K::CreateTemp, "", ""},
             {"CREATE UNLOGGED TABLE x (i int)", K::Ddl, "", ""},
             {"CREATE TABLE x AS EXECUTE p", K::Ddl, "", ""},
             {"REFRESH MATERIALIZED VIEW CONCURRENTLY mv", K::Refresh, "mv()", ""},
             {"GRANT SELECT ON t TO bob", K::RoleChange, "", ""},
             {"REVOKE a FROM b", K::RoleChange, "", ""},
             {"ALTER ROLE bob SET search_path = x", K::RoleChange, "", ""},
             {"ALTER DATABASE d SET x.y = 1", K::RoleChange, "", ""},
             {"ALTER DATABASE d RENAME TO e", K::RoleChange, "", ""},
             {"ALTER SYSTEM SET work_mem = '1GB'", K::RoleChange, "", ""},
             {"DROP OWNED BY bob", K::RoleChange, "", ""},
             {"ALTER TABLE t RENAME TO x", K::Ddl, "", ""},
             {"ALTER TABLE t OWNER TO bob", K::Ddl, "", ""},
             {"CREATE INDEX ON t (x)", K::Ddl, "", ""},
             {"DROP TABLE t", K::Ddl, "", ""},
             {"ALTER TYPE mood ADD VALUE 'x'", K::Ddl, "", ""},
             {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", K::Ddl, "", ""},
             {"IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", K::Ddl, "", ""},
             {"DO 'BEGIN END'", K::Do, "", ""},
             {"CALL p(1)", K::Call, "", ""},
         }) {
        CAPTURE(sql);
        const auto statement = only(sql);
        CHECK(statement.kind == kind);
        CHECK(writes(statement) == written);
        CHECK(flags(statement) == flagged);
    }
}

TEST_CASE("statement: isolation levels are those of the words") {
    struct Row {
        std::string_view sql;
        Isolation isolation;
    };
    for (const auto& [sql, isolation] : std::vector<Row>{
             {"BEGIN", Isolation::Default},
             {"BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", Isolation::Serializable},
             {"START TRANSACTION ISOLATION LEVEL REPEATABLE READ", Isolation::RepeatableRead},
             {"BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED", Isolation::ReadCommitted},
             {"SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", Isolation::ReadUncommitted},
             {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
              Isolation::Serializable},
             {"SET TRANSACTION SNAPSHOT 'x'", Isolation::RepeatableRead},
             {"SET transaction_isolation = 'read committed'",
              Isolation::Serializable},  // the value is not looked at
         }) {
        CAPTURE(sql);
        CHECK(only(sql).isolation == isolation);
    }
}

TEST_CASE("statement: functions, operators and fields that may be functions are all found") {
    struct Row {
        std::string_view sql, functions;
    };
    for (const auto& [sql, expected] : std::vector<Row>{
             {"SELECT lower(a), s.f(1, 2), count(*) FROM t", "lower/1 s.f/2 count/0"},
             {"SELECT f(VARIADIC a)", "f/-1"},
             {"SELECT a = 1 AND b LIKE 'x' OR c IS DISTINCT FROM d", "= ~~"},
             {"SELECT a OPERATOR(s.+) b", "s.+"},
             {"SELECT a BETWEEN 1 AND 2", "< <= > >="},
             {"SELECT a IN (1, 2), b NOT IN (SELECT 1), c = ANY (ARRAY[1])", "= "},
             {"SELECT NULLIF(a, b), CASE a WHEN 1 THEN 2 END", "="},
             {"SELECT * FROM a NATURAL JOIN b", "="},
             {"SELECT a FROM t ORDER BY a USING >", ">"},
             {"SELECT t.a, (x).b, (f(1)).c FROM t", ".a .b .c f/1"},
             {"SELECT current_schema", "pg_catalog.current_schema/0"},
             {"SELECT extract(year FROM a), a AT TIME ZONE 'UTC'",
              "pg_catalog.extract/2 pg_catalog.timezone/2"},
             {"SELECT * FROM f(1) WITH ORDINALITY", "f/1"},
             {"SELECT sum(g(a)) FILTER (WHERE h(b)) OVER (PARTITION BY i(c)) FROM t", "sum/1 g/1 h/1 i/1"},
             {"SELECT xmlelement(name a, f(1))", "f/1"},
             {"INSERT INTO t VALUES (f(1)) RETURNING g(2)", "f/1 g/1"},
         }) {
        CAPTURE(sql);
        auto found = functions(only(sql));
        if (expected.ends_with(' ')) found += ' ';
        CHECK(found == expected);
    }
}

TEST_CASE("statement: casts to dates are told apart by what they cast") {
    struct Row {
        std::string_view sql, columns;
        bool other;
    };
    for (const auto& [sql, columns, other] : std::vector<Row>{
             {"SELECT '2020-01-01'::date, $1::timestamptz, CAST($2::text AS date)", "", false},
             {"SELECT created::date, t.due::timestamp FROM t", "created due", false},
             {"SELECT date(created) FROM t", "created", false},
             {"SELECT (data->>'x')::timestamptz FROM t", "", true},
             {"SELECT (created + interval '1 day')::date FROM t", "", false},
             {"SELECT (a || b)::date FROM t", "", true},
             {"SELECT max(created)::date, date_trunc('day', x)::date FROM t", "created", false},
             {"SELECT lower(x)::date FROM t", "", true},
             {"SELECT COALESCE(a, b, '2020-01-01')::date FROM t", "a b", false},
             {"SELECT (CASE WHEN x THEN a ELSE b::text END)::date FROM t", "a", true},
             {"SELECT a::timestamptz[] FROM t", "a", false},
             {"SELECT (SELECT a)::date FROM t", "", true},
             {"SELECT a::int, b::text FROM t", "", false},
         }) {
        CAPTURE(sql);
        const auto statement = only(sql);
        CHECK(join(statement.columns_cast_to_time) == columns);
        CHECK(statement.casts_other_to_time == other);
    }
}

TEST_CASE("statement: inner queries are kept apart") {
    const auto explained = only("EXPLAIN ANALYZE UPDATE t SET x = f(1)");
    CHECK(explained.writes.empty());
    CHECK(explained.functions.empty());
    REQUIRE(explained.inner.size() == 1);
    CHECK(writes(explained.inner.front()) == "t(u)");
    const auto declared = only("DECLARE c CURSOR FOR SELECT * FROM t");
    CHECK(declared.name == "c");
    CHECK(reads(declared.inner.at(0)) == "t");
    CHECK(reads(only("COPY (SELECT * FROM t) TO STDOUT").inner.at(0)) == "t");
    CHECK(only("PREPARE p AS INSERT INTO t VALUES (1)").inner.at(0).kind == StatementKind::Insert);
    CHECK(only("CREATE TEMP TABLE x AS SELECT f(1)").inner.at(0).functions.size() == 1);
}

TEST_CASE("statement: a string of several statements gives them in order, an empty one none") {
    const auto parsed = parse("BEGIN; ; SELECT 1; COMMIT;");
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->size() == 3);
    CHECK(parsed->at(0).kind == StatementKind::Begin);
    CHECK(parsed->at(2).kind == StatementKind::Commit);
    CHECK(parse("")->empty());
    CHECK(parse("  -- nothing\n ; ")->empty());
}

TEST_CASE("statement: what cannot be parsed within bounds is an error, and nothing deeper ends the process") {
    struct Row {
        std::string name, sql;
        std::string_view sqlstate;
    };
    for (const auto& [name, sql, sqlstate] : std::vector<Row>{
             {"not SQL", "SELEKT 1", "42601"},
             {"lexer error", "SELECT 'abc", "42601"},
             {"zero byte", std::string("SELECT 1\0", 9), "42601"},
             {"too long", "SELECT '" + std::string(kStatementBytesMax, 'x') + "'", "54001"},
             {"plus", "SELECT 1" + repeated("+1", 100'000), "54001"},
             {"minus", "SELECT " + repeated("- ", 100'000) + "1", "54001"},
             {"not", "SELECT " + repeated("NOT ", 100'000) + "true", "54001"},
             {"parentheses", "SELECT " + repeated("(", 50'000) + "1" + repeated(")", 50'000), "54001"},
             {"subqueries", "SELECT " + repeated("(SELECT ", 2'000) + "1" + repeated(")", 2'000), "54001"},
             {"unions with commas", "SELECT 1,1" + repeated(" UNION SELECT 1,1", 20'000), "54001"},
             {"joins with OR", "SELECT 1 FROM a" + repeated(" JOIN a ON x OR y", 20'000), "54001"},
             {"between", "SELECT 1" + repeated(" BETWEEN 1 AND NOT 1", 20'000), "54001"},
             {"nested case", "SELECT " + repeated("CASE WHEN 1 OR ", 20'000), "54001"},
             {"casts", "SELECT 1" + repeated("::int", 100'000), "54001"},
         }) {
        CAPTURE(name);
        const auto parsed = parse(sql);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().sqlstate == sqlstate);
    }
}

TEST_CASE("statement: long but shallow statements are parsed") {
    struct Row {
        std::string name, sql;
    };
    for (const auto& [name, sql] : std::vector<Row>{
             {"rows", "INSERT INTO t VALUES (1,'a')" + repeated(",(1,'a')", 5'000)},
             {"in list", "SELECT 1 FROM t WHERE i IN (1" + repeated(",1", 20'000) + ")"},
             {"or", "SELECT 1 FROM t WHERE false" + repeated(" OR (a = 1 AND b = 2)", 2'000)},
             {"and", "SELECT 1 FROM t WHERE true" + repeated(" AND a = 1", 2'000)},
             {"between", "SELECT 1 FROM t WHERE true" + repeated(" AND a BETWEEN 1 AND 2", 100)},
             {"nested to the bound", "SELECT " + repeated("(SELECT ", 490) + "1" + repeated(")", 490)},
         }) {
        CAPTURE(name);
        CHECK(parse(sql).has_value());
    }
}

TEST_CASE("statement: a hint is a comment that begins with warmfront:, and nothing else") {
    struct Row {
        std::string_view sql, hint;
    };
    for (const auto& [sql, hint] : std::vector<Row>{
             {"/* warmfront: off */ SELECT 1", "off"},
             {"SELECT 1 -- warmfront: ttl=5s", "ttl=5s"},
             {"SELECT 1 /*warmfront:off*/", "off"},
             {"SELECT '/* warmfront: off */'", ""},
             {"SELECT $$-- warmfront: off$$", ""},
             {"SELECT \"-- warmfront: off\"", ""},
             {"SELECT 1 -- not warmfront: off", ""},
             {"/* a */ -- warmfront: x\nSELECT 1 /* warmfront: y */", "x"},
             {"SELECT 1 /* warmfront: */", ""},
             {"SELECT 1", ""},
             {"SELECT ' /* warmfront: off */", ""},
         }) {
        CAPTURE(sql);
        CHECK(hint_in(sql) == hint);
    }
}
