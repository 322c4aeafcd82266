#include "proxy/admin/explain.h"

#include <doctest/doctest.h>

#include "tests/sql/fake_catalog.h"

using namespace warmfront;

static std::string values_of(const admin::Properties& properties, std::string_view name) {
    std::string all;
    for (const auto& [key, value] : properties)
        if (key == name) all += (all.empty() ? "" : " | ") + value;
    return all;
}

TEST_CASE("explain: rows and columns that are looked at and changed") {
    struct Row {
        std::string_view sql, property, value;
    };
    const auto catalog = test::fake_catalog();
    sql::AnalysisContext context;
    context.catalog = &catalog;
    context.search_path = {"public"};
    context.user = "alice";
    for (const auto& [sql, property, value] : std::vector<Row>{
             {"SELECT name FROM t WHERE id = $1", "looks at", "public.t: id = $1 (columns id, name)"},
             {"SELECT * FROM t WHERE id IN (1, 2) AND name = 'x'", "looks at",
              "public.t: id in (1, 2) and name = 'x' (all columns)"},
             {"SELECT count(*) FROM t", "looks at", "public.t: any row (no column)"},
             {"SELECT id FROM t WHERE id = ANY ($1)", "looks at", "public.t: id = any of $1 (column id)"},
             {"SELECT id FROM t WHERE id BETWEEN $1 AND 9", "looks at",
              "public.t: $1 <= id <= 9 (column id)"},
             {"UPDATE t SET note = $1 WHERE id = $2", "changes",
              "public.t: id = $2; id = $2, note = $1 (column note)"},
             {"DELETE FROM w WHERE true", "changes", "public.w: any row (all columns)"},
             {"INSERT INTO t (id, name) VALUES ($1, lower($2))", "changes",
              "public.t: id = $1, created = NULL, due = NULL, note = NULL (all columns)"},
             {"INSERT INTO t (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = 'b'", "changes",
              "public.t: id = 1, name = 'a', created = NULL, due = NULL, note = NULL; id = 1; id = 1, name = "
              "'b' "
              "(all columns)"},
         }) {
        CAPTURE(sql);
        CHECK(values_of(admin::explain(sql::analyse(sql, context), &catalog), property) == value);
    }
}
