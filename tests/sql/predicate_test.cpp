// What rows a statement looks at and changes, written as EXPLAIN CACHE would: "column=value", ranges as
// "low..high", joined by "&"; "*" is any row; then the columns.
#include "sql/predicate.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/analysis.h"
#include "tests/sql/fake_catalog.h"

using namespace warmfront;
using namespace warmfront::sql;

namespace {

std::string text_of(const ValueSource& source) {
    switch (source.from) {
        case ValueSource::From::Null: return "NULL";
        case ValueSource::From::Parameter:
            return fmt::format("${}{}", source.number, source.repeated ? "!" : "");
        case ValueSource::From::Literal:
            return fmt::format("#{}{}", source.negative ? "-" : "", source.number);
        case ValueSource::From::Constant: return source.text;
    }
    return "?";
}

std::string row_of(const std::vector<ColumnValues>& keys) {
    std::vector<std::string> parts;
    for (const auto& key : keys) {
        std::vector<std::string> values;
        for (const auto& source : key.sources) values.push_back(text_of(source));
        parts.push_back(
            fmt::format("{}={}{}", key.column, key.elements ? "any:" : "", fmt::join(values, "|")));
    }
    return parts.empty() ? "*" : fmt::format("{}", fmt::join(parts, "&"));
}

std::string columns_of(ColumnSet columns) {
    if (columns == ColumnSet::all()) return "all";
    std::string numbers;
    for (int number = 1; number <= 6; ++number) {
        ColumnSet one;
        one.add(number);
        if (columns.intersects(one)) numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", number);
    }
    return numbers.empty() ? "none" : numbers;
}

std::string looked_at(const Analysis& analysis) {
    std::vector<std::string> all;
    for (const auto& footprint : analysis.footprints) {
        std::string rows = row_of(footprint.keys);
        if (footprint.range) {
            const auto& range = *footprint.range;
            rows = fmt::format("{}:{}..{}", range.column, range.low ? text_of(*range.low) : "",
                               range.high ? text_of(*range.high) : "");
        }
        all.push_back(fmt::format("{} {} ({})", static_cast<std::uint32_t>(footprint.relation) - 20000, rows,
                                  columns_of(footprint.columns)));
    }
    return fmt::format("{}", fmt::join(all, "; "));
}

std::string changed(const Analysis& analysis) {
    std::vector<std::string> all;
    for (const auto& change : analysis.changes) {
        std::vector<std::string> images;
        for (const auto& image : change.images) images.push_back(row_of(image));
        all.push_back(fmt::format("{} {} ({})", static_cast<std::uint32_t>(change.relation) - 20000,
                                  fmt::join(images, " / "), columns_of(change.columns)));
    }
    return fmt::format("{}", fmt::join(all, "; "));
}

Catalog catalog_with_columns() {
    Catalog catalog = test::fake_catalog();
    for (auto& relation : catalog.relations) {
        if (relation.name == "u")
            relation.columns = test::columns({{"id", 23}, {"t_id", 20}, {"k", 25}, {"n", 23}});
        if (relation.name == "p") relation.columns = test::columns({{"id", 23}, {"g", 23}});
        if (relation.name == "p1" || relation.name == "p2")
            relation.columns = test::columns({{"g", 23}, {"id", 23}});
        // No row of t goes on to others here.
        if (relation.name == "t") relation.cascades_on_delete.clear();
        if (relation.name == "u") relation.cascades_on_update.clear();
        if (relation.name == "p1") relation.cascades_on_delete.clear();
    }
    catalog.index();
    return catalog;
}

struct World {
    Catalog catalog = catalog_with_columns();
    AnalysisContext context;
    World() {
        context.catalog = &catalog;
        context.search_path = {"public"};
        context.user = "alice";
    }
};

}  // namespace

