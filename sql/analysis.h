// sql/analysis.h: what a query string means in one database, for one search path and role: the decision that
// the session acts on. Joins sql/statement (what is said), sql/catalog (what the names are), sql/effects
// (what a write reaches) and sql/cacheability (why a read may not be kept).
//
// Pure: same inputs, same answer. An Analysis is immutable and may be shared between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/catalog.h"
#include "sql/lifetime.h"
#include "sql/names.h"
#include "sql/predicate_plan.h"
#include "sql/statement.h"

namespace warmfront::sql {

struct Choices;

// What kind of traffic a query string is; label of metrics and of EXPLAIN CACHE.
enum class QueryClass { Read, Write, Session, Transaction, Opaque };
[[nodiscard]] std::string_view name_of(QueryClass query_class);

// What a query string may change, as a set of relations; `everything` stands for the whole database.
struct Effects {
    bool everything = false;
    // Sorted, unique; closure over partitions, inheritance (both ways: who reads the parent reads the
    // children), views and foreign-key actions.
    std::vector<Oid> relations;
    [[nodiscard]] bool none() const { return !everything && relations.empty(); }
    void add(const Effects& other);
};

// What a query string does to the transaction block it runs in.
enum class TransactionEffect {
    None,
    Begin,      // opens a block; `isolation` says which
    End,        // COMMIT, ROLLBACK, PREPARE TRANSACTION: the block ends (or a new one begins: AND CHAIN)
    Isolation,  // SET TRANSACTION ISOLATION LEVEL
    Mixed,      // a multi-statement string with any of these, CALL, DO: anything may have happened
};

// What a query string does to the savepoints of its block; Uncertain: several statements, one of them such.
enum class SavepointEffect { None, Set, Release, BackTo, Uncertain };

// Why a read is not kept. One machine-readable label (bounded set, used in metrics) and one sentence for
// people.
struct Refusal {
    std::string_view label;  // static storage: "volatile_function", "system_catalog", ...
    std::string text;        // "calls random(), which is volatile"; names what would have to change
};

struct Analysis {
    QueryClass query_class = QueryClass::Opaque;
    bool cacheable = false;
    Refusal refusal;    // set when not cacheable
    Lifetime lifetime;  // of an answer, if cacheable
    // Cacheable, and has parts that PostgreSQL reads under the settings of a moment of its own choice when it
    // is a prepared statement: quoted literals, NULL, bodies of functions.
    bool read_once = false;
    bool approximate = false;  // cacheable, but asked anew it may be another one: the clock, a random number
    std::uint64_t digest = 0;  // of the statement's shown text, see sql/choices.h
    // Sorted, unique: the relations named, views among them, and those that the views name. Partitions and
    // children are not listed: a write to one has its ancestors among its effects.
    std::vector<Oid> reads;
    // At what it looks in them; those of `reads` that have none are looked at as a whole. Set when cacheable.
    std::vector<Footprint> footprints;
    Effects effects;
    // Of relations in `effects`: which rows are changed. Those that have none: any row.
    std::vector<ChangePlan> changes;
    // Of a COPY FROM STDIN that changes nothing but what its rows do: how to read them. Then `changes` is
    // empty, and who does not read them takes `effects` as it is.
    std::vector<CopyPlan> copies;
    std::string effects_reason;  // why `everything`, for EXPLAIN CACHE; empty otherwise
    // Those of effects.relations that not only the rows named by the statement's target change
    // (StatementEffects::indirect); of a string of several statements all are among them.
    std::vector<Oid> indirect;
    // Where the context asks for them, for EXPLAIN CACHE: what it reads and what it sets off, a line a step.
    std::vector<std::string> read_steps, effect_steps;
    TransactionEffect transaction = TransactionEffect::None;
    Isolation isolation = Isolation::Default;
    SavepointEffect savepoint = SavepointEffect::None;
    std::string savepoint_name;
    bool changes_settings =
        false;                     // SET, RESET, set_config, DISCARD ALL, SET ROLE, SET SESSION AUTHORIZATION
    bool changes_catalog = false;  // DDL: the catalog snapshot is out of date afterwards
    bool changes_roles = false;    // the settings and rights that new (or all) sessions get may change
    bool creates_temp = false;     // the session's names may be shadowed from now on
    bool holds_in_session =
        false;  // LISTEN, advisory locks, unseen code: something may last with the session
    bool prepares_sql =
        false;  // PREPARE/EXECUTE/DEALLOCATE/DISCARD: touches the session's prepared statements
    bool discards_statements =
        false;                   // DEALLOCATE ALL, DISCARD ALL: all of the session's prepared statements go
    std::string deallocates;     // DEALLOCATE name
    std::string sql_prepare;     // PREPARE name AS ..., if that is all
    std::string sql_execute;     // EXECUTE name, if that is all and its arguments call and read nothing
    std::string hint;            // text of a "warmfront:" comment, blanks trimmed; empty without one
    std::size_t statements = 0;  // how many statements the string holds
};

struct AnalysisContext {
    const Catalog* catalog = nullptr;  // nullptr: not known yet; reads are refused, writes are everything
    // False: neither search_path nor user is known. A name may then mean a relation or function of any schema
    // (but of none that is temporary: the caller knows that there is none); no read is cacheable.
    bool names_known = true;
    // The session has temporary objects: any name may mean one, which the catalog does not hold.
    bool has_temporary = false;
    std::vector<std::string> search_path;
    std::string user;                  // current_user, for "$user"
    const Choices* choices = nullptr;  // what the settings choose; nullptr: nothing
    // Where the text has literals that its template leaves open, ascending; every other constant is fixed.
    std::vector<std::uint32_t> literal_places;
    bool tells_steps = false;  // fill Analysis::read_steps and effect_steps
    // Filled by analyse(), of the one statement at hand:
    bool ignore_turned_off = false;  // what is said of its tables: it is turned on itself
    std::optional<std::uint32_t> own_ttl_ms, own_stale_ms;
};

// Never fails: what it does not understand is Opaque with effects.everything.
[[nodiscard]] Analysis analyse(std::string_view sql, const AnalysisContext& context);

}  // namespace warmfront::sql
