// Who may see what: rights on tables, columns, schemas and functions, membership of roles, row-level
// security, definers and invokers, and names that mean another thing for another user.
#include "tests/live/twin/patterns.h"

namespace warmfront::test {

static constexpr std::string_view kSchema = R"sql(
CREATE ROLE carol LOGIN;
CREATE ROLE staff;
CREATE ROLE clerks;
GRANT staff TO carol;
GRANT clerks TO staff;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO alice;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bob, carol;
CREATE SCHEMA vault;
GRANT USAGE ON SCHEMA vault TO staff;
CREATE TABLE vault.gold (id int PRIMARY KEY, owner text, bars int, place text);
INSERT INTO vault.gold SELECT g, (ARRAY['alice', 'bob', 'carol'])[g % 3 + 1], g, 'cellar' FROM generate_series(0, 6) g;
GRANT SELECT, UPDATE ON vault.gold TO staff;
CREATE TABLE pay (id int PRIMARY KEY, who text, amount int, memo text);
INSERT INTO pay SELECT g, (ARRAY['alice', 'bob', 'carol'])[g % 3 + 1], g * 10, 'memo' FROM generate_series(0, 6) g;
GRANT SELECT (id, who), UPDATE (memo) ON pay TO alice;
GRANT SELECT, UPDATE, INSERT, DELETE ON pay TO clerks;

CREATE SCHEMA alice AUTHORIZATION alice;
CREATE SCHEMA postgres;
CREATE TABLE alice.settings (key text PRIMARY KEY, value text);
INSERT INTO alice.settings VALUES ('color', 'of alice'), ('size', 'S');
CREATE TABLE alice.pay (id int PRIMARY KEY, who text, amount int, memo text);
INSERT INTO alice.pay VALUES (1, 'alice', -1, 'private');
ALTER TABLE alice.settings OWNER TO alice;
ALTER TABLE alice.pay OWNER TO alice;
CREATE TABLE other.pay (LIKE pay INCLUDING ALL);
INSERT INTO other.pay SELECT g, 'other', g, 'other' FROM generate_series(0, 3) g;
CREATE FUNCTION other.twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 20';
CREATE FUNCTION other.peek(which int) RETURNS int STABLE LANGUAGE sql AS 'SELECT -which';
GRANT SELECT, UPDATE ON other.pay TO bob;

CREATE TABLE members (tenant text, who text, PRIMARY KEY (tenant, who));
INSERT INTO members VALUES ('red', 'alice'), ('blue', 'alice'), ('red', 'bob'), ('green', 'carol');
CREATE TABLE docs (id int PRIMARY KEY, owner text DEFAULT current_user, tenant text, body text, secret bool DEFAULT false);
INSERT INTO docs SELECT g, (ARRAY['alice', 'bob', 'carol'])[g % 3 + 1], (ARRAY['red', 'blue', 'green'])[g % 3 + 1], 'doc ' || g,
    g = 6 FROM generate_series(0, 7) g;
GRANT ALL ON docs, members TO PUBLIC;
CREATE POLICY by_tenant ON docs FOR SELECT USING (tenant = current_setting('app.tenant', true));
CREATE POLICY by_owner ON docs USING (owner = current_user) WITH CHECK (owner = current_user);
CREATE POLICY by_member ON docs FOR UPDATE TO bob USING (EXISTS (SELECT FROM members m WHERE m.tenant = docs.tenant AND m.who = current_user));
CREATE POLICY open ON docs AS RESTRICTIVE TO carol USING (NOT secret);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE VIEW docs_of_bob AS SELECT id, body FROM docs;
ALTER VIEW docs_of_bob OWNER TO bob;
CREATE VIEW docs_mine WITH (security_invoker) AS SELECT id, body FROM docs;
CREATE VIEW pay_mine WITH (security_barrier) AS SELECT id, amount FROM pay WHERE who = current_user;
CREATE VIEW pay_all AS SELECT id, who, amount FROM pay;
GRANT SELECT, UPDATE ON docs_of_bob, docs_mine, pay_mine, pay_all TO PUBLIC;
CREATE FUNCTION peek(which int) RETURNS int STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT amount FROM public.pay WHERE id = which';
CREATE FUNCTION poke(which int) RETURNS int SECURITY DEFINER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.pay SET amount = amount + 1 WHERE id = which;
    RETURN which;
END $$;
CREATE FUNCTION pay_as(which int) RETURNS int STABLE LANGUAGE sql AS 'SELECT amount FROM pay WHERE id = which';
CREATE FUNCTION pay_there(which int) RETURNS int STABLE SET search_path = other LANGUAGE sql AS 'SELECT amount FROM pay WHERE id = which';
CREATE FUNCTION who_am_i() RETURNS text STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT current_user || '' '' || session_user';
CREATE FUNCTION tenant_is(which text) RETURNS text LANGUAGE sql AS 'SELECT set_config(''app.tenant'', which, false)';
CREATE FUNCTION in_schema(which text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', which || ', public', false);
    RETURN which;
END $$;
)sql";

static constexpr std::string_view kContents[] = {
    "SELECT * FROM vault.gold ORDER BY id",
    "SELECT * FROM pay ORDER BY id",
    "SELECT * FROM alice.pay ORDER BY id",
    "SELECT * FROM other.pay ORDER BY id",
    "SELECT * FROM alice.settings ORDER BY key",
    "SELECT * FROM members ORDER BY tenant, who",
    "SELECT * FROM docs ORDER BY id",
};

static constexpr Pattern kReads[] = {
    {3, Kind::Read, "SELECT bars FROM vault.gold WHERE id = {key}"},
    {2, Kind::Read, "SELECT owner, sum(bars) FROM vault.gold GROUP BY owner ORDER BY owner"},
    {3, Kind::Read, "SELECT id, who FROM pay WHERE id = {key}"},
    {3, Kind::Read, "SELECT amount FROM pay WHERE id = {key}"},
    {2, Kind::Read, "SELECT * FROM pay ORDER BY id"},
    {2, Kind::Read, "SELECT count(*) FROM pay WHERE who = {user}"},
    {2, Kind::Read, "SELECT amount FROM other.pay WHERE id = {key}"},
    {1, Kind::Read, "SELECT amount FROM public.pay WHERE id = {key}"},
    {4, Kind::Read, "SELECT id, body FROM docs ORDER BY id"},
    {3, Kind::Read, "SELECT body FROM docs WHERE id = {key}"},
    {2, Kind::Read, "SELECT count(*) FROM docs WHERE tenant = {tenant}"},
    {3, Kind::Read, "SELECT id FROM docs_of_bob ORDER BY id"},
    {3, Kind::Read, "SELECT body FROM docs_mine WHERE id = {key}"},
    {3, Kind::Read, "SELECT id, amount FROM pay_mine ORDER BY id"},
    {3, Kind::Read, "SELECT who, amount FROM pay_all WHERE id = {key}"},
    {2, Kind::Read, "SELECT d.id, m.who FROM docs d JOIN members m USING (tenant) ORDER BY d.id, m.who"},
    {2, Kind::Read, "SELECT who FROM members WHERE tenant = {tenant} ORDER BY who"},
    {3, Kind::Read, "SELECT peek({key})"},
    {2, Kind::Read, "SELECT pay_as({key})"},
    {2, Kind::Read, "SELECT pay_there({key})"},
    {1, Kind::Read, "SELECT who_am_i()"},
    {2, Kind::Read, "SELECT value FROM settings WHERE key = 'color'"},
    {1, Kind::Read,
     "SELECT a.value, b.value FROM public.settings a JOIN alice.settings b USING (key) ORDER BY key"},
    {1, Kind::Read, "SELECT current_schemas(false)"},
    {1, Kind::Read, "SELECT has_table_privilege('pay', 'SELECT'), has_schema_privilege('vault', 'USAGE')"},
    {1, Kind::Read, "SELECT pg_has_role({user}, 'staff', 'USAGE')"},
};

static constexpr Pattern kWrites[] = {
    {3, Kind::Write, "UPDATE vault.gold SET bars = {key} WHERE id = {key}"},
    {3, Kind::Write, "UPDATE pay SET amount = {key} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE pay SET memo = {name} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE pay SET who = {user} WHERE id = {key}"},
    {1, Kind::Write, "UPDATE other.pay SET amount = {key} WHERE id = {key}"},
    {1, Kind::Write, "UPDATE alice.settings SET value = {name} WHERE key = 'color'"},
    {1, Kind::Write, "UPDATE pay_mine SET amount = {key} WHERE id = {key}"},
    {1, Kind::Write, "UPDATE pay_all SET who = {user} WHERE id = {key}"},
    {3, Kind::Write, "UPDATE docs SET body = {name} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE docs SET tenant = {tenant} WHERE id = {key}"},
    {2, Kind::Write, "UPDATE docs SET owner = {user} WHERE id = {key}"},
    {1, Kind::Write, "UPDATE docs SET secret = NOT secret WHERE id = {key}"},
    {1, Kind::Write, "DELETE FROM docs WHERE id = {key}"},
    {2, Kind::Write,
     "INSERT INTO docs (id, tenant, body) VALUES ({key}, {tenant}, {name}) ON CONFLICT DO NOTHING"},
    {1, Kind::Write,
     "INSERT INTO docs VALUES ({key}, {user}, {tenant}, 'x') ON CONFLICT (id) DO UPDATE SET body = 'y'"},
    {1, Kind::Write, "UPDATE docs_mine SET body = {name} WHERE id = {key}"},
    {2, Kind::Write, "INSERT INTO members VALUES ({tenant}, {user}) ON CONFLICT DO NOTHING"},
    {1, Kind::Write, "DELETE FROM members WHERE tenant = {tenant} AND who = {user}"},
    {2, Kind::Write, "SELECT poke({key})"},
};

static constexpr Pattern kDefinitions[] = {
    // ---- tables, columns, schemas, functions
    {1, Kind::Definition, "REVOKE SELECT ON vault.gold FROM staff"},
    {2, Kind::Definition, "GRANT SELECT, UPDATE ON vault.gold TO staff"},
    {1, Kind::Definition, "GRANT SELECT ON vault.gold TO [grantee]"},
    {1, Kind::Definition, "REVOKE ALL ON vault.gold FROM [grantee]"},
    {1, Kind::Definition, "REVOKE USAGE ON SCHEMA vault FROM [grantee]"},
    {2, Kind::Definition, "GRANT USAGE ON SCHEMA vault TO [grantee]"},
    {1, Kind::Definition, "REVOKE SELECT ON pay FROM [grantee]"},
    {2, Kind::Definition, "GRANT SELECT ON pay TO [grantee]"},
    {1, Kind::Definition, "REVOKE SELECT (who) ON pay FROM [grantee]"},
    {2, Kind::Definition, "GRANT SELECT (id, who) ON pay TO [grantee]"},
    {1, Kind::Definition, "GRANT SELECT (amount) ON pay TO [grantee]"},
    {1, Kind::Definition, "REVOKE UPDATE ON pay FROM [grantee] CASCADE"},
    {1, Kind::Definition, "REVOKE SELECT ON docs FROM PUBLIC"},
    {2, Kind::Definition, "GRANT ALL ON docs TO PUBLIC"},
    {1, Kind::Definition, "REVOKE SELECT ON pay_all FROM PUBLIC"},
    {2, Kind::Definition, "GRANT SELECT ON pay_all TO PUBLIC"},
    {1, Kind::Definition, "REVOKE EXECUTE ON FUNCTION peek(int) FROM PUBLIC"},
    {2, Kind::Definition, "GRANT EXECUTE ON FUNCTION peek(int) TO PUBLIC"},
    {1, Kind::Definition, "REVOKE USAGE ON SCHEMA other FROM bob"},
    {2, Kind::Definition, "GRANT USAGE ON SCHEMA other TO bob, carol"},
    {1, Kind::Definition, "BEGIN; REVOKE SELECT ON pay FROM alice, clerks; ROLLBACK"},
    // ---- roles
    {1, Kind::Definition, "REVOKE staff FROM carol"},
    {2, Kind::Definition, "GRANT staff TO carol"},
    {1, Kind::Definition, "REVOKE clerks FROM staff"},
    {2, Kind::Definition, "GRANT clerks TO staff"},
    {1, Kind::Definition, "GRANT staff TO bob"},
    {1, Kind::Definition, "REVOKE staff FROM bob"},
    {1, Kind::Definition, "ALTER ROLE carol NOINHERIT"},
    {1, Kind::Definition, "ALTER ROLE carol INHERIT"},
    {1, Kind::Definition, "GRANT pg_read_all_data TO carol"},
    {1, Kind::Definition, "REVOKE pg_read_all_data FROM carol"},
    {1, Kind::Definition, "ALTER ROLE bob BYPASSRLS"},
    {2, Kind::Definition, "ALTER ROLE bob NOBYPASSRLS"},
    {1, Kind::Definition, "ALTER ROLE [role] SET app.tenant = 'green'"},
    {1, Kind::Definition, "ALTER TABLE pay OWNER TO [role]"},
    {2, Kind::Definition, "ALTER TABLE pay OWNER TO postgres"},
    // ---- rows
    {1, Kind::Definition, "ALTER TABLE docs DISABLE ROW LEVEL SECURITY"},
    {2, Kind::Definition, "ALTER TABLE docs ENABLE ROW LEVEL SECURITY"},
    {1, Kind::Definition, "ALTER TABLE docs FORCE ROW LEVEL SECURITY; ALTER TABLE docs OWNER TO bob"},
    {1, Kind::Definition, "ALTER TABLE docs NO FORCE ROW LEVEL SECURITY; ALTER TABLE docs OWNER TO postgres"},
    {1, Kind::Definition, "DROP POLICY IF EXISTS by_tenant ON docs"},
    {2, Kind::Definition,
     "CREATE POLICY by_tenant ON docs FOR SELECT USING (tenant = current_setting('app.tenant', true))"},
    {1, Kind::Definition, "ALTER POLICY by_owner ON docs USING (owner = session_user)"},
    {1, Kind::Definition, "ALTER POLICY by_owner ON docs USING (owner = current_user)"},
    {1, Kind::Definition, "ALTER POLICY open ON docs TO PUBLIC"},
    {1, Kind::Definition, "ALTER VIEW docs_of_bob OWNER TO [role]"},
    {1, Kind::Definition, "ALTER VIEW docs_mine SET (security_invoker = false)"},
    {2, Kind::Definition, "ALTER VIEW docs_mine SET (security_invoker = true)"},
    {1, Kind::Definition, "ALTER VIEW pay_all SET (security_invoker = true)"},
    {1, Kind::Definition, "ALTER VIEW pay_all RESET (security_invoker)"},
    {1, Kind::Definition, "ALTER FUNCTION peek(int) SECURITY INVOKER"},
    {2, Kind::Definition, "ALTER FUNCTION peek(int) SECURITY DEFINER"},
    {1, Kind::Definition, "ALTER FUNCTION pay_as(int) SET search_path = other, public"},
    {1, Kind::Definition, "ALTER FUNCTION pay_as(int) RESET search_path"},
    // ---- names
    {1, Kind::Definition,
     "CREATE TABLE postgres.pay AS SELECT id, 'of postgres' AS who, 0 AS amount FROM public.pay"},
    {2, Kind::Definition, "DROP TABLE IF EXISTS postgres.pay"},
    {1, Kind::Definition, "CREATE VIEW postgres.shelf AS SELECT what, -n AS n FROM public.shelf"},
    {2, Kind::Definition, "DROP VIEW IF EXISTS postgres.shelf"},
    {1, Kind::Definition, "ALTER SCHEMA alice RENAME TO alice_away"},
    {2, Kind::Definition, "ALTER SCHEMA alice_away RENAME TO alice"},
};

static constexpr Pattern kSessions[] = {
    {3, Kind::Session, "SET ROLE carol"},
    {2, Kind::Session, "SET ROLE staff"},
    {1, Kind::Session, "SET SESSION AUTHORIZATION carol"},
    {2, Kind::Session, "SET search_path TO \"$user\", public"},
    {1, Kind::Session, "SET search_path TO other, alice, public"},
    {1, Kind::Session, "SET search_path TO postgres, public"},
    {1, Kind::Session, "SELECT in_schema('alice')"},
    {2, Kind::Session, "SET app.tenant = 'blue'"},
    {1, Kind::Session, "SET LOCAL app.tenant = 'green'"},
    {1, Kind::Session, "SELECT tenant_is({tenant})"},
    {1, Kind::Session, "RESET app.tenant"},
    {1, Kind::Session, "SET row_security = on"},
    {2, Kind::Session, "PREPARE of_docs AS SELECT id, body FROM docs ORDER BY id"},
    {3, Kind::Session, "EXECUTE of_docs"},
    {2, Kind::Session, "PREPARE of_pay (int) AS SELECT amount FROM pay WHERE id = $1"},
    {3, Kind::Session, "EXECUTE of_pay({key})"},
};

const Subject& rights() {
    static constexpr Subject kSubject{.schema = kSchema,
                                      .contents = kContents,
                                      .reads = kReads,
                                      .writes = kWrites,
                                      .definitions = kDefinitions,
                                      .sessions = kSessions};
    return kSubject;
}

}  // namespace warmfront::test
