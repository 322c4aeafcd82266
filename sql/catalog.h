// sql/catalog.h: a snapshot of one database's catalog, as plain data with look-ups.
//
// Filled by proxy/control/catalog_loader, immutable once shared (std::shared_ptr<const Catalog>), so any thread may
// read it. Names are as in the catalog (folded, unquoted).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/names.h"

namespace warmfront::sql {

struct Relation {
    Oid oid{};
    std::string schema;
    std::string name;
    char kind = 'r';         // pg_class.relkind: r p v m f S i ...
    char persistence = 'p';  // pg_class.relpersistence: p u t
    bool row_security = false;
    bool has_triggers = false;  // user triggers (pg_trigger.tgisinternal false), INSTEAD OF among them
    bool has_rules = false;     // rules other than a view's _RETURN
    bool calls_functions = false;  // a default, generated column, check or policy calls a function that is not built in
    std::string view_definition;   // pg_get_viewdef with everything qualified; of kinds v and m
    std::vector<Oid> parents;      // inheritance and partitioning, direct
    std::vector<Oid> children;
    std::vector<Oid> cascades_to;  // tables whose foreign keys to this one act on DELETE or UPDATE (not NO ACTION, RESTRICT)
};

struct Function {
    Oid oid{};
    std::string schema;
    std::string name;
    char volatility = 'v';  // pg_proc.provolatile: i s v
    char kind = 'f';        // pg_proc.prokind: f p a w
};

struct Operator {  // only those that are not built in
    std::string schema;
    std::string name;
};

struct Type {  // only those that are not built in
    Oid oid{};
    std::string schema;
    std::string name;
    char kind = 'b';  // pg_type.typtype: b c d e p r m
};

class Catalog {
public:
    std::uint64_t version = 0;  // grows with every snapshot that differs from the one before
    std::string fingerprint;    // what the loader compares to see whether anything changed
    std::vector<Relation> relations;
    std::vector<Function> functions;
    std::vector<Operator> operators;
    std::vector<Type> types;
    bool has_volatile_casts = false;  // a user-defined cast runs a volatile function: no query is safe from it

    // Builds the look-ups below; call once after filling the vectors.
    void index();

    [[nodiscard]] const Relation* find(Oid oid) const;
    // With a schema: that one. Without: pg_catalog first unless the path names it, then the path's schemas in order.
    // "$user" in the path stands for user. nullptr if there is none.
    [[nodiscard]] const Relation* find(const RelationName& name, const std::vector<std::string>& search_path,
                                       std::string_view user) const;
    // Every function of that name (in that schema if given, else in any schema).
    [[nodiscard]] std::vector<const Function*> functions_named(std::string_view schema, std::string_view name) const;
    [[nodiscard]] bool has_operator_named(std::string_view name) const;
    [[nodiscard]] const Type* type_named(std::string_view name) const;  // in any schema

private:
    std::unordered_map<std::uint32_t, std::size_t> relation_by_oid_;
    std::unordered_map<std::string, std::vector<std::size_t>> relations_by_name_;
    std::unordered_map<std::string, std::vector<std::size_t>> functions_by_name_;
    std::unordered_map<std::string, std::size_t> operators_by_name_;
    std::unordered_map<std::string, std::size_t> types_by_name_;
};

// "a, \"B c\", $user" to {a, B c, $user}: the text of the search_path setting to schema names.
[[nodiscard]] std::vector<std::string> parse_search_path(std::string_view setting);

}  // namespace warmfront::sql
