#include "sql/catalog.h"

#include <doctest/doctest.h>

#include "fake_catalog.h"

using namespace warmfront;
using namespace warmfront::sql;

TEST_CASE("catalog: names are found as PostgreSQL finds them") {
    const auto catalog = test::fake_catalog();
    struct Row {
        RelationName name;
        std::vector<std::string> path;
        std::uint32_t oid;
    };
    for (const auto& [name, path, oid] : std::vector<Row>{
             {{"", "t"}, {"public"}, 20000},
             {{"", "t"}, {"app", "public"}, 20080},
             {{"", "t"}, {"nowhere"}, 0},
             {{"", "t"}, {}, 0},
             {{"app", "t"}, {"public"}, 20080},
             {{"", "mine"}, {"$user", "public"}, 20081},
             {{"", "mine"}, {"public"}, 0},
             {{"", "pg_class"}, {"public"}, 1259},
             {{"", "pg_class"}, {"public", "pg_catalog"}, 1259},
             {{"public", "pg_class"}, {"public"}, 0},
             {{"", "T"}, {"public"}, 0},
         }) {
        CAPTURE(name.schema);
        CAPTURE(name.name);
        const auto* found = catalog.find(name, path, "alice");
        CHECK((found == nullptr ? 0U : static_cast<std::uint32_t>(found->oid)) == oid);
    }
    CHECK(catalog.find(Oid{20001})->name == "u");
    CHECK(catalog.find(Oid{1}) == nullptr);
}

TEST_CASE("catalog: an implicit pg_catalog comes first, a named one in its place") {
    Catalog catalog;
    catalog.relations.resize(2);
    catalog.relations[0].oid = Oid{1259};
    catalog.relations[0].schema = "pg_catalog";
    catalog.relations[1].oid = Oid{20000};
    catalog.relations[1].schema = "public";
    for (auto& relation : catalog.relations) relation.name = "x";
    catalog.index();
    CHECK(catalog.find({"", "x"}, {"public"}, "")->schema == "pg_catalog");
    CHECK(catalog.find({"", "x"}, {"public", "pg_catalog"}, "")->schema == "public");
}

TEST_CASE("catalog: of types that share a name the one that is no enum is given") {
    Catalog catalog;
    catalog.types = {
        {Oid{50000}, "a", "mood", 'e'}, {Oid{50001}, "b", "mood", 'd'}, {Oid{50002}, "c", "mood", 'e'}};
    catalog.index();
    CHECK(catalog.type_named("mood")->kind == 'd');
    CHECK(catalog.type_named("x") == nullptr);
}

TEST_CASE("catalog: knows whether any function may write") {
    Catalog catalog;
    Function function;
    function.oid = Oid{20000};
    function.name = "f";
    function.volatility = 's';
    catalog.functions = {function};
    catalog.index();
    CHECK_FALSE(catalog.has_writing_functions());
    catalog.functions.front().volatility = 'v';
    catalog.index();
    CHECK(catalog.has_writing_functions());
    catalog.functions.front().native = true;
    catalog.functions.front().extension = "uuid-ossp";
    catalog.index();
    CHECK_FALSE(catalog.has_writing_functions());
}

TEST_CASE("catalog: search_path is split as PostgreSQL splits it") {
    using Names = std::vector<std::string>;
    struct Row {
        std::string_view setting;
        Names names;
    };
    for (const auto& [setting, names] : std::vector<Row>{
             {"\"$user\", public", {"$user", "public"}},
             {"a,b , C", {"a", "b", "c"}},
             {"\"B c\", \"d\"\"e\"", {"B c", "d\"e"}},
             {"$user", {"$user"}},
             {"", {}},
             {"\"\"", {}},
             {"\"a,b\"", {"a,b"}},
             {"\"open", {"open"}},
         }) {
        CAPTURE(setting);
        CHECK(parse_search_path(setting) == names);
    }
}
