#include "sql/functions.h"

#include <algorithm>
#include <array>

namespace warmfront::sql {
namespace {

// Sorted, for holds().
// The first lot runs a query given as text, by cursor, or over whole tables, which may be views: that query
// may call anything. The second writes catalogs.
constexpr std::array<std::string_view, 24> kEverything{"binary_upgrade_add_sub_rel_state",
                                                       "binary_upgrade_create_empty_extension",
                                                       "binary_upgrade_replorigin_advance",
                                                       "binary_upgrade_set_missing_value",
                                                       "binary_upgrade_set_record_init_privs",
                                                       "cursor_to_xml",
                                                       "database_to_xml",
                                                       "database_to_xml_and_xmlschema",
                                                       "database_to_xmlschema",
                                                       "pg_extension_config_dump",
                                                       "pg_import_system_collations",
                                                       "pg_nextoid",
                                                       "pg_stop_making_pinned_objects",
                                                       "query_to_xml",
                                                       "query_to_xml_and_xmlschema",
                                                       "query_to_xmlschema",
                                                       "schema_to_xml",
                                                       "schema_to_xml_and_xmlschema",
                                                       "schema_to_xmlschema",
                                                       "table_to_xml",
                                                       "table_to_xml_and_xmlschema",
                                                       "table_to_xmlschema",
                                                       "ts_rewrite",
                                                       "ts_stat"};

// Left out on purpose, since they read more than arguments and settings: age(x) (today), current_schema(s)
// (which schemas there are, and rights on them), current_setting, has_*_privilege, to_reg*, pg_get_*,
// obj_description (catalog), pg_column_size (how a row is stored), json_populate_record and friends (text to
// dates, "now"), timetz (the present daylight saving), inet_*_addr and
// pg_backend_pid (the connection).
constexpr std::array<std::string_view, 71> kReproducible{"age",
                                                         "array_to_json",
                                                         "array_to_string",
                                                         "concat",
                                                         "concat_ws",
                                                         "convert",
                                                         "convert_from",
                                                         "convert_to",
                                                         "current_database",
                                                         "current_user",
                                                         "date",
                                                         "date_add",
                                                         "date_part",
                                                         "date_subtract",
                                                         "date_trunc",
                                                         "enum_first",
                                                         "enum_last",
                                                         "enum_range",
                                                         "extract",
                                                         "format",
                                                         "generate_series",
                                                         "getdatabaseencoding",
                                                         "getpgusername",
                                                         "in_range",
                                                         "json_agg",
                                                         "json_agg_strict",
                                                         "json_build_array",
                                                         "json_build_object",
                                                         "json_object_agg",
                                                         "json_object_agg_strict",
                                                         "json_object_agg_unique",
                                                         "json_object_agg_unique_strict",
                                                         "json_to_tsvector",
                                                         "jsonb_agg",
                                                         "jsonb_agg_strict",
                                                         "jsonb_build_array",
                                                         "jsonb_build_object",
                                                         "jsonb_object_agg",
                                                         "jsonb_object_agg_strict",
                                                         "jsonb_object_agg_unique",
                                                         "jsonb_object_agg_unique_strict",
                                                         "jsonb_to_tsvector",
                                                         "length",
                                                         "make_timestamptz",
                                                         "money",
                                                         "numeric",
                                                         "overlaps",
                                                         "pg_client_encoding",
                                                         "pg_collation_for",
                                                         "pg_typeof",
                                                         "phraseto_tsquery",
                                                         "plainto_tsquery",
                                                         "quote_literal",
                                                         "quote_nullable",
                                                         "row_to_json",
                                                         "session_user",
                                                         "time",
                                                         "timestamp",
                                                         "timestamptz",
                                                         "timezone",
                                                         "to_char",
                                                         "to_date",
                                                         "to_json",
                                                         "to_jsonb",
                                                         "to_number",
                                                         "to_timestamp",
                                                         "to_tsquery",
                                                         "to_tsvector",
                                                         "ts_headline",
                                                         "websearch_to_tsquery",
                                                         "xml"};

constexpr std::array<std::string_view, 15> kHarmlessExtensions{
    "citext",  "cube",     "earthdistance", "fuzzystrmatch", "hstore",   "intarray",  "isn",   "ltree",
    "pg_trgm", "pgcrypto", "postgis",       "seg",           "unaccent", "uuid-ossp", "vector"};

constexpr std::array<std::string_view, 27> kTypesWithoutFunction{
    "bytea",        "cid",     "inet",        "int2vector",    "json",         "jsonb",     "jsonpath",
    "oidvector",    "pg_lsn",  "pg_snapshot", "refcursor",     "regcollation", "regconfig", "regdictionary",
    "regnamespace", "regoper", "regoperator", "regproc",       "regprocedure", "regrole",   "regtype",
    "tid",          "tsquery", "tsvector",    "txid_snapshot", "uuid",         "xid8"};

template <std::size_t count>
bool holds(const std::array<std::string_view, count>& sorted, std::string_view name) {
    return std::ranges::binary_search(sorted, name);
}

}  // namespace

FunctionEffect effect_of_builtin(std::string_view name) {
    if (name == "set_config") return FunctionEffect::Settings;
    if (name == "pg_reload_conf") return FunctionEffect::Roles;
    return holds(kEverything, name) ? FunctionEffect::Everything : FunctionEffect::None;
}

bool is_reproducible(std::string_view name, int arguments) {
    if (name == "age") return arguments == 2;
    return holds(kReproducible, name);
}

bool is_type_without_function(std::string_view name) {
    return holds(kTypesWithoutFunction, name);
}

bool may_write(const Function& function) {
    if (is_builtin(function.oid) || function.volatility != 'v') return false;
    return !(function.native && holds(kHarmlessExtensions, function.extension));
}

}  // namespace warmfront::sql
