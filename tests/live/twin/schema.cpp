#include "tests/live/twin/shop.h"

namespace warmfront::test {

// Every object here is a way for a write to reach a table that its text does not name, or for an answer to
// change though no row of the named table did.
static constexpr std::string_view kSchema = R"sql(
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE SCHEMA other;
GRANT USAGE, CREATE ON SCHEMA public, other TO alice, bob;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);

CREATE TABLE accounts (
    id int PRIMARY KEY, owner text, balance bigint NOT NULL CHECK (balance > -1000000000000),
    opened date, active bool DEFAULT true, feeling mood DEFAULT 'ok');
INSERT INTO accounts SELECT g, 'owner ' || g % 7, g * 100, DATE '2024-01-01' + g, g % 3 > 0,
    (ARRAY['sad','ok','happy'])[g % 3 + 1]::mood FROM generate_series(1, 40) g;
CREATE TABLE other.accounts (LIKE accounts INCLUDING ALL);
INSERT INTO other.accounts SELECT g, 'other ' || g, g, '2020-02-02', false, 'sad' FROM generate_series(1, 5) g;

CREATE TABLE orders (
    id serial PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE ON UPDATE CASCADE, amount numeric(12,2),
    note varchar(40), placed timestamptz DEFAULT '2024-05-05 12:00+00', payload bytea, tags text[], ref uuid,
    doc jsonb, span interval DEFAULT '1 day 02:03:04', weight float8 DEFAULT 0.1, quantity positive DEFAULT 1);
INSERT INTO orders (account, amount, note, payload, tags, ref, doc)
    SELECT g % 40 + 1, g * 1.25, 'note ' || g, decode(lpad(to_hex(g), 4, '0'), 'hex'), ARRAY['a', 'b' || g % 3],
           lpad(g::text, 32, '0')::uuid, jsonb_build_object('n', g, 'list', ARRAY[g, g + 1]) FROM generate_series(1, 120) g;
CREATE INDEX ON orders (account);

CREATE TABLE audit (what text, id int);
CREATE FUNCTION audit_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit VALUES (TG_OP, coalesce(NEW.id, OLD.id));
    RETURN NULL;
END $$;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION audit_account();

CREATE TABLE events (id int, day date, kind text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events SELECT g, DATE '2023-12-01' + g * 7, 'kind ' || g % 4 FROM generate_series(1, 60) g;

CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE children (toy text) INHERITS (parents);
INSERT INTO parents SELECT g, 'parent ' || g FROM generate_series(1, 5) g;
INSERT INTO children SELECT g, 'child ' || g, 'toy' FROM generate_series(101, 105) g;

CREATE TABLE settings (key text PRIMARY KEY, value text);
INSERT INTO settings VALUES ('color', 'blue'), ('size', 'L'), ('lang', 'de');
CREATE TABLE counters (k int PRIMARY KEY, v bigint NOT NULL);
INSERT INTO counters SELECT g, 0 FROM generate_series(1, 10) g;
CREATE UNLOGGED TABLE sketch (id int PRIMARY KEY, body text);
INSERT INTO sketch VALUES (1, 'one'), (2, 'two');
CREATE SEQUENCE ticket;

CREATE TABLE secrets (id int PRIMARY KEY, owner text, tenant text, body text);
INSERT INTO secrets VALUES (1, 'alice', 'red', 'a1'), (2, 'bob', 'red', 'b1'), (3, 'alice', 'blue', 'a2'), (4, 'bob', 'blue', 'b2');
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON secrets USING (owner = current_user OR tenant = current_setting('app.tenant', true));

CREATE VIEW rich AS SELECT id, owner, balance FROM accounts WHERE balance > 1000;
CREATE VIEW kinds AS SELECT kind, count(*) AS n FROM events GROUP BY kind;
CREATE MATERIALIZED VIEW totals AS SELECT account, sum(amount) AS total FROM orders GROUP BY account;
CREATE TABLE inbox (id int, body text);
CREATE VIEW mail AS SELECT * FROM inbox;
CREATE RULE deliver AS ON INSERT TO mail DO INSTEAD (INSERT INTO inbox VALUES (NEW.id, NEW.body);
                                                     UPDATE counters SET v = v + 1 WHERE k = 10);

CREATE FUNCTION bump(which int) RETURNS bigint LANGUAGE sql AS 'UPDATE counters SET v = v + 1 WHERE k = which RETURNING v';
CREATE FUNCTION innocent(which int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'UPDATE counters SET v = v + 100 WHERE k = ' || which;
    RETURN which;
END $$;
CREATE FUNCTION balance_of(which int) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT balance FROM accounts WHERE id = which';
CREATE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 2';
CREATE FUNCTION setting_of(which text) RETURNS text STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT value FROM settings WHERE key = which);
END $$;
CREATE FUNCTION orders_of(which int) RETURNS SETOF orders STABLE LANGUAGE sql AS
    'SELECT * FROM orders WHERE account = which ORDER BY id';
CREATE PROCEDURE transfer(giver int, taker int, sum bigint) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET balance = balance - sum WHERE id = giver;
    UPDATE accounts SET balance = balance + sum WHERE id = taker;
END $$;
CREATE PROCEDURE commits_then_fails(which int) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE counters SET v = v + 7 WHERE k = which;
    COMMIT;
    PERFORM 1 / (which - which);
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bob;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO bob;
GRANT SELECT ON accounts, orders, settings, secrets, rich, events, events_new, kinds, parents, counters TO alice;
)sql";

static constexpr std::string_view kContents[] = {
    "SELECT * FROM accounts ORDER BY id",
    "SELECT * FROM other.accounts ORDER BY id",
    "SELECT * FROM orders ORDER BY id",
    "SELECT what, id, count(*) FROM audit GROUP BY what, id ORDER BY what, id",
    "SELECT * FROM events ORDER BY id, day",
    "SELECT tableoid::regclass, * FROM parents ORDER BY id, name",
    "SELECT * FROM counters ORDER BY k",
    "SELECT * FROM inbox ORDER BY id, body",
    "SELECT * FROM sketch ORDER BY id",
    "SELECT * FROM secrets ORDER BY id",
    "SELECT last_value, is_called FROM ticket",
    "SELECT relname, relkind, relnatts FROM pg_class WHERE oid >= 16384 AND relname !~ 'toast|_\\d{4,}' "
    "ORDER BY 1, 2, 3",
};

const Subject& shop() {
    static const Subject kSubject{.schema = kSchema,
                                  .contents = kContents,
                                  .reads = shop_reads(),
                                  .writes = shop_writes(),
                                  .definitions = shop_definitions(),
                                  .sessions = shop_sessions()};
    return kSubject;
}

}  // namespace warmfront::test
