#include "proxy/control/catalog_loader_queries.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <pqxx/pqxx>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "sql/functions.h"
#include "sql/routine.h"

namespace warmfront::control {
namespace {

using sql::Oid;

// Of all bodies of functions together, and again of atomic ones; what is beyond is not read and therefore
// opaque.
constexpr std::size_t kBodiesBytesMax = std::size_t{16} << 20;

// Relations that can be read or written by name. The tables of other sessions' pg_temp are nobody else's
// matter.
constexpr const char* kRelations =
    "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, "
    "EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D' AND t.tgfoid >= 16384), "
    "EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled <> 'D' AND r.rulename <> "
    "'_RETURN' "
    "AND c.oid >= 16384) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' LIMIT {}";

// Locks what the views name (AccessShareLock) until the transaction ends: read last.
constexpr const char* kViewDefinitions =
    "SELECT oid, pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384 AND "
    "relpersistence <> 't'";

// Lock what they name as well.
constexpr const char* kRules =
    "SELECT r.ev_class, r.rulename, r.ev_type, pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON "
    "c.oid "
    "= r.ev_class WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND r.ev_enabled <> 'D' AND r.rulename <> "
    "'_RETURN'";

constexpr const char* kPolicies =
    "SELECT polrelid, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polqual IS NOT NULL";

// From PostgreSQL 14 on; in place of pg_proc.prosrc, which is empty.
constexpr const char* kAtomicBodies =
    "SELECT oid, pg_get_function_sqlbody(oid) FROM pg_proc WHERE prosqlbody IS NOT NULL AND oid >= 16384";

constexpr const char* kTriggers =
    "SELECT t.tgrelid, t.tgname, t.tgfoid, t.tgtype, t.tgdeferrable, "
    "concat_ws(E'\\x01', t.tgoldtable, t.tgnewtable) FROM pg_trigger t WHERE t.tgenabled <> 'D' "
    "AND (t.tgfoid >= 16384 OR NOT t.tgisinternal) ORDER BY t.tgrelid, t.tgname";

constexpr const char* kColumns =
    "SELECT a.attrelid, a.attname, a.atttypid, a.attnum, b.oid, b.typtype, b.typname, "
    "coalesce(c.collisdeterministic, true), CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END, "
    "a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL, a.attgenerated <> '' "
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END "
    "LEFT JOIN pg_collation c ON c.oid = a.attcollation "
    "WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum";

constexpr const char* kInheritance =
    "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno";

constexpr const char* kForeignKeys =
    "SELECT DISTINCT confrelid, conrelid, confdeltype IN ('c', 'n', 'd'), confupdtype IN ('c', 'n', 'd') "
    "FROM pg_constraint WHERE contype = 'f'";

constexpr const char* kActingKeys =
    "SELECT confrelid, conrelid, array_to_string(confkey, ' '), array_to_string(conkey, ' '), "
    "'d' IN (confdeltype, confupdtype) FROM pg_constraint WHERE contype = 'f' AND (confdeltype IN ('c', 'n', "
    "'d') "
    "OR confupdtype IN ('c', 'n', 'd')) ORDER BY oid";

// Built-in functions are not in pg_depend. Of functions that are not built in, the last columns tell what
// they run: sql::Function, from language on; texts in lists are parted by the byte 1, which none should hold.
constexpr const char* kFunctions =
    "WITH aggregated AS (SELECT a.aggfnoid::oid AS oid, max(p.provolatile::text) AS volatility, "
    "bool_and(p.prolang IN (12, 13)) AS native, string_agg(p.oid::text, ' ') AS support FROM pg_aggregate a "
    "JOIN pg_proc p ON p.oid IN (a.aggtransfn, "
    "a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn) "
    "WHERE a.aggfnoid::oid >= 16384 GROUP BY 1) "
    "SELECT p.oid, n.nspname, p.proname, coalesce(a.volatility, p.provolatile::text), p.prokind, "
    "coalesce(a.native, p.prolang IN (12, 13)), "
    "coalesce(t.typtype IN ('c', 'd') OR t.typname IN ('record', 'any', 'anyelement', 'anynonarray', "
    "'anycompatible', "
    "'anycompatiblenonarray'), false), coalesce(e.extname, ''), p.prorettype = 'trigger'::regtype, p.oid < "
    "16384, "
    "l.lanname, CASE WHEN l.lanname IN ('sql', 'plpgsql') AND octet_length(p.prosrc) <= {} THEN p.prosrc "
    "ELSE '' "
    "END, p.prosecdef, pg_get_userbyid(p.proowner), p.proretset, p.prorettype, "
    "coalesce(array_to_string(p.proargnames, E'\\x01'), ''), "
    "array_to_string(coalesce(p.proallargtypes, p.proargtypes::oid[]), ' '), "
    "coalesce(array_to_string(p.proconfig, E'\\x01'), ''), coalesce(a.support, ''), "
    "coalesce(pg_get_expr(p.proargdefaults, 0), '') "
    "FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace "
    "LEFT JOIN aggregated a ON a.oid = p.oid "
    "LEFT JOIN pg_type t ON t.oid = p.proargtypes[0] "
    "LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' "
    "LEFT JOIN pg_extension e ON e.oid = d.refobjid "
    "WHERE p.prorettype <> 'event_trigger'::regtype";

constexpr const char* kOperators =
    "SELECT n.nspname, o.oprname, p.provolatile, p.prolang IN (12, 13), p.oid FROM pg_operator o "
    "JOIN pg_namespace n ON n.oid = o.oprnamespace JOIN pg_proc p ON p.oid = o.oprcode WHERE o.oid >= 16384";

constexpr const char* kTypes =
    "SELECT t.oid, n.nspname, t.typname, t.typtype FROM pg_type t JOIN pg_namespace n ON n.oid = "
    "t.typnamespace "
    "WHERE t.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp_|toast_temp_)' AND NOT (t.typcategory = 'A' AND "
    "t.typelem <> 0)";

// A cast WITH INOUT runs the input function of its target: STABLE for dates and times.
constexpr const char* kCasts =
    "SELECT coalesce(bool_or(p.provolatile = 'v'), false), "
    "coalesce(bool_or(p.provolatile <> 'i' OR (p.prolang NOT IN (12, 13) AND d.objid IS NULL) OR (p.oid IS "
    "NULL AND "
    "t.typname ~ '^(date|time|timestamp|timetz|timestamptz|.*range)$')), false), "
    "coalesce(string_agg(p.oid::text, ' ') FILTER (WHERE p.provolatile = 'v'), '') "
    "FROM pg_cast c LEFT JOIN pg_proc p ON p.oid = c.castfunc JOIN pg_type t ON t.oid = c.casttarget "
    "LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' "
    "WHERE c.oid >= 16384 AND c.castmethod IN ('f', 'i')";

constexpr const char* kEventTriggers =
    "SELECT EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D' AND evtevent <> 'login')";

// The functions that the checks of a domain call, and of the domains that it is made of.
constexpr const char* kDomainFunctions =
    "WITH RECURSIVE made_of AS (SELECT oid, oid AS part FROM pg_type WHERE typtype = 'd' AND oid >= 16384 "
    "UNION SELECT m.oid, t.typbasetype FROM made_of m JOIN pg_type t ON t.oid = m.part WHERE t.typtype = "
    "'d') "
    "SELECT DISTINCT m.oid, coalesce(o.oprcode::oid, d.refobjid) FROM made_of m JOIN pg_constraint k ON "
    "k.contypid = m.part JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid "
    "LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid "
    "WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)";

// Which functions that are not built in a relation's own expressions call, directly or by an operator:
// defaults and generated columns, checks, policies, conditions of triggers, and checks and defaults of the
// domains that its columns have.
constexpr const char* kExpressionFunctions =
    "WITH calls AS (SELECT d.classid, d.objid, coalesce(o.oprcode::oid, d.refobjid) AS function FROM "
    "pg_depend d "
    "LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid "
    "WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.classid IN "
    "('pg_attrdef'::regclass, "
    "'pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_type'::regclass, 'pg_trigger'::regclass)) "
    "SELECT a.adrelid, c.function FROM calls c JOIN pg_attrdef a ON c.classid = 'pg_attrdef'::regclass AND "
    "a.oid = "
    "c.objid "
    "UNION SELECT k.conrelid, c.function FROM calls c JOIN pg_constraint k ON c.classid = "
    "'pg_constraint'::regclass "
    "AND k.oid = c.objid WHERE k.conrelid <> 0 "
    "UNION SELECT p.polrelid, c.function FROM calls c JOIN pg_policy p ON c.classid = 'pg_policy'::regclass "
    "AND p.oid "
    "= c.objid "
    "UNION SELECT t.tgrelid, c.function FROM calls c JOIN pg_trigger t ON c.classid = 'pg_trigger'::regclass "
    "AND "
    "t.oid = c.objid WHERE c.function <> t.tgfoid "
    "UNION SELECT a.attrelid, c.function FROM calls c LEFT JOIN pg_constraint k ON c.classid = "
    "'pg_constraint'::regclass AND k.oid = c.objid AND k.contypid <> 0 JOIN pg_attribute a ON a.atttypid = "
    "CASE WHEN "
    "c.classid = 'pg_type'::regclass THEN c.objid ELSE k.contypid END AND a.attnum > 0";

Oid oid_at(const pqxx::row& row, int column) {
    return Oid{row[column].as<std::uint32_t>()};
}
char char_at(const pqxx::row& row, int column) {
    return row[column].c_str()[0];
}
bool bool_at(const pqxx::row& row, int column) {
    return char_at(row, column) == 't';
}

// "1 2 3"
std::vector<Oid> oids_in(std::string_view text) {
    std::vector<Oid> oids;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        std::uint32_t oid = 0;
        std::from_chars(text.data() + at, text.data() + end, oid);
        oids.push_back(Oid{oid});
        at = end + 1;
    }
    return oids;
}

// "a\1b\1" to {a, b, ""}; "" to {}.
std::vector<std::string> texts_in(std::string_view text) {
    std::vector<std::string> texts;
    for (std::size_t at = 0; !text.empty() && at <= text.size();) {
        const auto end = std::min(text.find('\1', at), text.size());
        texts.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return texts;
}

using Places = std::unordered_map<std::uint32_t, std::size_t>;  // OID to place in Catalog::relations

sql::Relation* at(sql::Catalog& catalog, const Places& places, const pqxx::field& oid) {
    const auto found = places.find(oid.as<std::uint32_t>());
    return found == places.end() ? nullptr : &catalog.relations[found->second];
}

Places fill_relations(sql::Catalog& catalog, const pqxx::result& rows) {
    Places places;
    catalog.relations.reserve(rows.size());
    for (const auto& row : rows) {
        sql::Relation relation;
        relation.oid = oid_at(row, 0);
        relation.schema = row[1].c_str();
        relation.name = row[2].c_str();
        relation.kind = char_at(row, 3);
        relation.persistence = char_at(row, 4);
        relation.row_security = bool_at(row, 5);
        relation.has_triggers = bool_at(row, 6);
        relation.has_rules = bool_at(row, 7);
        places[static_cast<std::uint32_t>(relation.oid)] = catalog.relations.size();
        catalog.relations.push_back(std::move(relation));
    }
    return places;
}

sql::Column column_of(const pqxx::row& row) {
    sql::Column column;
    column.name = row[1].c_str();
    column.type = oid_at(row, 2);
    column.number = row[3].as<std::int16_t>();
    column.value.oid = oid_at(row, 4);
    column.value.kind = sql::kind_of_type(column.value.oid, char_at(row, 5), row[6].c_str(), bool_at(row, 7));
    column.value.modifier = row[8].as<std::int32_t>();
    column.has_default = bool_at(row, 9);
    column.generated = bool_at(row, 10);
    return column;
}

void fill_links(sql::Catalog& catalog, const Places& places, pqxx::transaction_base& transaction) {
    for (const auto& row : transaction.exec(kColumns)) {
        if (auto* relation = at(catalog, places, row[0])) relation->columns.push_back(column_of(row));
    }
    for (const auto& row : transaction.exec(kInheritance)) {
        auto* child = at(catalog, places, row[0]);
        auto* parent = at(catalog, places, row[1]);
        if (child == nullptr || parent == nullptr) continue;  // indexes, temporary children
        child->parents.push_back(parent->oid);
        parent->children.push_back(child->oid);
    }
    for (const auto& row : transaction.exec(kForeignKeys)) {
        auto* referenced = at(catalog, places, row[0]);
        if (referenced == nullptr) continue;
        referenced->referenced_by.push_back(oid_at(row, 1));
        if (bool_at(row, 2)) referenced->cascades_on_delete.push_back(oid_at(row, 1));
        if (bool_at(row, 3)) referenced->cascades_on_update.push_back(oid_at(row, 1));
    }
    for (const auto& row : transaction.exec(kActingKeys)) {
        auto* referenced = at(catalog, places, row[0]);
        if (referenced == nullptr) continue;
        auto& key = referenced->acting_keys.emplace_back();
        key.referring = oid_at(row, 1);
        key.sets_default = bool_at(row, 4);
        std::istringstream own(row[2].c_str()), others(row[3].c_str());
        std::int16_t column = 0, other = 0;
        while (own >> column && others >> other) key.columns.emplace_back(column, other);
    }
}

unsigned events_of(int type) {  // pg_trigger.tgtype
    return ((type & 4) != 0 ? sql::kInsert : 0) | ((type & 8) != 0 ? sql::kDelete : 0) |
           ((type & 16) != 0 ? sql::kUpdate : 0) | ((type & 32) != 0 ? sql::kTruncate : 0);
}

void fill_triggers(sql::Catalog& catalog, const Places& places, const pqxx::result& rows) {
    for (const auto& row : rows) {
        auto* relation = at(catalog, places, row[0]);
        if (relation == nullptr) continue;
        const int type = row[3].as<int>();
        const char timing = (type & 64) != 0 ? 'i' : (type & 2) != 0 ? 'b' : 'a';
        relation->triggers.push_back({row[1].c_str(), oid_at(row, 2), events_of(type), timing,
                                      (type & 1) != 0, bool_at(row, 4), texts_in(row[5].c_str())});
    }
}

void fill_rules(sql::Catalog& catalog, const Places& places, const pqxx::result& rows) {
    for (const auto& row : rows) {
        auto* relation = at(catalog, places, row[0]);
        if (relation == nullptr) continue;
        const char event = char_at(row, 2);  // pg_rewrite.ev_type
        relation->rules.push_back({row[1].c_str(),
                                   event == '2'   ? sql::kUpdate
                                   : event == '3' ? sql::kInsert
                                                  : sql::kDelete,
                                   row[3].c_str()});
    }
}

void fill_code(sql::Function& function, const pqxx::row& row, std::size_t& bytes) {
    function.language = row[10].c_str();
    bytes += row[11].size();
    if (bytes <= kBodiesBytesMax) function.body = row[11].c_str();
    function.security_definer = bool_at(row, 12);
    function.owner = row[13].c_str();
    function.returns_set = bool_at(row, 14);
    function.result = oid_at(row, 15);
    function.arguments = texts_in(row[16].c_str());
    function.argument_types = oids_in(row[17].c_str());
    function.arguments.resize(function.argument_types.size());  // none has a name if none is given
    function.settings = texts_in(row[18].c_str());
    function.support = oids_in(row[19].c_str());
    function.defaults = row[20].c_str();
}

void fill_functions(sql::Catalog& catalog, const pqxx::result& rows) {
    std::size_t bytes = 0;
    catalog.functions.reserve(rows.size());
    for (const auto& row : rows) {
        sql::Function function;
        function.oid = oid_at(row, 0);
        function.schema = row[1].c_str();
        function.name = row[2].c_str();
        function.volatility = char_at(row, 3);
        function.kind = char_at(row, 4);
        function.native = bool_at(row, 5);
        function.takes_row = bool_at(row, 6);
        function.extension = row[7].c_str();
        function.is_trigger = bool_at(row, 8);
        if (!bool_at(row, 9)) fill_code(function, row, bytes);
        catalog.functions.push_back(std::move(function));
    }
}

void fill_atomic_bodies(sql::Catalog& catalog, const pqxx::result& rows) {
    std::unordered_map<std::uint32_t, std::string> bodies;
    std::size_t bytes = 0;
    for (const auto& row : rows) {
        bytes += row[1].size();
        bodies[row[0].as<std::uint32_t>()] = bytes <= kBodiesBytesMax ? row[1].c_str() : "";
    }
    for (auto& function : catalog.functions) {
        const auto found = bodies.find(static_cast<std::uint32_t>(function.oid));
        if (found == bodies.end()) continue;
        function.atomic = true;
        function.body = std::move(found->second);
    }
}

std::unordered_set<std::uint32_t> writing_functions(const sql::Catalog& catalog) {
    std::unordered_set<std::uint32_t> writing;
    for (const auto& function : catalog.functions) {
        if (may_write(function)) writing.insert(static_cast<std::uint32_t>(function.oid));
    }
    return writing;
}

void mark_callers(sql::Catalog& catalog, const Places& places, pqxx::transaction_base& transaction) {
    const auto writing = writing_functions(catalog);
    for (const auto& row : transaction.exec(kExpressionFunctions)) {
        if (!writing.contains(row[1].as<std::uint32_t>())) continue;
        if (auto* relation = at(catalog, places, row[0])) {
            relation->calls_functions = true;
            relation->called.push_back(oid_at(row, 1));
        }
    }
    for (const auto& row : transaction.exec(kDomainFunctions)) {
        if (!writing.contains(row[1].as<std::uint32_t>())) continue;
        for (auto& type : catalog.types) {
            if (type.oid == oid_at(row, 0)) type.called.push_back(oid_at(row, 1));
        }
    }
}

}  // namespace

bool fill(sql::Catalog& catalog, pqxx::transaction_base& transaction, std::size_t relations_max) {
    const auto relations = transaction.exec(fmt::format(kRelations, relations_max + 1));
    if (relations.size() > relations_max) return false;
    const auto places = fill_relations(catalog, relations);
    fill_links(catalog, places, transaction);
    fill_triggers(catalog, places, transaction.exec(kTriggers));
    fill_functions(catalog, transaction.exec(fmt::format(kFunctions, sql::kRoutineBytesMax)));
    for (const auto& row : transaction.exec(kOperators))
        catalog.operators.push_back(
            {row[0].c_str(), row[1].c_str(), char_at(row, 2), bool_at(row, 3), oid_at(row, 4)});
    for (const auto& row : transaction.exec(kTypes))
        catalog.types.push_back({oid_at(row, 0), row[1].c_str(), row[2].c_str(), char_at(row, 3)});
    mark_callers(catalog, places, transaction);
    const auto casts = transaction.exec1(kCasts);
    catalog.has_volatile_casts = bool_at(casts, 0);
    catalog.has_unstable_casts = bool_at(casts, 1);
    catalog.volatile_casts = oids_in(casts[2].c_str());
    catalog.has_event_triggers = bool_at(transaction.exec1(kEventTriggers), 0);
    for (const auto& row : transaction.exec(kViewDefinitions)) {
        if (auto* view = at(catalog, places, row[0])) view->view_definition = row[1].c_str();
    }
    fill_rules(catalog, places, transaction.exec(kRules));
    for (const auto& row : transaction.exec(kPolicies)) {
        if (auto* relation = at(catalog, places, row[0])) relation->policies.emplace_back(row[1].c_str());
    }
    if (transaction.conn().server_version() >= 140'000)
        fill_atomic_bodies(catalog, transaction.exec(kAtomicBodies));
    catalog.index();
    return true;
}

}  // namespace warmfront::control
