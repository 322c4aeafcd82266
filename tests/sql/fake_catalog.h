// tests/sql/fake_catalog.h: a small database with one of everything that the analysis tells apart.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/analysis.h"
#include "sql/catalog.h"
#include "sql/choices.h"

namespace warmfront::test {

// Columns as a table has them, numbered in order; of built-in types.
inline std::vector<sql::Column> columns(const std::vector<std::pair<std::string, std::uint32_t>>& named) {
    std::vector<sql::Column> made;
    for (const auto& [name, type] : named) {
        sql::Column column;
        column.name = name;
        column.type = column.value.oid = sql::Oid{type};
        column.number = static_cast<std::int16_t>(made.size() + 1);
        column.value.kind = sql::kind_of_type(column.type, 'b', "", true);
        column.has_default = false;
        made.push_back(std::move(column));
    }
    return made;
}

// The catalog, indexed. Tables are in schema public but for app.t.
inline sql::Catalog fake_catalog() {
    using sql::Oid;
    sql::Catalog catalog;
    catalog.version = 1;
    const auto add = [&](std::uint32_t oid, std::string schema, std::string name,
                         char kind) -> sql::Relation& {
        sql::Relation relation;
        relation.oid = Oid{oid};
        relation.schema = std::move(schema);
        relation.name = std::move(name);
        relation.kind = kind;
        catalog.relations.push_back(std::move(relation));
        return catalog.relations.back();
    };
    add(20000, "public", "t", 'r').columns =
        columns({{"id", 23}, {"name", 25}, {"created", 1184}, {"due", 1082}, {"note", 25}, {"data", 3802}});
    catalog.relations.back().cascades_on_delete = catalog.relations.back().referenced_by = {Oid{20001}};
    add(20001, "public", "u", 'r').cascades_on_update = {Oid{20002}};
    catalog.relations.back().referenced_by = {Oid{20002}};
    add(20002, "public", "w", 'r');
    add(20010, "public", "p", 'p').children = {Oid{20011}, Oid{20012}};
    add(20011, "public", "p1", 'r').parents = {Oid{20010}};
    catalog.relations.back().cascades_on_delete = {Oid{20002}};
    add(20012, "public", "p2", 'r').parents = {Oid{20010}};
    add(20020, "public", "base", 'r').children = {Oid{20021}};
    add(20021, "public", "child", 'r').parents = {Oid{20020}};
    add(20030, "public", "ft", 'f');
    add(20031, "public", "mixed", 'p').children = {Oid{20032}};
    add(20032, "public", "mixed_f", 'f').parents = {Oid{20031}};
    add(20040, "public", "v", 'v').view_definition = " SELECT t.id, t.name FROM public.t;";
    add(20041, "public", "vv", 'v').view_definition = " SELECT v.id FROM public.v;";
    add(20042, "public", "v_log", 'v').view_definition =
        " SELECT t.id, public.log_it(t.id) AS l FROM public.t;";
    add(20043, "public", "v_new", 'v').view_definition = " SELECT FROM FROM;";
    add(20044, "public", "v_now", 'v').view_definition = " SELECT t.id, now() AS n FROM public.t;";
    add(20045, "public", "v_instead", 'v').view_definition = " SELECT t.id FROM public.t;";
    catalog.relations.back().has_triggers = true;
    add(20046, "public", "v_class", 'v').view_definition = " SELECT pg_class.relname FROM pg_class;";
    add(20047, "public", "v_text", 'v').view_definition = " SELECT (t.note)::date AS d FROM public.t;";
    add(20050, "public", "mv", 'm').view_definition = " SELECT t.id FROM public.t;";
    add(20051, "public", "mv_log", 'm').view_definition = " SELECT public.log_it(t.id) AS l FROM public.t;";
    add(20060, "public", "triggered", 'r').has_triggers = true;
    add(20061, "public", "ruled", 'r').has_rules = true;
    add(20062, "public", "defaulted", 'r').calls_functions = true;
    add(20063, "public", "secured", 'r').row_security = true;
    const auto policy = [&](std::uint32_t oid, std::string name, std::string expression) {
        auto& relation = add(oid, "public", std::move(name), 'r');
        relation.columns = columns({{"id", 23}, {"tenant", 23}, {"owner", 25}});
        relation.row_security = true;
        relation.policies = {std::move(expression)};
    };
    policy(20066, "tenanted", "(tenant = (current_setting('app.tenant'::text))::integer)");
    policy(20067, "owned", "(owner = CURRENT_USER)");
    policy(20068, "shared", "(EXISTS ( SELECT 1 FROM public.u))");
    policy(20069, "clocked", "((id < 5) AND (now() IS NOT NULL))");
    policy(20074, "named", "(owner = current_setting(owner))");
    add(20064, "public", "policed", 'r').row_security = true;
    catalog.relations.back().calls_functions = true;
    add(20065, "public", "fk_to_triggered", 'r').cascades_on_delete = {Oid{20060}};
    add(20070, "public", "seq", 'S');
    add(20071, "pg_temp_3", "tt", 'r').persistence = 't';
    add(20072, "public", "unlogged", 'r').persistence = 'u';
    add(20073, "public", "zoned", 'r').columns = columns({{"at", 1266}});
    add(20080, "app", "t", 'r');
    add(20081, "alice", "mine", 'r');
    add(20090, "public", "many", 'p');
    for (std::uint32_t i = 0; i < 100; ++i) {
        add(30000 + i, "public", "many" + std::to_string(i), 'r').parents = {Oid{20090}};
        for (auto& relation : catalog.relations) {
            if (relation.oid == Oid{20090}) relation.children.push_back(Oid{30000 + i});
        }
    }
    add(1259, "pg_catalog", "pg_class", 'r');
    add(13001, "information_schema", "tables", 'v');

    std::uint32_t builtin = 1000;
    const auto function = [&](std::string name, char volatility) -> sql::Function& {
        sql::Function made;
        made.oid = Oid{builtin++};
        made.schema = "pg_catalog";
        made.name = std::move(name);
        made.volatility = volatility;
        made.native = true;
        catalog.functions.push_back(std::move(made));
        return catalog.functions.back();
    };
    for (const auto* name :
         {"lower", "upper", "count", "max", "min", "sum", "replace", "to_timestamp", "age", "length",
          "timezone", "substring", "btrim", "abs", "unnest", "date", "jsonb_array_elements"})
        function(name, 'i');
    for (const auto* name :
         {"now", "to_char", "date_trunc", "age", "length", "timezone", "jsonb_agg", "row_to_json", "extract",
          "date", "xml", "current_schema", "current_setting", "format", "has_table_privilege", "concat",
          "to_json", "json_populate_record", "timetz"})
        function(name, 's');
    for (const auto* name : {"random", "nextval", "set_config", "pg_reload_conf", "query_to_xml", "pg_notify",
                             "pg_sleep", "pg_advisory_lock", "lo_unlink", "clock_timestamp", "setval"})
        function(name, 'v');
    function("pg_column_size", 's').takes_row = true;
    std::uint32_t user = 40000;
    const auto user_function = [&](std::string name, char volatility) -> sql::Function& {
        auto& made = function(std::move(name), volatility);
        made.oid = Oid{user++};
        made.schema = "public";
        made.native = false;
        return made;
    };
    user_function("log_it", 'v');
    user_function("calc", 'i');
    user_function("stab", 's');
    user_function("full_name", 's').takes_row = true;
    user_function("touch", 'v').takes_row = true;
    auto& uuid = user_function("uuid_generate_v4", 'v');
    uuid.native = true;
    uuid.extension = "uuid-ossp";
    user_function("replace", 'i').extension = "citext";
    user_function("abs", 'i');  // a user's own overload
    user_function("upper", 'v').schema = "hidden";

    catalog.operators = {
        {"public", "=", 'i', true}, {"public", "%", 's', true}, {"public", "@#@", 'v', false}};
    catalog.types = {{Oid{50000}, "public", "mood", 'e'}, {Oid{50001}, "public", "addr", 'd'}};
    catalog.index();
    return catalog;
}

inline sql::AnalysisContext fake_context(const sql::Catalog& catalog) {
    sql::AnalysisContext context;
    context.catalog = &catalog;
    context.search_path = {"$user", "public"};
    context.user = "alice";
    static const sql::Choices kChoices{
        {{{"", "excluded"}, false, {}, "cache.exclude"}, {{"public", "w"}, false, {}, "cache.exclude"}},
        {},
        {}};
    context.choices = &kChoices;
    return context;
}

// A function in schema public that is not indexed yet; oid from 41000 on.
inline sql::Function& add_function(sql::Catalog& catalog, std::string name, std::string language,
                                   std::string body) {
    sql::Function made;
    made.oid = sql::Oid{41000 + static_cast<std::uint32_t>(catalog.functions.size())};
    made.schema = "public";
    made.name = std::move(name);
    made.language = std::move(language);
    made.body = std::move(body);
    made.owner = "owner";
    catalog.functions.push_back(std::move(made));
    return catalog.functions.back();
}

inline sql::Relation& relation_named(sql::Catalog& catalog, std::string_view name) {
    for (auto& relation : catalog.relations) {
        if (relation.name == name) return relation;
    }
    throw std::out_of_range(std::string(name));
}

// "public.t public.u", sorted by oid; what the catalog does not hold by its number.
inline std::string names_of(const std::vector<sql::Oid>& oids, const sql::Catalog& catalog) {
    std::string names;
    for (const auto oid : oids) {
        const auto* relation = catalog.find(oid);
        if (!names.empty()) names += ' ';
        names += relation != nullptr ? relation->name : std::to_string(static_cast<std::uint32_t>(oid));
    }
    return names;
}

}  // namespace warmfront::test
