"""psycopg 2: literals in simple queries, its own transaction blocks, COPY, cancel, notifications, errors, 64 MiB."""
import datetime as dt
import decimal
import io
import select
import uuid

import psycopg2
import psycopg2.extras

from common import big_bytes, compare, digest, once_active, settle

VALUES = [
    ("bool", True), ("int2", 7), ("int4", -70000), ("int8", 1 << 40), ("float8", 0.1), ("numeric", decimal.Decimal("12.3400")),
    ("text", "grün ☃ 'quoted' \\ back"), ("bytea", psycopg2.Binary(b"\x00\xff\\")), ("date", dt.date(2024, 2, 29)),
    ("time", dt.time(23, 59, 59, 5)), ("timestamp", dt.datetime(2024, 3, 31, 2, 30)),
    ("timestamptz", dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.timezone.utc)), ("interval", dt.timedelta(days=3, seconds=4)),
    ("uuid", uuid.UUID(int=42)), ("int4[]", [1, 2, None]), ("text[]", ["a", "b,c", '"']),
    ("jsonb", psycopg2.extras.Json({"a": [1, None]})), ("text", None),
]
psycopg2.extras.register_uuid()


def connect(way, autocommit=True):
    connection = psycopg2.connect(way.conninfo())
    connection.autocommit = autocommit
    return connection


def plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


def parameters(way):
    seen = []
    cursor = connect(way).cursor()
    for _ in range(2):
        for kind, value in VALUES:
            cursor.execute(f"SELECT %s::{kind}", [value])
            seen.append((kind, plain(cursor.fetchone()[0])))
    return seen


def repeated_reads(way):
    """Without autocommit: every read is in a transaction block."""
    connection = connect(way, autocommit=False)
    cursor = connection.cursor()
    cursor.execute("DROP TABLE IF EXISTS items")
    cursor.execute("CREATE TABLE items (id int PRIMARY KEY, name text, price numeric)")
    psycopg2.extras.execute_values(cursor, "INSERT INTO items VALUES %s", [(i, f"item {i}", i) for i in range(50)])
    connection.commit()
    settle()
    seen = []
    for turn in range(60):
        cursor.execute("SELECT * FROM items WHERE id = %s", [turn % 4])
        seen.append(cursor.fetchall())
        if turn % 10 == 5:
            cursor.execute("UPDATE items SET price = price + 1 WHERE id = %s", [turn % 4])
            cursor.execute("SELECT price FROM items WHERE id = %s", [turn % 4])
            seen.append(cursor.fetchall())
        if turn % 20 == 19:
            connection.rollback()
        else:
            connection.commit()
    cursor.execute("PREPARE by_id (int) AS SELECT name, price FROM items WHERE id = $1")
    for turn in range(20):
        cursor.execute("EXECUTE by_id (%s)", [turn % 3])
        seen.append(cursor.fetchall())
    connection.commit()
    return seen


def copy(way):
    connection = connect(way)
    cursor = connection.cursor()
    cursor.execute("DROP TABLE IF EXISTS copied; CREATE TABLE copied (id int, body text)")
    cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("".join(f"{i}\trow {i}\n" for i in range(1000))))
    out = io.StringIO()
    cursor.copy_expert("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT (FORMAT csv)", out)
    try:
        cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("no number\tx\n"))
    except psycopg2.Error as error:
        return out.getvalue(), error.pgcode, str(error)


def cancel(way):
    connection, watcher = connect(way), connect(way)

    def count(sql):
        cursor = watcher.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0]
    thread = once_active(count, "canceled by psycopg2", connection.cancel)
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT 'canceled by psycopg2', pg_sleep(120)")
        state = None
    except psycopg2.Error as error:
        state = error.pgcode
    thread.join()
    cursor.execute("SELECT 1")
    return state, cursor.fetchone()


def notifications(way):
    listener, speaker = connect(way), connect(way)
    listener.cursor().execute("LISTEN news")
    for i in range(3):
        speaker.cursor().execute(f"NOTIFY news, 'item {i}'")
    heard = []
    while len(heard) < 3 and select.select([listener], [], [], 30)[0]:
        listener.poll()
        while listener.notifies:
            notice = listener.notifies.pop(0)
            heard.append((notice.channel, notice.payload))
    return heard


def errors(way):
    seen = []
    connection = connect(way)
    cursor = connection.cursor()
    cursor.execute("DROP TABLE IF EXISTS strict")
    cursor.execute("CREATE TABLE strict (id int CONSTRAINT key PRIMARY KEY, n int NOT NULL CONSTRAINT positive CHECK (n > 0))")
    for sql in ("SELECT nonsense", "INSERT INTO strict VALUES (1, 0)", "INSERT INTO strict VALUES (1, NULL)",
                "INSERT INTO strict VALUES (1, 1), (1, 2)", "SELEC", "SELECT 1 FROM nowhere"):
        try:
            cursor.execute(sql)
        except psycopg2.Error as error:
            d = error.diag
            seen.append((d.severity, d.sqlstate, d.message_primary, d.message_detail, d.statement_position, d.schema_name,
                         d.table_name, d.column_name, d.constraint_name))
    return seen


def large_value(way):
    cursor = connect(way).cursor()
    cursor.execute("DROP TABLE IF EXISTS large; CREATE TABLE large (id int PRIMARY KEY, body bytea)")
    cursor.execute("INSERT INTO large VALUES (1, %s)", [psycopg2.Binary(big_bytes())])
    cursor.execute("SELECT body FROM large WHERE id = 1")
    seen = digest(cursor.fetchone()[0])
    cursor.execute("DROP TABLE large")
    return seen


def two_phases(way):
    connection, other = connect(way, autocommit=False), connect(way)
    cursor, reader = connection.cursor(), other.cursor()
    reader.execute("DROP TABLE IF EXISTS phases; CREATE TABLE phases (n int); INSERT INTO phases VALUES (0)")
    seen = []

    def look():
        reader.execute("SELECT n FROM phases")
        seen.append(reader.fetchall())
    for end in (connection.tpc_commit, connection.tpc_rollback):
        look()
        connection.tpc_begin(connection.xid(1, "by psycopg2", "branch"))
        cursor.execute("UPDATE phases SET n = n + 1")
        look()
        connection.tpc_prepare()
        look()
        end()
        look()
    return seen


compare([parameters, repeated_reads, copy, cancel, notifications, errors, large_value, two_phases])
