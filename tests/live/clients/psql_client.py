"""psql: a script with its own commands, whose whole output must be equal; errors in full; a large value."""
import os
import re
import subprocess

from common import compare

SCRIPT = r"""
\set VERBOSITY verbose
\conninfo
DROP TABLE IF EXISTS never_there;
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1.5);
INSERT INTO items SELECT g, 'item ' || g FROM generate_series(1, 20) g;
\copy items FROM STDIN
100	copied	3.25
101	copied too	4.50
\.
\! sleep 1
SELECT * FROM items WHERE id = 3;
SELECT * FROM items WHERE id = 3;
SELECT * FROM items WHERE id = 3 \gx
UPDATE items SET price = 9 WHERE id = 3;
SELECT * FROM items WHERE id = 3;
SELECT count(*) AS n FROM items \gset
\echo :n rows
\copy (SELECT * FROM items ORDER BY id LIMIT 3) TO STDOUT WITH (FORMAT csv)
\d items
\dt
SELECT nonsense;
INSERT INTO items VALUES (1, 'again');
BEGIN;
DELETE FROM items;
SELECT count(*) FROM items;
SAVEPOINT here;
SELECT 1 / 0;
ROLLBACK TO here;
SELECT count(*) FROM items;
ROLLBACK;
SELECT count(*) FROM items;
LISTEN news;
NOTIFY news, 'hello';
SET DateStyle = German; SELECT DATE '2024-02-01'; RESET DateStyle; SELECT DATE '2024-02-01';
SELECT 1 \; SELECT 2 \; SELECT 3;
\set FETCH_COUNT 5
SELECT id FROM items ORDER BY id;
\set FETCH_COUNT 0
SELECT 'gexec ' || id FROM items WHERE id < 3 ORDER BY id;
SELECT format('SELECT %s', id) FROM items WHERE id < 3 ORDER BY id \gexec
\encoding LATIN1
SELECT chr(228);
\encoding UTF8
\df+ no_such_function
DROP TABLE items;
\q
"""


def psql(way, *arguments, text=None):
    environment = dict(os.environ, PGPASSWORD=way.password, PGSSLMODE=way.sslmode)
    command = ["psql", "-X", "-h", way.host, "-p", str(way.port), "-U", way.user, "-d", way.database, *arguments]
    done = subprocess.run(command, input=text, env=environment, capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def script(way):
    status, out, err = psql(way, text=SCRIPT.encode())
    hidden = re.compile(rb'at port "\d+"|server process with PID \d+')
    return status, hidden.sub(b"-", out), hidden.sub(b"-", err)


def single_commands(way):
    return [psql(way, "-At", "-c", sql) for sql in ("SELECT 1; SELECT 2", "SELECT current_user", "SELEC", "SHOW server_version")]


def single_transaction(way):
    return [psql(way, "-1", "-At", "-v", "ON_ERROR_STOP=1", text=text.encode())
            for text in ("CREATE TABLE once (n int);", "INSERT INTO once VALUES (1); SELECT 1 / 0;", "TABLE once; DROP TABLE once;")]


def large_value(way):
    status, out, err = psql(way, "-At", "-c", "SELECT repeat('0123456789abcdef', 4 << 20)")
    return status, len(out), out[:64], err


def encrypted(way):
    status, out, _ = psql(way, "-c", "\\conninfo")
    return status, b"SSL connection" in out


compare([script, single_commands, single_transaction, large_value, encrypted])
