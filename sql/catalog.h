// sql/catalog.h: a snapshot of one database's catalog, as plain data with look-ups.
//
// Filled by proxy/control/catalog_loader, immutable once shared (std::shared_ptr<const Catalog>), so any
// thread may read it. Names are as in the catalog (folded, unquoted). Temporary relations, whose names only
// their own session sees, are left out: a session that has any must not be served.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sql/names.h"
#include "sql/value.h"

namespace warmfront::sql {

struct Column {
    std::string name;
    Oid type{};
    std::int16_t number = 0;  // pg_attribute.attnum
    ValueType value;          // how its values are judged; of a domain, by its base type
    bool has_default = true;  // a default, identity or generated value: what is not given need not be NULL
    bool generated = false;   // computed from other columns
};

// What can happen to the rows of a relation.
inline constexpr unsigned kInsert = 1, kUpdate = 2, kDelete = 4, kTruncate = 8;

struct Trigger {  // a user's, not disabled
    std::string name;
    Oid function{};
    unsigned events = 0;      // kInsert, ...; the columns of UPDATE OF are not told apart
    char timing = 'a';        // b(efore), a(fter), i(nstead of)
    bool per_row = false;     // FOR EACH ROW
    bool deferrable = false;  // may run at COMMIT
    std::vector<std::string> transition_tables{};  // REFERENCING OLD TABLE, NEW TABLE: names in its function
};

struct Rule {  // not disabled, other than a view's _RETURN
    std::string name;
    unsigned event = 0;      // kInsert, kUpdate or kDelete
    std::string definition;  // pg_get_ruledef with everything qualified
};

struct Relation {
    Oid oid{};
    std::string schema;
    std::string name;
    char kind = 'r';         // pg_class.relkind: r p v m f S i ...
    char persistence = 'p';  // pg_class.relpersistence: p u t
    bool row_security = false;
    bool has_triggers =
        false;               // triggers, not disabled, whose function is not built in; INSTEAD OF among them
    bool has_rules = false;  // rules, not disabled, other than a view's _RETURN
    bool calls_functions =
        false;  // a default, generated column, check or policy calls a function that may_write()
    std::vector<Column> columns;  // without dropped and system columns
    std::string view_definition;  // pg_get_viewdef with everything qualified; of kinds v and m
    std::vector<Oid> parents;     // inheritance and partitioning, direct
    std::vector<Oid> children;
    // Tables whose foreign keys to this one act (CASCADE, SET NULL, SET DEFAULT) when a row is deleted,
    // updated.
    std::vector<Oid> cascades_on_delete;
    std::vector<Oid> cascades_on_update;
    // The keys behind these two, column by column.
    struct ActingKey {
        Oid referring{};
        std::vector<std::pair<std::int16_t, std::int16_t>> columns;  // of this one, of the one that refers
        bool sets_default = false;  // the rows that refer get values not told here
    };
    std::vector<ActingKey> acting_keys;
    std::vector<Oid> referenced_by;  // every table with a foreign key to this one: TRUNCATE ... CASCADE
    // What the flags above stand for. Where a flag is set and its list is empty, it is not known.
    std::vector<Trigger> triggers;      // also those of PostgreSQL's own functions, which no flag counts
    std::vector<Rule> rules;            // has_rules
    std::vector<Oid> called;            // calls_functions: the functions that may_write()
    std::vector<std::string> policies;  // expressions of row-level security, everything qualified
};

struct Routine;  // sql/routine.h
class Routines;

struct Function {  // a procedure and a trigger function, too
    Oid oid{};
    std::string schema;
    std::string name;
    char volatility = 'v';  // pg_proc.provolatile: i s v; of an aggregate: the worst of its support functions
    char kind = 'f';        // pg_proc.prokind: f p a w
    bool native = false;    // written in C (languages c, internal)
    bool takes_row = false;  // may be called as row.name: its first parameter takes a composite value
    std::string extension;   // that it belongs to; empty: none
    bool is_trigger = false;
    // Of those that are not built in:
    std::string language;  // pg_language.lanname
    // In languages sql and plpgsql: what the function runs, unless too long to be kept (empty). In an atomic
    // body everything is qualified; it begins with BEGIN ATOMIC or RETURN.
    std::string body;
    bool atomic = false;
    bool security_definer = false;  // runs as its owner
    std::string owner;
    bool returns_set = false;
    Oid result{};                        // type that it returns
    std::vector<std::string> arguments;  // names of all parameters, OUT and TABLE among them; "": it has none
    std::vector<Oid> argument_types;     // of the same
    std::string defaults;                // of its parameters: expressions with commas between, all qualified
    std::vector<std::string> settings;   // pg_proc.proconfig: "search_path=app, pg_temp"
    std::vector<Oid> support;            // of an aggregate: the functions that it is made of
};

struct Operator {  // only those that are not built in
    std::string schema;
    std::string name;
    char volatility = 'v';  // of its function
    bool native = false;    // its function is written in C
    Oid function{};
};

struct Type {  // only those that are not built in
    Oid oid{};
    std::string schema;
    std::string name;
    char kind = 'b';  // pg_type.typtype: b c d e p r m
    std::vector<Oid>
        called{};  // of a domain: functions that its checks and default call and that may_write()
};

class Catalog {
public:
    std::uint64_t version = 0;  // grows with every snapshot that differs from the one before
    std::string fingerprint;    // what the loader compares to see whether anything changed
    std::vector<Relation> relations;
    std::vector<Function> functions;
    std::vector<Operator> operators;
    std::vector<Type> types;
    // A cast may run without being written. A user-defined one that runs a volatile function: no query is
    // safe from it. One that runs a function not immutable: no answer is.
    bool has_volatile_casts = false;
    bool has_unstable_casts = false;
    std::vector<Oid> volatile_casts;  // functions behind has_volatile_casts; empty: not known
    bool has_event_triggers = false;  // enabled ones: DDL runs functions
    // Settings that policies, views and functions read with current_setting(), lower case, sorted: sessions
    // are told apart by their values. kWatchedMax at most; of what reads others no answer is kept.
    static constexpr std::size_t kWatchedMax = 16;
    std::vector<std::string> watched_settings;

