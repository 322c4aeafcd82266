#include "sql/analysis.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "fake_catalog.h"
#include "sql/statement_scan.h"

using namespace warmfront;
using namespace warmfront::sql;

namespace {

std::string flags(const Analysis& a) {
    std::string set;
    const auto add = [&](bool on, const char* name) {
        if (on) set += (set.empty() ? "" : " ") + std::string(name);
    };
    add(a.changes_settings, "settings");
    add(a.changes_catalog, "catalog");
    add(a.changes_roles, "roles");
    add(a.creates_temp, "temp");
    add(a.prepares_sql, "prepares");
    add(a.discards_statements, "discards");
    return set;
}

}  // namespace

TEST_CASE("analysis: what SQL's PREPARE and EXECUTE name") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    CHECK(analyse("PREPARE p (int, text) AS DELETE FROM t", context).sql_prepare == "p");
    CHECK(analyse("EXECUTE p(1, 'x')", context).sql_execute == "p");
    CHECK(analyse("EXECUTE p(log_it(1))", context).sql_execute.empty());
    CHECK(analyse("EXECUTE p((SELECT id FROM t))", context).sql_execute.empty());
    CHECK(analyse("EXECUTE p; SELECT 1", context).sql_execute.empty());
    CHECK(analyse("SELECT 1; PREPARE p AS SELECT 1", context).sql_prepare.empty());
    CHECK(query_of_prepare("PREPARE \"AS\" /* AS */ (text) AS SELECT 1 AS x") == " SELECT 1 AS x");
    CHECK(query_of_prepare("SELECT 1").empty());
}

