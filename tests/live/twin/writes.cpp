#include "tests/live/twin/shop.h"

namespace warmfront::test {

std::span<const Pattern> shop_writes() {
    using enum Kind;
    static constexpr Pattern kPatterns[] = {
        // ---- one row
        {10, Write, "UPDATE accounts SET balance = balance + {small} WHERE id = {account}"},
        {4, Write, "UPDATE accounts SET owner = {name} WHERE id = {account} RETURNING id, owner, balance"},
        {3, Write, "UPDATE accounts SET feeling = {mood}, active = NOT active WHERE id = {account}"},
        {4, Write, "INSERT INTO accounts (id, owner, balance) VALUES ({account}, {name}, {big})"},
        {5, Write,
         "INSERT INTO accounts (id, owner, balance) VALUES ({account}, {name}, 1) ON CONFLICT (id) DO UPDATE "
         "SET balance = accounts.balance + 1 RETURNING *"},
        {2, Write,
         "INSERT INTO accounts (id, owner, balance) VALUES ({account}, {name}, 2) ON CONFLICT DO NOTHING"},
        {3, Write, "DELETE FROM accounts WHERE id = {account}"},
        {4, Write,
         "INSERT INTO orders (account, amount, note, payload, ref, quantity) VALUES ({account}, {amount}, "
         "{text}, {bytes}, {uuid}, {small}) RETURNING id, note"},
        {5, Write, "UPDATE orders SET amount = {amount}, note = {text} WHERE id = {order}"},
        {2, Write,
         "UPDATE orders SET payload = {bytes}, weight = weight + 0.25, tags = tags || {text}::text WHERE id "
         "= {order} RETURNING payload, weight"},
        {2, Write,
         "UPDATE orders SET doc = jsonb_set(doc, ARRAY['n'], to_jsonb({small}::int)) WHERE id = {order}"},
        {3, Write, "DELETE FROM orders WHERE id = {order} OR id > 160"},
        {8, Write, "UPDATE counters SET v = v + 1 WHERE k = {counter}"},
        {3, Write, "UPDATE counters SET v = v + 1 WHERE k = {counter} RETURNING v"},
        {5, Write, "UPDATE settings SET value = {text} WHERE key = {setting}"},
        {2, Write,
         "INSERT INTO settings VALUES ({setting}, {text}) ON CONFLICT (key) DO UPDATE SET value = "
         "EXCLUDED.value"},
        {3, Write,
         "INSERT INTO sketch VALUES ({small}, {text}) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body"},
        {3, Write, "INSERT INTO events VALUES ({order}, {date}, {name}) ON CONFLICT DO NOTHING"},
        {2, Write, "UPDATE events SET day = {date} WHERE id = {order} AND day = {date}"},
        {2, Write, "UPDATE events_new SET kind = {name} WHERE id = {order}"},
        {2, Write, "DELETE FROM events_old WHERE id = {order}"},
        {2, Write, "INSERT INTO children VALUES ({order}, {name}, 'toy')"},
        {2, Write, "UPDATE parents SET name = {name} WHERE id = {order}"},
        {1, Write, "DELETE FROM ONLY parents WHERE id = {small}"},
        {2, Write, "INSERT INTO mail VALUES ({small}, {text})"},
        {2, Write, "UPDATE rich SET balance = balance - 1 WHERE id = {account}"},
        {2, Write,
         "UPDATE secrets SET tenant = CASE tenant WHEN 'red' THEN 'blue' ELSE 'red' END WHERE id = {small}"},
        {2, Write, "UPDATE other.accounts SET balance = {big} WHERE id = {account}"},
        {3, Write, "INSERT INTO [scratch] VALUES ({small}, {small})"},
        {2, Write, "UPDATE [scratch] SET a = {small} WHERE id = {small}"},
        {1, Write, "DELETE FROM [scratch] WHERE id > {small}"},
        // ---- many rows
        {2, Write, "UPDATE accounts SET active = {flag} WHERE id > {account}"},
        {2, Write, "UPDATE counters SET v = 0"},
        {1, Write, "DELETE FROM audit"},
        {1, Write, "DELETE FROM inbox WHERE id > {small}"},
        {2, Write,
         "INSERT INTO accounts (id, owner, balance) SELECT g, 'refill', 500 FROM generate_series(1, 40) g ON "
         "CONFLICT DO NOTHING"},
        {2, Write,
         "INSERT INTO events SELECT g, DATE '2024-01-01' + g, 'refill' FROM generate_series(1, 20) g ON "
         "CONFLICT DO NOTHING"},
        {1, Write,
         "INSERT INTO parents SELECT g, 'parent ' || g FROM generate_series(1, 5) g ON CONFLICT DO NOTHING"},
        {1, Write, "DELETE FROM children WHERE id < 100"},
        {2, Write,
         "UPDATE accounts a SET balance = balance + 1 FROM orders o WHERE o.account = a.id AND o.id = "
         "{order}"},
        {1, Write,
         "DELETE FROM orders USING accounts a WHERE a.id = orders.account AND a.id = {account} AND orders.id "
         "> 100"},
        {3, Write,
         "MERGE INTO counters c USING (VALUES ({counter}::int)) AS s(k) ON c.k = s.k WHEN MATCHED THEN "
         "UPDATE SET v = c.v + 10 WHEN NOT MATCHED THEN INSERT VALUES (s.k, 0)"},
        // ---- hidden in something else
        {3, Write,
         "WITH gone AS (DELETE FROM orders WHERE id = {order} RETURNING id) SELECT count(*) FROM gone"},
        {3, Write,
         "WITH up AS (UPDATE counters SET v = v + 2 WHERE k < {counter} RETURNING k, v) SELECT * FROM up "
         "ORDER BY k"},
        {1, Write,
         "WITH ins AS (INSERT INTO settings VALUES ({name}, 'x') ON CONFLICT DO NOTHING RETURNING 1) SELECT "
         "count(*) FROM ins"},
        {2, Write, "CALL transfer({account}, {account}, 5)"},
        {2, Write, "CALL commits_then_fails({counter})"},
        {2, Write, "DO $$BEGIN UPDATE counters SET v = v + 1000 WHERE k = 3; RAISE NOTICE 'done'; END$$"},
        {1, Write,
         "DO $$BEGIN UPDATE counters SET v = v + 1 WHERE k = 2; COMMIT; UPDATE counters SET v = v + 1 WHERE "
         "k = 2; RAISE EXCEPTION 'after a commit'; END$$"},
        // ---- strings of several commands
        {3, Write,
         "UPDATE counters SET v = v + 1 WHERE k = {counter}; SELECT v FROM counters WHERE k = {counter}"},
        {2, Write, "UPDATE counters SET v = v + 1 WHERE k = {counter}; SELECT 1 / 0"},
        {2, Write, "UPDATE counters SET v = v + 1 WHERE k = {counter}; COMMIT; SELECT 1 / 0"},
        {2, Write, "BEGIN; UPDATE settings SET value = {text} WHERE key = {setting}; COMMIT"},
        {2, Write, "BEGIN; DELETE FROM settings; ROLLBACK"},
        {1, Write,
         "SELECT v FROM counters WHERE k = 1; INSERT INTO settings VALUES ('a', {text}), ('a', 'b'); SELECT "
         "2"},
        {1, Write, "SELECT 1; SELECT count(*) FROM accounts; SELECT id FROM accounts ORDER BY id LIMIT 1;"},
        // ---- copies in
        {2, Write, "COPY counters (k, v) FROM STDIN<<<{counter}\t5\n"},
        {2, Write, "COPY sketch FROM STDIN<<<51\tcopied\n52\tmore\n"},
        {1, Write, "DELETE FROM sketch WHERE id > 50<<<not a copy at all"},
        {1, Write, "COPY inbox FROM STDIN WITH (FORMAT csv)<<<7,\"a \"\"quoted\"\" text\"\n8,plain\n"},
        {1, Write, "COPY inbox FROM STDIN<<<nine\tnot a number\n"},
        {1, Write, "COPY nowhere FROM STDIN<<<1\t2\n"},
    };
    return kPatterns;
}

}  // namespace warmfront::test
