#include "proxy/control/statement_tables.h"

#include <doctest/doctest.h>

using namespace warmfront::control;
using warmfront::forecast::SeriesName;

TEST_CASE("statement tables: the last word counts, and beyond the bound nothing is known") {
    StatementTables tables;
    SeriesName name{SeriesName::Kind::Template, "shop", "a", {}};
    tables.on_reads(name, {"public.orders"});
    tables.on_reads(name, {"public.orders", "public.users"});
    CHECK(tables.of("shop", "a") == std::vector<std::string>{"public.orders", "public.users"});
    CHECK(tables.of("other", "a").empty());
    for (std::size_t i = 0; i < StatementTables::kStatementsMax; ++i) {
        name.name = std::to_string(i);
        tables.on_reads(name, {"public.orders"});
    }
    CHECK(tables.of("shop", std::to_string(StatementTables::kStatementsMax - 1)).empty());
    CHECK(tables.of("shop", "a").size() == 2);
}