TEST_CASE("predicate: which rows a query looks at") {
    struct Row {
        std::string_view sql, rows;
    };
    World world;
    for (const auto& [sql, rows] : std::vector<Row>{
             {"SELECT name FROM t WHERE id = $1", "0 1=$1 (1,2)"},
             {"SELECT name FROM t WHERE $1 = id", "0 1=$1 (1,2)"},
             {"SELECT name FROM t WHERE id = $1 AND name = 'x'", "0 1=$1&2=x (1,2)"},
             {"SELECT name FROM t WHERE id = 1 OR id = 2", "0 1=1|2 (1,2)"},
             {"SELECT name FROM t WHERE id = 1 OR name = 'x'", "0 * (1,2)"},
             {"SELECT name FROM t WHERE NOT id = 1", "0 * (1,2)"},
             {"SELECT name FROM t WHERE id IN (1, $2, NULL)", "0 1=1|$2|NULL (1,2)"},
             {"SELECT name FROM t WHERE id NOT IN (1)", "0 * (1,2)"},
             {"SELECT name FROM t WHERE id = ANY ($1)", "0 1=any:$1 (1,2)"},
             {"SELECT name FROM t WHERE id = ANY (ARRAY[1, 2])", "0 1=1|2 (1,2)"},
             {"SELECT name FROM t WHERE id <> ANY ($1)", "0 * (1,2)"},
             {"SELECT name FROM t WHERE (id, name) = ($1, $2)", "0 1=$1&2=$2 (1,2)"},
             {"SELECT name FROM t WHERE id = -5", "0 1=-5 (1,2)"},
             {"SELECT name FROM t WHERE id = $1 + 1", "0 * (1,2)"},
             {"SELECT name FROM t WHERE id = $1 OR name = $1", "0 * (1,2)"},
             {"SELECT name FROM t WHERE id = $1 AND 5 = $1", "0 1=$1! (1,2)"},
             {"SELECT name FROM t WHERE id::text = '1'", "0 * (1,2)"},
             {"SELECT name FROM t WHERE data = '1'", "0 * (2,6)"},
             {"SELECT name FROM t WHERE id BETWEEN 1 AND $1", "0 1:1..$1 (1,2)"},
             {"SELECT name FROM t WHERE id >= 1 AND 9 > id", "0 1:1..9 (1,2)"},
             {"SELECT name FROM t WHERE due < $1", "0 4:..$1 (2,4)"},
             {"SELECT name FROM t WHERE name > 'a'", "0 * (2)"},
             {"SELECT name FROM t WHERE id = 1 AND due < $1", "0 1=1 (1,2,4)"},
             {"SELECT count(*) FROM t", "0 * (none)"},
             {"SELECT * FROM t WHERE id = 1", "0 1=1 (all)"},
             {"SELECT t FROM t WHERE id = 1", "0 1=1 (all)"},
             {"SELECT x.id FROM t x WHERE x.id = 1", "0 1=1 (1)"},
             {"SELECT a FROM t AS x (a, b) WHERE b = 'y'", "0 * (all)"},
             {"SELECT a FROM (t JOIN u ON t.id = u.t_id) AS j (a, b)", "0 * (all); 1 * (all)"},
             {"SELECT tableoid FROM t WHERE id = 1", "0 1=1 (all)"},
             // joins
             {"SELECT t.name FROM t, u WHERE t.id = u.t_id AND t.id = $1", "0 1=$1 (1,2); 1 2=$1 (1,2)"},
             {"SELECT t.name FROM t, u WHERE t.id = u.id AND t.id = $1", "0 1=$1 (1,2); 1 1=$1 (1)"},
             {"SELECT t.name FROM t JOIN u ON t.id = u.id WHERE u.id = $1", "0 1=$1 (1,2); 1 1=$1 (1)"},
             {"SELECT t.name FROM t LEFT JOIN u ON t.id = u.id WHERE t.id = $1", "0 1=$1 (1,2); 1 1=$1 (1)"},
             {"SELECT t.name FROM t LEFT JOIN u ON t.id = u.id AND u.k = 'x'", "0 * (1,2); 1 3=x (1,3)"},
             {"SELECT t.name FROM t LEFT JOIN u ON t.id = u.id AND t.name = 'x'", "0 * (1,2); 1 * (1)"},
             {"SELECT t.name FROM t LEFT JOIN u ON t.id = u.id AND u.id = 7", "0 * (1,2); 1 1=7 (1)"},
             {"SELECT t.name FROM t RIGHT JOIN u ON t.id = u.id AND t.id = 7", "0 1=7 (1,2); 1 * (1)"},
             {"SELECT t.name FROM t FULL JOIN u ON t.id = u.id AND t.id = 7", "0 * (1,2); 1 * (1)"},
             {"SELECT t.name FROM t FULL JOIN u ON t.id = u.id WHERE t.id = 7", "0 1=7 (1,2); 1 * (1)"},
             {"SELECT t.name FROM t JOIN u USING (id) WHERE t.id = 7", "0 * (1,2); 1 * (1)"},
             {"SELECT 1 FROM t NATURAL JOIN u", "0 * (all); 1 * (all)"},
             {"SELECT a.id FROM t a, t b WHERE a.id = 1 AND b.name = 'x'", "0 1=1 (1,2); 0 2=x (1,2)"},
             {"SELECT k FROM t, u WHERE name = 'x' AND k = 'y'", "0 2=x (2); 1 3=y (3)"},
             {"SELECT k FROM t, u WHERE id = 1", "0 * (1); 1 * (1,3)"},
             // nested
             {"SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.n = 3 AND u.id = t.id)",
              "0 * (1); 1 4=3 (1,4)"},
             {"SELECT id FROM t WHERE id IN (SELECT t_id FROM u WHERE k = $1)", "0 * (1); 1 3=$1 (1,2,3)"},
             {"SELECT id FROM (SELECT id FROM t WHERE name = 'x') s WHERE id = 1", "0 2=x (1,2)"},
             {"SELECT id FROM t WHERE id = 1 UNION SELECT id FROM u WHERE k = 'x'", "0 1=1 (1); 1 3=x (1,3)"},
             {"WITH c AS (SELECT id FROM t WHERE name = 'x') SELECT c.id FROM c WHERE c.id = 1",
              "0 2=x (1,2)"},
             {"WITH t AS (SELECT id FROM u WHERE k = 'x') SELECT id FROM t WHERE id = 1", "1 3=x (1,3)"},
             // views
             {"SELECT id FROM v WHERE id = 1", "40 * (all); 0 * (1,2)"},
         }) {
        CAPTURE(sql);
        const auto analysis = analyse(sql, world.context);
        CAPTURE(analysis.refusal.text);
        REQUIRE(analysis.cacheable);
        CHECK(looked_at(analysis) == rows);
    }
}