    [[nodiscard]] bool watches(std::string_view setting) const;  // any case

    // Builds the look-ups below and watched_settings; call once after filling the vectors.
    void index();

    [[nodiscard]] const Relation* find(Oid oid) const;
    // With a schema: that one. Without: pg_catalog first unless the path names it, then the path's schemas in
    // order.
    // "$user" in the path stands for user. nullptr if there is none.
    [[nodiscard]] const Relation* find(const RelationName& name, const std::vector<std::string>& search_path,
                                       std::string_view user) const;
    // Every relation of that name (in that schema if given, else in any schema).
    [[nodiscard]] std::vector<const Relation*> relations_named(const RelationName& name) const;
    [[nodiscard]] const Function* function(Oid oid) const;
    // Every function of that name (in that schema if given, else in any schema) that a query can call: no
    // procedure, no trigger function.
    [[nodiscard]] std::vector<const Function*> functions_named(std::string_view schema,
                                                               std::string_view name) const;
    [[nodiscard]] std::vector<const Function*> procedures_named(std::string_view schema,
                                                                std::string_view name) const;
    // What one of the functions above does, parsed when first asked for. Holds a lock for a look-up.
    [[nodiscard]] std::shared_ptr<const Routine> routine(const Function& function) const;
    // The user-defined operators of that name, in any schema.
    [[nodiscard]] std::vector<const Operator*> operators_named(std::string_view name) const;
    // A type of that name in any schema; of several one that is not an enum, if there is one.
    [[nodiscard]] const Type* type_named(std::string_view name) const;
    // The domains whose `called` is not empty.
    [[nodiscard]] std::vector<const Type*> calling_domains() const;
    // Whether there is any function that is not built in and may write: without one, reading cannot change a
    // row.
    [[nodiscard]] bool has_writing_functions() const { return has_writing_functions_; }
    // A digest of which functions and operators there are.
    [[nodiscard]] std::uint64_t callables() const { return callables_; }

private:
    using Places = std::unordered_map<std::string, std::vector<std::size_t>>;
    [[nodiscard]] std::vector<const Function*> named(const Places& places, std::string_view schema,
                                                     std::string_view name) const;

    std::unordered_map<std::uint32_t, std::size_t> relation_by_oid_;
    std::unordered_map<std::uint32_t, std::size_t> function_by_oid_;
    Places relations_by_name_, functions_by_name_, procedures_by_name_, operators_by_name_;
    std::unordered_map<std::string, std::size_t> types_by_name_;
    std::vector<std::size_t> calling_domains_;
    bool has_writing_functions_ = false;
    std::uint64_t callables_ = 0;
    std::shared_ptr<Routines> routines_;
};

// "a, \"B c\", $user" to {a, B c, $user}: the text of the search_path setting to schema names.
[[nodiscard]] std::vector<std::string> parse_search_path(std::string_view setting);

}  // namespace warmfront::sql
