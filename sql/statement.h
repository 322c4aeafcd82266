// sql/statement.h: what a statement says, read off PostgreSQL's own parse tree, before any catalog is asked.
//
// The one door to libpg_query. Facts only: names as written, no look-ups. Costs 50-100 µs for a small query, so it
// runs once per template. Thread-safe (libpg_query keeps its state per thread).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "sql/names.h"

namespace warmfront::sql {

enum class StatementKind {
    Empty,
    Select,             // SELECT, VALUES, TABLE without INTO
    Insert, Update, Delete, Merge,
    Truncate,
    CopyFrom, CopyTo,
    Begin, Commit, Rollback, Savepoint, ReleaseSavepoint, RollbackToSavepoint,
    PrepareTransaction, CommitPrepared, RollbackPrepared,
    SetTransaction,     // SET TRANSACTION, SET SESSION CHARACTERISTICS
    Set,                // SET, RESET, SET ROLE, SET SESSION AUTHORIZATION, SET CONSTRAINTS excluded
    Show,
    Discard,
    PrepareStatement, ExecuteStatement, Deallocate,
    DeclareCursor, Fetch, CloseCursor,
    Explain, ExplainAnalyze,
    Listen, Notify, Lock, SetConstraints,
    Maintenance,        // VACUUM, ANALYZE, REINDEX, CLUSTER, CHECKPOINT, LOAD: no row's value changes
    CreateTemp,         // CREATE TEMP TABLE/VIEW/SEQUENCE, CREATE TEMP TABLE AS, SELECT INTO TEMP
    Refresh,            // REFRESH MATERIALIZED VIEW
    RoleChange,         // CREATE/ALTER/DROP ROLE, ALTER ROLE/DATABASE/SYSTEM SET, GRANT/REVOKE, REASSIGN/DROP OWNED
    Ddl,                // every other statement that changes the catalog
    Do, Call,
    Other,              // not known to this table: opaque
};

enum class Isolation { Default, ReadUncommitted, ReadCommitted, RepeatableRead, Serializable };

struct FunctionUse {
    std::string schema;  // empty: search path
    std::string name;    // for an operator: its symbol
    bool is_operator = false;
    bool operator==(const FunctionUse&) const = default;
};

// One statement of a query string. Vectors hold no duplicates.
struct Statement {
    StatementKind kind = StatementKind::Other;
    std::vector<RelationName> reads;     // FROM, joins, subqueries, CTE bodies (CTE names themselves left out), USING
    std::vector<RelationName> writes;    // targets of INSERT/UPDATE/DELETE/MERGE/TRUNCATE/COPY FROM, in CTEs too
    std::vector<FunctionUse> functions;  // called functions and operators, anywhere in the statement
    std::vector<RelationName> types;     // named in casts, as written (pg_catalog for the SQL-standard spellings)
    bool writes_in_cte = false;          // WITH x AS (INSERT/UPDATE/DELETE ...)
    bool locks_rows = false;             // FOR UPDATE/SHARE
    bool reads_clock = false;            // CURRENT_TIMESTAMP, LOCALTIME, ...
    bool reads_role = false;             // CURRENT_USER, SESSION_USER, CURRENT_SCHEMA, CURRENT_CATALOG ...
    bool samples = false;                // TABLESAMPLE
    bool system_columns = false;         // ctid, xmin, xmax, cmin, cmax (tableoid is harmless)
    bool chain = false;                  // COMMIT/ROLLBACK AND CHAIN
    bool is_local = false;               // SET LOCAL
    bool read_only = false;              // BEGIN READ ONLY
    bool cascade = false;                // TRUNCATE ... CASCADE
    bool discards_all = false;           // DISCARD ALL; DEALLOCATE ALL
    Isolation isolation = Isolation::Default;  // BEGIN, SET TRANSACTION
    std::string name;                    // of SET/RESET/SHOW: the setting; of PREPARE/EXECUTE/DEALLOCATE/cursor: it
    std::vector<Statement> inner;        // PREPARE, EXPLAIN (ANALYZE), DECLARE CURSOR, COPY (query) TO: the query
};

// All statements of a query string, in order; empty for a string without any.
// Fails with 42601 where libpg_query cannot parse: PostgreSQL may still (a newer syntax), so the caller forwards
// and takes it for opaque.
[[nodiscard]] Result<std::vector<Statement>> parse(std::string_view sql);

}  // namespace warmfront::sql
