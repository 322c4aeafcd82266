// A sum of hashes over the rows of each catalog table: independent of order, no sort, no large text. Of most
// tables OID and xmin are hashed, since any update gives a row a new xmin (VACUUM and ANALYZE change rows in
// place). pg_class is hashed by content: TRUNCATE and REFRESH give its row a new xmin and change nothing that
// matters here. What belongs to temporary tables is left out, or every session that makes one would void the
// catalog.
//
// Of the system's own rows only those of functions can be changed by mere SQL that a superuser might write
// (ALTER FUNCTION now() IMMUTABLE); all of pg_proc is hashed, the attributes of system catalogs are not.
#include "proxy/control/catalog_loader_fingerprint.h"

#include <array>
#include <pqxx/pqxx>
#include <string_view>

#include <fmt/format.h>

namespace warmfront::control {
namespace {

enum class Part { Catalog, Settings };

struct Source {
    Part part;
    std::string_view row;   // an expression of type text
    std::string_view from;  // FROM and WHERE
};

constexpr std::string_view kOidAndXmin = "x.oid || ' ' || x.xmin";

constexpr std::array kSources{
    Source{Part::Catalog,
           "ROW(x.oid, x.relname, x.relnamespace, x.reltype, x.relowner, x.relkind, x.relpersistence, "
           "x.relnatts, "
           "x.relchecks, x.relrowsecurity, x.relforcerowsecurity, x.relispartition, x.relacl, "
           "x.reloptions)::text",
           "pg_class x WHERE relpersistence <> 't' AND relkind NOT IN ('i', 'I', 't')"},
    Source{Part::Catalog, "x.attrelid || ' ' || x.attnum || ' ' || x.xmin",
           "pg_attribute x JOIN pg_class c ON c.oid = x.attrelid WHERE c.oid >= 16384 AND x.attnum > 0 "
           "AND c.relpersistence <> 't' AND c.relkind NOT IN ('i', 'I', 't')"},
    Source{Part::Catalog, "x.inhrelid || ' ' || x.inhparent || ' ' || x.xmin",
           "pg_inherits x JOIN pg_class c ON c.oid = x.inhrelid WHERE c.relpersistence <> 't' AND c.relkind "
           "NOT IN "
           "('i', 'I')"},
    Source{Part::Catalog, kOidAndXmin,
           "pg_attrdef x JOIN pg_class c ON c.oid = x.adrelid WHERE c.relpersistence <> 't'"},
    Source{Part::Catalog, kOidAndXmin,
           "pg_constraint x LEFT JOIN pg_class c ON c.oid = x.conrelid WHERE c.relpersistence IS DISTINCT "
           "FROM 't'"},
    Source{Part::Catalog, kOidAndXmin,
           "pg_trigger x JOIN pg_class c ON c.oid = x.tgrelid WHERE c.relpersistence <> 't'"},
    Source{Part::Catalog, kOidAndXmin,
           "pg_rewrite x JOIN pg_class c ON c.oid = x.ev_class WHERE c.relpersistence <> 't'"},
    Source{Part::Catalog, kOidAndXmin, "pg_policy x"},
    // Of a SECURITY DEFINER function the owner's name too, which "$user" in its search path stands for.
    Source{Part::Catalog,
           "x.oid || ' ' || x.xmin || CASE WHEN x.prosecdef THEN pg_get_userbyid(x.proowner) ELSE '' END",
           "pg_proc x"},
    Source{Part::Catalog, "x.aggfnoid::oid || ' ' || x.xmin", "pg_aggregate x"},
    Source{Part::Catalog, kOidAndXmin, "pg_operator x"},
    Source{Part::Catalog, kOidAndXmin, "pg_cast x"},
    Source{
        Part::Catalog, kOidAndXmin,
        "pg_type x JOIN pg_namespace n ON n.oid = x.typnamespace WHERE n.nspname !~ '^pg_(toast_)?temp_' AND "
        "n.nspname <> 'pg_toast'"},
    Source{Part::Catalog, kOidAndXmin, "pg_enum x"},
    Source{Part::Catalog, kOidAndXmin, "pg_namespace x WHERE nspname !~ '^pg_(toast_)?temp_'"},
    Source{Part::Catalog, kOidAndXmin, "pg_collation x"},
    Source{Part::Catalog, kOidAndXmin, "pg_conversion x"},
    Source{Part::Catalog, kOidAndXmin, "pg_extension x"},
    Source{Part::Catalog, kOidAndXmin, "pg_event_trigger x"},
    Source{Part::Catalog, kOidAndXmin, "pg_ts_config x"},
    Source{Part::Catalog, kOidAndXmin, "pg_ts_dict x"},
    Source{Part::Catalog, "x.mapcfg || ' ' || x.maptokentype || ' ' || x.mapseqno || ' ' || x.xmin",
           "pg_ts_config_map x"},
    Source{Part::Settings, "x::text", "pg_roles x"},
    Source{Part::Settings, "x::text", "pg_auth_members x"},
    Source{Part::Settings, "x::text", "pg_db_role_setting x"},
    Source{Part::Settings, "ROW(x.oid, x.datname, x.datdba, x.datallowconn, x.datacl)::text",
           "pg_database x WHERE datname = current_database()"},
};

// "count:sum" of each source.
std::string query() {
    std::string columns;
    for (const auto& source : kSources) {
        columns +=
            fmt::format("(SELECT count(*) || ':' || coalesce(sum(hashtextextended({}, 0)), 0) FROM {}),\n",
                        source.row, source.from);
    }
    return "SELECT " + columns +
           "pg_conf_load_time()::text, pg_postmaster_start_time() || ' ' || pg_is_in_recovery() || ' ' || "
           "current_setting('server_version_num')";
}

}  // namespace

Fingerprints fingerprints_of(pqxx::transaction_base& transaction) {
    const auto row = transaction.exec1(query());
    Fingerprints found;
    for (std::size_t i = 0; i < kSources.size(); ++i) {
        auto& text = kSources[i].part == Part::Catalog ? found.catalog : found.settings;
        text += row[static_cast<pqxx::row::size_type>(i)].c_str();
        text += ' ';
    }
    const auto rest = static_cast<pqxx::row::size_type>(kSources.size());
    found.settings += row[rest].c_str();
    found.server = row[rest + 1].c_str();
    return found;
}

}  // namespace warmfront::control
