#include "tests/live/twin/shop.h"

namespace warmfront::test {

std::span<const Pattern> shop_definitions() {
    using enum Kind;
    static constexpr Pattern kPatterns[] = {
        // ---- tables that come and go
        {8, Definition, "CREATE TABLE [scratch] (id int PRIMARY KEY, a int, b text DEFAULT 'b')"},
        {3, Definition, "CREATE TABLE [scratch] AS SELECT k AS id, k * 2 AS a, 'from' AS b FROM counters"},
        {2, Definition, "SELECT id, 1 AS a INTO [scratch] FROM settings, generate_series(1, 2) id"},
        {2, Definition, "CREATE VIEW [scratch] AS SELECT id, balance AS a FROM accounts WHERE id < 4"},
        {4, Definition, "DROP TABLE [scratch]"},
        {2, Definition, "DROP TABLE IF EXISTS [scratch] CASCADE"},
        {2, Definition, "DROP VIEW IF EXISTS [scratch]"},
        {2, Definition, "ALTER TABLE [scratch] ADD COLUMN c int DEFAULT 7"},
        {2, Definition, "ALTER TABLE [scratch] DROP COLUMN b"},
        {2, Definition, "ALTER TABLE [scratch] ALTER COLUMN a TYPE bigint"},
        {2, Definition, "ALTER TABLE [scratch] RENAME COLUMN a TO z"},
        {3, Definition, "ALTER TABLE [scratch] RENAME TO [scratch]"},
        {1, Definition, "ALTER TABLE [scratch] SET SCHEMA other"},
        {1, Definition, "DROP TABLE IF EXISTS other.[scratch]"},
        {2, Definition, "TRUNCATE [scratch]"},
        // ---- that change what standing queries answer
        {3, Definition, "TRUNCATE counters; INSERT INTO counters SELECT g, g FROM generate_series(1, 10) g"},
        {2, Definition, "TRUNCATE events_old"},
        {1, Definition, "TRUNCATE sketch, inbox"},
        {2, Definition, "BEGIN; TRUNCATE settings; ROLLBACK"},
        {2, Definition, "ALTER TABLE settings ADD COLUMN extra text DEFAULT 'more'"},
        {2, Definition, "ALTER TABLE settings DROP COLUMN IF EXISTS extra"},
        {2, Definition,
         "CREATE OR REPLACE VIEW rich AS SELECT id, owner, balance FROM accounts WHERE balance > {small}"},
        {2, Definition,
         "CREATE OR REPLACE VIEW rich AS SELECT id, owner, balance FROM accounts WHERE balance > 2000"},
        {2, Definition,
         "CREATE OR REPLACE FUNCTION balance_of(which int) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT "
         "balance + 1 FROM accounts WHERE id = which'"},
        {2, Definition,
         "CREATE OR REPLACE FUNCTION balance_of(which int) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT "
         "balance FROM accounts WHERE id = which'"},
        {1, Definition,
         "CREATE OR REPLACE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n + n'"},
        {3, Definition, "REFRESH MATERIALIZED VIEW totals"},
        {1, Definition, "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'"},
        {1, Definition, "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad'"},
        {1, Definition, "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'"},
        {1, Definition, "ALTER TABLE accounts DISABLE TRIGGER audited"},
        {1, Definition, "ALTER TABLE accounts ENABLE TRIGGER audited"},
        {1, Definition, "ALTER TABLE events DETACH PARTITION events_old"},
        {2, Definition,
         "ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM (MINVALUE) TO ('2024-02-01')"},
        {1, Definition, "ALTER SEQUENCE ticket RESTART"},
        {1, Definition, "CREATE INDEX IF NOT EXISTS by_note ON orders (note)"},
        {1, Definition, "DROP INDEX IF EXISTS by_note"},
        {1, Definition, "ALTER VIEW kinds RENAME COLUMN n TO amount"},
        {1, Definition, "ALTER VIEW kinds RENAME COLUMN amount TO n"},
        {1, Definition, "COMMENT ON TABLE accounts IS {text}"},
        {1, Definition, "CREATE TABLE other.settings AS TABLE settings"},
        {1, Definition, "DROP TABLE IF EXISTS other.settings"},
        // ---- rights
        {2, Definition, "REVOKE SELECT ON settings FROM [role]"},
        {2, Definition, "GRANT SELECT ON settings, counters TO [role]"},
        {1, Definition, "REVOKE SELECT (balance) ON accounts FROM alice"},
        {1, Definition, "ALTER TABLE secrets DISABLE ROW LEVEL SECURITY"},
        {2, Definition, "ALTER TABLE secrets ENABLE ROW LEVEL SECURITY"},
        {1, Definition, "ALTER POLICY mine ON secrets USING (owner = current_user)"},
        {1, Definition,
         "ALTER POLICY mine ON secrets USING (owner = current_user OR tenant = current_setting('app.tenant', "
         "true))"},
        {1, Definition, "GRANT alice TO bob"},
        {1, Definition, "REVOKE alice FROM bob"},
        // ---- that show in the next session
        {1, Definition, "ALTER ROLE [role] SET DateStyle = 'German'"},
        {1, Definition, "ALTER ROLE [role] SET search_path = other, public"},
        {2, Definition, "ALTER ROLE [role] RESET ALL"},
        // ---- locks
        {1, Definition, "LOCK TABLE settings"},
        {1, Definition, "LOCK TABLE counters IN SHARE ROW EXCLUSIVE MODE NOWAIT"},
        {1, Definition, "VACUUM settings"},
        {1, Definition, "ANALYZE counters"},
        {1, Definition, "CLUSTER counters USING counters_pkey"},
        {1, Definition, "REINDEX TABLE settings"},
    };
    return kPatterns;
}

}  // namespace warmfront::test
