#include "tests/live/twin/shop.h"

namespace warmfront::test {

std::span<const Pattern> shop_reads() {
    using enum Kind;
    static constexpr Pattern kPatterns[] = {
        // ---- by key
        {30, Read, "SELECT id, owner, balance FROM accounts WHERE id = {account}"},
        {10, Read, "SELECT * FROM accounts WHERE id = {account}"},
        {10, Read,
         "SELECT balance, active, feeling, opened FROM accounts WHERE id = {account} AND active = {flag}"},
        {12, Read, "SELECT id, amount, note, payload, ref FROM orders WHERE id = {order}"},
        {6, Read, "SELECT placed, span, tags, doc, weight FROM orders WHERE id = {order}"},
        {10, Read, "SELECT v FROM counters WHERE k = {counter}"},
        {10, Read, "SELECT value FROM settings WHERE key = {setting}"},
        {4, Read, "SELECT body FROM sketch WHERE id = {small}"},
        {4, Read, "SELECT id FROM orders WHERE ref = {uuid} ORDER BY id"},
        {3, Read, "SELECT id FROM orders WHERE payload = {bytes} ORDER BY id"},
        {3, Read, "SELECT id FROM orders WHERE note = {text} ORDER BY id"},
        {3, Read, "select ID , Owner\n from accounts -- the owner\n where id={account}"},
        {2, Read, "SELECT id FROM accounts WHERE id = {account} /* warmfront: off */"},
        {2, Read, "/* warmfront: ttl=1h */ SELECT v FROM counters WHERE k = {counter}"},
        // ---- ranges, joins, aggregates
        {6, Read,
         "SELECT id, balance FROM accounts WHERE id BETWEEN {account} AND {account} ORDER BY id [order]"},
        {4, Read, "SELECT id FROM accounts WHERE id IN ({account}, {account}, {account}) ORDER BY 1"},
        {4, Read, "SELECT id, owner FROM accounts WHERE owner > {name} ORDER BY owner, id LIMIT 3 OFFSET 1"},
        {6, Read,
         "SELECT a.owner, o.amount FROM accounts a JOIN orders o ON o.account = a.id WHERE a.id = {account} "
         "ORDER BY o.id"},
        {3, Read,
         "SELECT a.id, (SELECT sum(amount) FROM orders o WHERE o.account = a.id) FROM accounts a ORDER BY "
         "a.id LIMIT {small}"},
        {4, Read, "SELECT [aggregate] FROM accounts"},
        {3, Read, "SELECT [aggregate] FROM orders WHERE account < {account}"},
        {3, Read,
         "SELECT owner, count(*), sum(balance) FROM accounts GROUP BY owner HAVING count(*) > 1 ORDER BY "
         "owner [order]"},
        {2, Read,
         "SELECT id, rank() OVER (PARTITION BY active ORDER BY balance, id) FROM accounts ORDER BY id"},
        {3, Read, "WITH big AS (SELECT * FROM accounts WHERE balance > {big}) SELECT count(*) FROM big"},
        {2, Read,
         "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n "
         "ORDER BY i"},
        {3, Read,
         "SELECT id FROM accounts UNION SELECT account FROM orders EXCEPT SELECT {account}::int ORDER BY 1"},
        {2, Read, "SELECT DISTINCT feeling FROM accounts ORDER BY feeling [order]"},
        {2, Read,
         "SELECT string_agg(owner, ',' ORDER BY id), array_agg(id ORDER BY id) FROM accounts WHERE active"},
        {2, Read, "SELECT doc -> 'n', doc #>> '{list,1}' FROM orders WHERE id = {order}"},
        {2, Read, "SELECT EXISTS (SELECT FROM orders WHERE account = {account} AND amount > {amount})"},
        // ---- through other objects
        {5, Read, "SELECT * FROM rich WHERE id < {account} ORDER BY id"},
        {4, Read, "SELECT * FROM kinds ORDER BY kind"},
        {4, Read, "SELECT total FROM totals WHERE account = {account}"},
        {4, Read, "SELECT balance_of({account})"},
        {3, Read, "SELECT setting_of({setting})"},
        {3, Read, "SELECT id, amount FROM orders_of({account})"},
        {3, Read, "SELECT twice({small})"},
        {5, Read, "SELECT id, kind FROM events WHERE day < {date} ORDER BY id, day LIMIT 10"},
        {3, Read, "SELECT count(*) FROM events_new"},
        {3, Read, "SELECT id, name FROM parents ORDER BY id, name"},
        {2, Read, "SELECT id, name FROM ONLY parents ORDER BY id"},
        {3, Read, "SELECT what, count(*), min(id) FROM audit GROUP BY what ORDER BY what"},
        {2, Read, "SELECT id, body FROM inbox ORDER BY id, body LIMIT 20"},
        {4, Read, "SELECT id, body FROM secrets ORDER BY id"},
        {3, Read, "SELECT * FROM other.accounts WHERE id = {account}"},
        {4, Read, "SELECT t.* FROM [scratch] t ORDER BY t"},
        {2, Read, "SELECT count(*) FROM [scratch]"},
        {2, Read, "TABLE settings ORDER BY key"},
        {1, Read, "SELECT s FROM settings s ORDER BY key"},
        // ---- constants and formats
        {2, Read, "SELECT {small} + {small} AS sum"},
        {2, Read, "SELECT {text}::text, {flag}::bool, {amount}::numeric, {date}::date"},
        {2, Read,
         "SELECT TIMESTAMPTZ '2024-03-31 01:30+00', INTERVAL '1 mon 3 days', 0.1::float8 + 0.2, "
         "'\\x00ff'::bytea"},
        {1, Read, "SELECT"},
        {1, Read, "SELECT NULL, ''"},
        {1, Read, "SELECT E'tab\\t\\'q\\'', U&'\\00e4', $tag$it's$tag$, 'a' 'b'"},
        {1, Read, "VALUES (1, {text}), (2, 'b') ORDER BY 1"},
        // ---- must not be served from a cache
        {3, Read, "SELECT nextval('ticket')"},
        {2, Read, "SELECT last_value, is_called FROM ticket"},
        {1, Read, "SELECT currval('ticket')"},
        {1, Read, "SELECT lastval()"},
        {1, Read, "SELECT setval('ticket', 50, {flag})"},
        {3, Write, "SELECT bump({counter})"},
        {2, Write, "SELECT innocent({counter})"},
        {2, Write, "SELECT id FROM accounts WHERE id = {account} FOR UPDATE"},
        {1, Write, "SELECT id FROM accounts WHERE id = {account} FOR SHARE SKIP LOCKED"},
        {1, Write, "SELECT id FROM accounts WHERE id = {account} FOR NO KEY UPDATE NOWAIT"},
        {2, Read, "SELECT current_user, session_user, current_schema"},
        {2, Read, "SELECT current_setting('search_path'), current_setting('app.tenant', true)"},
        {1, Read, "SELECT random() < 2, setseed(0.25) IS NULL"},
        {1, Read, "SELECT setseed(0.5); SELECT random(); SELECT random()"},
        {1, Read, "SELECT pg_try_advisory_lock(4), pg_advisory_unlock(4)"},
        // ---- the catalog
        {2, Read,
         "SELECT relname, relkind, relnatts FROM pg_class WHERE relname = '[scratch]' ORDER BY relname"},
        {1, Read,
         "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '[scratch]' ORDER "
         "BY 1, 2"},
        {1, Read, "SELECT '[scratch]'::regclass::text, to_regclass('[scratch]')::text"},
        {1, Read, "SELECT has_table_privilege('alice', 'settings', 'SELECT')"},
        {1, Read, "SELECT enumlabel FROM pg_enum WHERE enumtypid = 'mood'::regtype ORDER BY enumsortorder"},
        {1, Read, "SELECT enum_range(NULL::mood)::text"},
        {1, Read, "SELECT name, statement, from_sql FROM pg_prepared_statements ORDER BY name"},
        {1, Read, "SELECT name, statement, is_holdable FROM pg_cursors WHERE name <> '' ORDER BY name"},
        {1, Read, "SELECT gid FROM pg_prepared_xacts ORDER BY gid"},
        // ---- copies out
        {2, Read, "COPY (SELECT id, owner, balance FROM accounts ORDER BY id) TO STDOUT"},
        {1, Read, "COPY (SELECT * FROM settings ORDER BY key) TO STDOUT WITH (FORMAT csv, HEADER)"},
        {1, Read, "COPY (SELECT k, v FROM counters ORDER BY k) TO STDOUT WITH (FORMAT binary)"},
    };
    return kPatterns;
}

}  // namespace warmfront::test