TEST_CASE("predicate: literals that a template leaves open are told from fixed ones") {
    World world;
    const std::string sql = "SELECT name FROM t WHERE id IN (7, - 8) AND name = 'x' AND note = $tag$y$tag$";
    for (const char* literal : {"7", "8", "'x'"})
        world.context.literal_places.push_back(static_cast<std::uint32_t>(sql.find(literal)));
    CHECK(looked_at(analyse(sql, world.context)) == "0 1=#0|#-1&2=#2&5=y (1,2,5)");
}

TEST_CASE("predicate: which rows a write changes") {
    struct Row {
        std::string_view sql, rows;
    };
    World world;
    for (const auto& [sql, rows] : std::vector<Row>{
             {"UPDATE t SET name = $1 WHERE id = $2", "0 1=$2 / 1=$2&2=$1 (2)"},
             {"UPDATE t SET id = 6 WHERE id = 5", "0 1=5 / 1=6 (1)"},
             {"UPDATE t SET id = id + 1 WHERE id = 5", "0 1=5 / * (1)"},
             {"UPDATE t SET name = 'x'", "0 * / 2=x (2)"},
             {"UPDATE t SET (name, note) = ('a', 'b') WHERE id = 1", "0 1=1 / 1=1 (2,5)"},
             {"UPDATE t AS x SET name = 'x' WHERE x.id = 5", "0 1=5 / 1=5&2=x (2)"},
             {"UPDATE t SET name = u.k FROM u WHERE u.id = t.id AND u.id = 3", "0 1=3 / 1=3 (2)"},
             {"UPDATE t SET name = 'x' FROM u WHERE t.id = 3", "0 1=3 / 1=3&2=x (2)"},
             {"UPDATE t SET name = 'x' WHERE CURRENT OF c", "0 * / 2=x (2)"},
             {"DELETE FROM t WHERE id IN (1, 2)", "0 1=1|2 (all)"},
             {"DELETE FROM t USING u WHERE t.id = u.id AND u.k = 'x'", "0 * (all)"},
             {"DELETE FROM t", "0 * (all)"},
             {"INSERT INTO u VALUES (1, 2, 'x', $1)", "1 1=1&2=2&3=x&4=$1 (all)"},
             {"INSERT INTO u (id, k) VALUES (1, lower('X')), (DEFAULT, 'y')",
              "1 1=1&2=NULL&4=NULL / 2=NULL&3=y&4=NULL (all)"},
             {"INSERT INTO u (id, n) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET n = 6",
              "1 1=1&2=NULL&3=NULL&4=5 / 1=1 / 1=1&4=6 (all)"},
             {"INSERT INTO u (id, k) VALUES (1, 'x') ON CONFLICT (k) DO UPDATE SET n = 6",
              "1 1=1&2=NULL&3=x&4=NULL / * / 4=6 (all)"},
             {"INSERT INTO u (id) VALUES (1) ON CONFLICT ON CONSTRAINT c DO UPDATE SET n = 6", ""},
             {"INSERT INTO u SELECT * FROM t", ""},
             {"UPDATE p SET g = 1 WHERE id = 5",
              "10 1=5 / 1=5&2=1 (all); 11 2=5 / 2=5&1=1 (all); 12 2=5 / 2=5&1=1 (all)"},
             {"UPDATE p1 SET g = 1 WHERE id = 5", "11 2=5 / 2=5&1=1 (1); 10 1=5 / 1=5&2=1 (2)"},
             {"WITH x AS (SELECT 1) UPDATE t SET name = 'x' WHERE id = 1", "0 1=1 / 1=1&2=x (2)"},
             {"WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x", ""},
             {"UPDATE v SET name = 'x' WHERE id = 1", ""},
         }) {
        CAPTURE(sql);
        CHECK(changed(analyse(sql, world.context)) == rows);
    }
}