TEST_CASE("analysis: class, transaction and flags of every kind of statement") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    using C = QueryClass;
    using T = TransactionEffect;
    struct Row {
        std::string_view sql;
        C query_class;
        T transaction;
        std::string_view flags;
    };
    for (const auto& [sql, query_class, transaction, flagged] : std::vector<Row>{
             {"SELECT * FROM t", C::Read, T::None, ""},
             {"SELECT random()", C::Read, T::None, ""},
             {"SELECT log_it(1)", C::Opaque, T::None, "settings catalog"},
             {"SELECT set_config('a', 'b', true)", C::Read, T::None, "settings"},
             {"SELECT pg_reload_conf()", C::Read, T::None, "roles"},
             {"INSERT INTO t VALUES (1)", C::Write, T::None, ""},
             {"INSERT INTO triggered VALUES (1)", C::Write, T::None, "settings catalog"},
             {"WITH x AS (DELETE FROM t) SELECT 1", C::Write, T::None, ""},
             {"TRUNCATE t", C::Write, T::None, ""},
             {"COPY t FROM STDIN", C::Write, T::None, ""},
             {"COPY t TO STDOUT", C::Read, T::None, ""},
             {"COPY (DELETE FROM t RETURNING *) TO STDOUT", C::Write, T::None, ""},
             {"UPDATE pg_class SET relname = 'x'", C::Write, T::None, "settings catalog roles"},
             {"CREATE TABLE x (i int)", C::Write, T::None, "catalog"},
             {"SELECT 1 INTO x", C::Write, T::None, "catalog"},
             {"CREATE TEMP TABLE x (i int)", C::Session, T::None, "temp"},
             {"GRANT SELECT ON t TO bob", C::Write, T::None, "catalog roles"},
             {"ALTER ROLE bob SET x.y = 1", C::Write, T::None, "catalog roles"},
             {"REFRESH MATERIALIZED VIEW mv", C::Write, T::None, ""},
             {"COMMIT PREPARED 'x'", C::Write, T::None, ""},
             {"BEGIN", C::Transaction, T::Begin, ""},
             {"BEGIN ISOLATION LEVEL SERIALIZABLE", C::Transaction, T::Begin, ""},
             {"COMMIT", C::Transaction, T::End, ""},
             {"ROLLBACK AND CHAIN", C::Transaction, T::End, ""},
             {"PREPARE TRANSACTION 'x'", C::Transaction, T::End, ""},
             {"SAVEPOINT a", C::Transaction, T::None, ""},
             {"ROLLBACK TO a", C::Transaction, T::None, "settings"},
             {"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", C::Transaction, T::Isolation, ""},
             {"SET TRANSACTION READ ONLY", C::Transaction, T::None, ""},
             {"SET transaction_isolation = 'serializable'", C::Session, T::Isolation, "settings"},
             {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE", C::Transaction,
              T::None, "settings"},
             {"SET search_path = x", C::Session, T::None, "settings"},
             {"SET TIME ZONE 'UTC'", C::Session, T::None, "settings"},
             {"RESET ALL", C::Session, T::None, "settings"},
             {"SET ROLE bob", C::Session, T::None, "settings"},
             {"SET application_name = 'x'", C::Session, T::None, ""},
             {"SHOW search_path", C::Session, T::None, ""},
             {"DISCARD ALL", C::Session, T::None, "settings prepares discards"},
             {"PREPARE x AS SELECT log_it(1)", C::Session, T::None, "prepares"},
             {"EXECUTE x", C::Opaque, T::Mixed, "settings catalog prepares"},
             {"DEALLOCATE x", C::Session, T::None, "prepares"},
             {"DEALLOCATE ALL", C::Session, T::None, "prepares discards"},
             {"DECLARE c CURSOR FOR SELECT 1", C::Read, T::None, ""},
             {"FETCH c", C::Read, T::None, ""},
             {"CLOSE c", C::Read, T::None, ""},
             {"EXPLAIN DELETE FROM t", C::Read, T::None, ""},
             {"EXPLAIN ANALYZE DELETE FROM t", C::Write, T::None, ""},
             {"EXPLAIN EXECUTE x", C::Read, T::None, ""},
             {"EXPLAIN ANALYZE EXECUTE x", C::Opaque, T::Mixed, "settings catalog prepares"},
             {"LISTEN a", C::Session, T::None, ""},
             {"LOCK t", C::Session, T::None, ""},
             {"VACUUM", C::Session, T::None, ""},
             {"DO 'BEGIN END'", C::Write, T::Mixed, ""},
             {"DO 'BEGIN EXECUTE x; END'", C::Opaque, T::Mixed, "settings catalog"},
             {"CALL x()", C::Opaque, T::Mixed, "settings catalog"},
             {"not SQL", C::Opaque, T::Mixed, "settings catalog roles temp prepares discards"},
             {"", C::Session, T::None, ""},
             {"BEGIN; SELECT 1; COMMIT", C::Transaction, T::Mixed, ""},
             {"SELECT 1; SELECT 2", C::Read, T::None, ""},
             {"SELECT 1; SET search_path = x; INSERT INTO t VALUES (1)", C::Write, T::None, "settings"},
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, context);
        CHECK(name_of(analysis.query_class) == name_of(query_class));
        CHECK(static_cast<int>(analysis.transaction) == static_cast<int>(transaction));
        CHECK(flags(analysis) == flagged);
    }
}

TEST_CASE("analysis: a read depends on the relations named and those in its views") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    struct Row {
        std::string_view sql, reads;
    };
    for (const auto& [sql, reads] : std::vector<Row>{
             {"SELECT * FROM t", "t"},
             {"SELECT * FROM vv", "t v vv"},
             {"SELECT * FROM v, t, app.t", "t v t"},
             {"SELECT * FROM p", "p"},
             {"SELECT * FROM mv", "mv"},
             {"SELECT * FROM u WHERE id IN (SELECT id FROM base)", "u base"},
             {"SELECT * FROM t; SELECT * FROM u", "t u"},
             {"SELECT 1", ""},
         }) {
        CAPTURE(sql);
        CHECK(test::names_of(analyse(sql, context).reads, catalog) == reads);
    }
}

