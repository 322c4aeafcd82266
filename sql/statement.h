// sql/statement.h: what a statement says, read off PostgreSQL's own parse tree, before any catalog is asked.
//
// The one door to libpg_query. Facts only: names as written, no look-ups. Costs 50-100 µs for a small query,
// so it runs once per template. Thread-safe (libpg_query keeps its state per thread).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "sql/names.h"
#include "sql/statement_rows.h"

namespace warmfront::sql {

enum class StatementKind {
    Empty,
    Select,  // SELECT, VALUES, TABLE without INTO
    Insert,
    Update,
    Delete,
    Merge,
    Truncate,
    CopyFrom,
    CopyTo,
    Begin,
    Commit,
    Rollback,
    Savepoint,
    ReleaseSavepoint,
    RollbackToSavepoint,
    PrepareTransaction,
    CommitPrepared,
    RollbackPrepared,
    SetTransaction,  // SET TRANSACTION, SET SESSION CHARACTERISTICS
    Set,             // SET, RESET, SET ROLE, SET SESSION AUTHORIZATION, SET CONSTRAINTS excluded
    Show,
    Discard,
    PrepareStatement,
    ExecuteStatement,
    Deallocate,
    DeclareCursor,
    Fetch,
    CloseCursor,
    Explain,
    ExplainAnalyze,
    Listen,
    Notify,
    Lock,
    SetConstraints,
    Maintenance,  // VACUUM, ANALYZE, REINDEX, CLUSTER, CHECKPOINT, LOAD: no row's value changes
    CreateTemp,   // CREATE TEMP TABLE/VIEW/SEQUENCE, CREATE TEMP TABLE AS, SELECT INTO TEMP
    Refresh,      // REFRESH MATERIALIZED VIEW
    RoleChange,   // CREATE/ALTER/DROP ROLE or DATABASE, ALTER SYSTEM, GRANT/REVOKE, REASSIGN/DROP OWNED
    Ddl,          // every other statement that changes the catalog
    Do,
    Call,
    Other,  // not known to this table: opaque
};

enum class Isolation { Default, ReadUncommitted, ReadCommitted, RepeatableRead, Serializable };

struct FunctionUse {
    // Field: "x.name", which calls name(x) where x is a row without a column of that name.
    enum class Form { Call, Operator, Field };
    Form form = Form::Call;
    std::string schema;  // empty: search path
    std::string name;    // for an operator: its symbol
    int arguments = 0;   // as written; -1 for VARIADIC
    bool operator==(const FunctionUse&) const = default;
};

// A relation that a statement changes. Neither flag: rows are only added, or all are taken away (TRUNCATE),
// so that no foreign key acts.
struct WriteTarget {
    RelationName relation;
    bool updates = false;  // UPDATE, MERGE, INSERT ... ON CONFLICT DO UPDATE
    bool deletes = false;  // DELETE, MERGE
    bool inserts = false;  // INSERT, MERGE, COPY FROM
    bool operator==(const WriteTarget&) const = default;
};

// One statement of a query string. Vectors hold no duplicates. Nothing in it depends on the value of a
// literal, since one Statement stands for every statement of its template; EXPLAIN (ANALYZE 'off') therefore
// counts as ANALYZE. (The body of a DO block is part of its template.)
struct Statement {
    StatementKind kind = StatementKind::Other;
    std::vector<RelationName>
        reads;  // FROM, joins, subqueries, CTE bodies (CTE names themselves left out), USING
    std::vector<WriteTarget>
        writes;  // targets of INSERT/UPDATE/DELETE/MERGE/TRUNCATE/COPY FROM/REFRESH, in CTEs too
    // Called functions and operators, anywhere in the statement; of CALL the procedure comes first, as if it
    // were one.
    std::vector<FunctionUse> functions;
    std::vector<RelationName>
        types;                   // named in casts, as written (pg_catalog for the SQL-standard spellings)
    bool writes_in_cte = false;  // WITH x AS (INSERT/UPDATE/DELETE ...)
    bool locks_rows = false;     // FOR UPDATE/SHARE
    bool reads_clock = false;    // CURRENT_TIMESTAMP, LOCALTIME, ...
    bool reads_role = false;     // CURRENT_USER, SESSION_USER, CURRENT_CATALOG (CURRENT_SCHEMA is a function)
    bool samples = false;        // TABLESAMPLE
    bool system_columns = false;  // ctid, xmin, xmax, cmin, cmax (tableoid is harmless)
    // PostgreSQL's date and time types read the words now, today, ... as the clock, also out of a column. So
    // casts to them are kept apart: of columns by name (who knows the types can judge), of literals and dates
    // not at all.
    std::vector<std::string> columns_cast_to_time;
    bool casts_other_to_time = false;  // of an expression that may be text
    std::vector<std::string> aliases;  // names given with AS to tables, columns and CTEs, anywhere
    // Names of columns used anywhere but as targets; all_columns: also some that are not written (*,
    // NATURAL).
    std::vector<std::string> columns;
    bool all_columns = false;
    // Every SELECT in it, also nested ones; empty unless each table that it reads is an item of one of them.
    std::vector<QueryLevel> levels;
    // Of an INSERT, UPDATE or DELETE; nullopt: any row of the target may be meant.
    std::optional<TargetRows> target_rows;
    std::optional<CopiedRows> copied_rows;  // of a COPY FROM whose data can be read on its way
    // Names (lower case) that current_setting() is called with; reads_any_setting: one that is not written
    // out.
    std::vector<std::string> settings_read;
    bool reads_any_setting = false;
    std::vector<std::uint32_t> repeated_parameters;  // used at more than one place
    bool chain = false;                              // COMMIT/ROLLBACK AND CHAIN
    bool is_local = false;                           // SET LOCAL
    bool read_only = false;                          // BEGIN READ ONLY
    bool cascade = false;                            // TRUNCATE ... CASCADE
    bool discards_all = false;                       // DISCARD ALL; DEALLOCATE ALL
    Isolation isolation = Isolation::Default;        // BEGIN, SET TRANSACTION
    std::string name;  // of SET/RESET/SHOW: the setting; of PREPARE/EXECUTE/DEALLOCATE/cursor: it
    std::string body;  // of DO: the code; its language is in name
    // PREPARE, EXPLAIN (ANALYZE), DECLARE CURSOR, COPY (query) TO, CREATE TEMP TABLE AS: the query, whose
    // facts are not repeated in the outer statement. CREATE RULE: the actions. CREATE FUNCTION with an
    // SQL-standard body: its statements.
    std::vector<Statement> inner;
};

// All statements of a query string, in order; empty for a string without any.
// Fails with 42601 where libpg_query cannot parse: PostgreSQL may still (a newer syntax), so the caller
// forwards and takes it for opaque. Fails with 54001 for a text of more than kStatementBytesMax or nested so
// deeply that the parser, which recurses, might not fit a thread's stack of 8 MiB.
[[nodiscard]] Result<std::vector<Statement>> parse(std::string_view sql);

inline constexpr std::size_t kStatementBytesMax = std::size_t{1} << 20;

// The text after "warmfront:" of the first comment that begins so, blanks trimmed; empty without one, and
// where the text is not even a sequence of tokens.
[[nodiscard]] std::string hint_in(std::string_view sql);

}  // namespace warmfront::sql