TEST_CASE("predicate: foreign keys act on the rows that refer to those that are named") {
    struct Row {
        std::string_view name, sql, rows;
        bool sets_default = false, to_itself = false;
    };
    for (const auto& [name, sql, rows, sets_default, to_itself] : std::vector<Row>{
             {"delete", "DELETE FROM t WHERE id = $1", "0 1=$1 (all); 1 2=$1 (all)"},
             {"update of the key", "UPDATE t SET id = 6 WHERE id = 5", "0 1=5 / 1=6 (1); 1 2=5 / 2=6 (all)"},
             {"by another column", "DELETE FROM t WHERE name = 'x'", "0 2=x (all); 1 * (all)"},
             {"default", "DELETE FROM t WHERE id = $1", "0 1=$1 (all); 1 2=$1 / * (all)", true},
             {"a key of the table to itself", "DELETE FROM t WHERE id = $1", "", false, true},
             {"insert", "INSERT INTO t (id) VALUES (1)", "0 1=1&2=NULL&3=NULL&4=NULL&5=NULL (all)"}}) {
        CAPTURE(name);
        World world;
        auto& t = test::relation_named(world.catalog, "t");
        auto& u = test::relation_named(world.catalog, "u");
        t.cascades_on_delete = t.cascades_on_update = {u.oid};
        t.acting_keys = {{u.oid, {{std::int16_t{1}, std::int16_t{2}}}, sets_default}};
        if (to_itself) {
            t.cascades_on_delete.push_back(t.oid);
            t.acting_keys.push_back({t.oid, {{std::int16_t{1}, std::int16_t{5}}}, false});
        }
        CHECK(changed(analyse(sql, world.context)) == rows);
    }
}

TEST_CASE("predicate: an operator of the user's named = leaves any row") {
    World world;
    Operator odd;
    odd.schema = "public";
    odd.name = "=";
    world.catalog.operators.push_back(odd);
    world.catalog.index();
    CHECK(changed(analyse("DELETE FROM t WHERE id = 1", world.context)).empty());
}

TEST_CASE("predicate: a line of COPY is a row") {
    World world;
    const auto analysis = analyse("COPY u (k, id) FROM STDIN", world.context);
    REQUIRE(analysis.copies.size() == 1);
    const auto columns = [&](std::string_view line) {
        std::string all;
        for (const auto& value : image_of_line(analysis.copies.front(), line, true))
            all += fmt::format("{}{}{}", all.empty() ? "" : " ", value.column, value.null ? "=NULL" : "");
        return all;
    };
    CHECK(columns("x\t1") == "1 2=NULL 3 4=NULL");
    CHECK(columns("\\N\t1") == "1 2=NULL 3=NULL 4=NULL");
    CHECK(columns("a\\tb\t1") == "1 2=NULL 4=NULL");
    CHECK(columns("x\tone") == "2=NULL 3 4=NULL");
    CHECK(columns("x").empty());
    CHECK(columns("x\t1\t2").empty());
    CHECK(analyse("COPY u FROM STDIN (FORMAT csv)", world.context).copies.empty());
    CHECK(analyse("COPY u FROM '/tmp/x'", world.context).copies.empty());
    CHECK(analyse("COPY triggered FROM STDIN", world.context).copies.empty());
}