TEST_CASE("analysis: whoever reads a parent meets every write to its children, and the other way round") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    const auto meets = [&](std::string_view read, std::string_view write) {
        const auto reads = analyse(read, context).reads;
        const auto effects = analyse(write, context).effects;
        return std::ranges::any_of(
            reads, [&](Oid oid) { return std::ranges::binary_search(effects.relations, oid); });
    };
    CHECK(meets("SELECT * FROM base", "INSERT INTO child VALUES (1)"));
    CHECK(meets("SELECT * FROM child", "DELETE FROM base"));
    CHECK(meets("SELECT * FROM p", "INSERT INTO p1 VALUES (1)"));
    CHECK_FALSE(meets("SELECT * FROM p1", "INSERT INTO p2 VALUES (1)"));
    CHECK(meets("SELECT * FROM vv", "INSERT INTO t VALUES (1)"));
    CHECK(meets("SELECT * FROM t", "INSERT INTO v VALUES (1)"));
}

TEST_CASE("analysis: what may last with the session is told") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    for (const auto& [sql, holds] : std::vector<std::pair<std::string_view, bool>>{
             {"LISTEN news", true},
             {"SELECT 1; LISTEN news", true},
             {"SELECT pg_advisory_lock(1)", true},
             {"SELECT * FROM t WHERE pg_catalog.pg_try_advisory_lock_shared(id)", true},
             {"WITH l AS (SELECT pg_advisory_lock(1)) INSERT INTO t SELECT 1", true},
             {"DO 'BEGIN END'", true},
             {"EXECUTE x", true},
             {"what is this", true},
             {"SELECT * FROM t", false},
             {"INSERT INTO t VALUES (1)", false},
             {"SET search_path = app", false},
             {"SELECT set_config('search_path', 'app', false)", false},
             {"BEGIN", false},
             {"", false}}) {
        CAPTURE(sql);
        CHECK(analyse(sql, context).holds_in_session == holds);
    }
}

TEST_CASE("analysis: names and isolation come along") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    CHECK(analyse("DEALLOCATE x", context).deallocates == "x");
    CHECK(analyse("BEGIN ISOLATION LEVEL SERIALIZABLE", context).isolation == Isolation::Serializable);
    CHECK(analyse("SELECT 1 -- warmfront: ttl=5s", context).hint == "ttl=5s");
    CHECK(analyse("SELECT 1; SELECT 2; SELECT 3", context).statements == 3);
    CHECK(analyse("", context).statements == 0);
    CHECK(analyse("DEALLOCATE x; DEALLOCATE y", context).discards_statements);
}

TEST_CASE("analysis: a literal's value changes nothing, since a template stands for all of them") {
    const auto catalog = test::fake_catalog();
    const auto context = test::fake_context(catalog);
    struct Row {
        std::string_view one, other;
    };
    for (const auto& [one, other] : std::vector<Row>{
             {"SELECT * FROM t WHERE id = 1", "SELECT * FROM t WHERE id = 2"},
             {"EXPLAIN (ANALYZE 'off') DELETE FROM t", "EXPLAIN (ANALYZE 'on') DELETE FROM t"},
             {"SET transaction_isolation = 'read committed'", "SET transaction_isolation = 'serializable'"},
             {"SELECT set_config('work_mem', '1', true)", "SELECT set_config('search_path', 'x', false)"},
             {"SELECT 'now'::date FROM t", "SELECT '2020-01-01'::date FROM t"},
         }) {
        CAPTURE(one);
        const auto a = analyse(one, context), b = analyse(other, context);
        CHECK(a.cacheable == b.cacheable);
        CHECK(a.effects.everything == b.effects.everything);
        CHECK(a.effects.relations == b.effects.relations);
        CHECK(a.isolation == b.isolation);
        CHECK(flags(a) == flags(b));
    }
}
