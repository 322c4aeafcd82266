"""psycopg 3: both formats, prepared statements, pipeline mode, COPY, cancel, notifications, errors, 64 MiB."""
import datetime as dt
import decimal
import ipaddress
import uuid

import psycopg
from psycopg.types.json import Jsonb

from common import big_bytes, compare, digest, once_active, settle

VALUES = [
    ("bool", True), ("int2", 7), ("int4", -70000), ("int8", 1 << 40), ("float8", 0.1), ("numeric", decimal.Decimal("12.3400")),
    ("text", "grün ☃ 'quoted'"), ("bytea", b"\x00\xff\\"), ("date", dt.date(2024, 2, 29)), ("time", dt.time(23, 59, 59, 5)),
    ("timestamp", dt.datetime(2024, 3, 31, 2, 30)), ("timestamptz", dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.timezone.utc)),
    ("interval", dt.timedelta(days=3, seconds=4)), ("uuid", uuid.UUID(int=42)), ("int4[]", [1, 2, None]),
    ("text[]", ["a", "b,c", '"']), ("inet", ipaddress.ip_address("192.168.0.1")), ("text", None),
]


def connect(way):
    return psycopg.connect(way.conninfo(), autocommit=True)


def parameters(way):
    seen = []
    with connect(way) as connection:
        for binary in (False, True):
            for prepare in (False, True, True):
                with connection.cursor(binary=binary) as cursor:
                    place = "%b" if binary else "%s"
                    for kind, value in VALUES:
                        cursor.execute(f"SELECT {place}::{kind}", [value], prepare=prepare)
                        seen.append((kind, cursor.fetchone()[0]))
                    cursor.execute("SELECT %s::jsonb", [Jsonb({"a": [1, None]})], prepare=prepare)
                    seen.append(cursor.fetchone())
    return seen


def repeated_reads(way):
    seen = []
    with connect(way) as connection:
        connection.execute("DROP TABLE IF EXISTS items")
        connection.execute("CREATE TABLE items (id int PRIMARY KEY, name text, price numeric, born date)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO items VALUES (%s, %s, %s, '2024-01-01')",
                               [(i, f"item {i}", decimal.Decimal(i) / 4) for i in range(50)])
        settle()
        for binary in (False, True):
            with connection.cursor(binary=binary) as cursor:
                for turn in range(40):
                    cursor.execute("SELECT * FROM items WHERE id = %s", [turn % 4], prepare=turn % 2 == 0)
                    seen.append(cursor.fetchall())
                    if turn % 10 == 9:
                        cursor.execute("UPDATE items SET price = price + 1 WHERE id = %s", [turn % 4])
        seen.append([(column.name, column.type_code) for column in connection.execute("SELECT id, name FROM items").description])
    return seen


def copy(way):
    with connect(way) as connection:
        connection.execute("DROP TABLE IF EXISTS copied")
        connection.execute("CREATE TABLE copied (id int, body text)")
        with connection.cursor() as cursor:
            with cursor.copy("COPY copied FROM STDIN") as target:
                for i in range(1000):
                    target.write_row((i, f"row\t{i}\n" if i % 2 else None))
            with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as target:
                target.set_types(["int4", "text"])
                target.write_row((5000, "binary"))
            with cursor.copy("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT") as source:
                rows = list(source.rows())
            try:
                with cursor.copy("COPY copied FROM STDIN") as target:
                    target.write("no number\tx\n")
            except psycopg.Error as error:
                rows.append((error.sqlstate, str(error)))
            cursor.execute("SELECT count(*), max(id) FROM copied")
            return rows, cursor.fetchone()


def pipeline(way):
    with connect(way) as connection:
        connection.execute("DROP TABLE IF EXISTS queue")
        connection.execute("CREATE TABLE queue (id int)")
        cursors = []
        with connection.pipeline() as pipe:
            for i in range(50):
                connection.execute("INSERT INTO queue VALUES (%s)", [i])
                cursors.append(connection.execute("SELECT count(*), max(id) FROM queue"))
                if i % 10 == 0:
                    pipe.sync()
        seen = [cursor.fetchone() for cursor in cursors]
        try:
            with connection.pipeline():
                connection.execute("SELECT 1 / 0")
                connection.execute("INSERT INTO queue VALUES (1000)")
        except psycopg.Error as error:
            seen.append((error.sqlstate, str(error)))
        return seen, connection.execute("SELECT count(*) FROM queue").fetchone()


def transactions(way):
    with connect(way) as connection:
        connection.execute("DROP TABLE IF EXISTS ledger")
        connection.execute("CREATE TABLE ledger (id int PRIMARY KEY, sum int)")
        connection.execute("INSERT INTO ledger VALUES (1, 0)")
        seen = []
        read = "SELECT sum FROM ledger WHERE id = 1"
        for fails in (False, True, False):
            try:
                with connection.transaction():
                    seen.append(connection.execute(read).fetchone())
                    connection.execute("UPDATE ledger SET sum = sum + 1")
                    seen.append(connection.execute(read).fetchone())
                    with connection.transaction(force_rollback=True):
                        connection.execute("UPDATE ledger SET sum = sum + 100")
                        seen.append(connection.execute(read).fetchone())
                    if fails:
                        connection.execute("INSERT INTO ledger VALUES (1, 1)")
            except psycopg.errors.UniqueViolation as error:
                seen.append(str(error))
            seen.append(connection.execute(read).fetchone())
        return seen


def cancel(way):
    with connect(way) as connection, connect(way) as watcher:
        def count(sql):
            return watcher.execute(sql).fetchone()[0]
        thread = once_active(count, "canceled by psycopg", connection.cancel)
        try:
            connection.execute("SELECT 'canceled by psycopg', pg_sleep(120)")
            state = None
        except psycopg.Error as error:
            state = error.sqlstate
        thread.join()
        return state, connection.execute("SELECT 1").fetchone()


def notifications(way):
    with connect(way) as listener, connect(way) as speaker:
        listener.execute("LISTEN news")
        for i in range(3):
            speaker.execute("SELECT pg_notify('news', %s)", [f"item {i}"])
        heard = []
        for notice in listener.notifies():
            heard.append((notice.channel, notice.payload))
            if len(heard) == 3:
                break
        return heard


def notices(way):
    heard = []
    with connect(way) as connection:
        connection.add_notice_handler(lambda diagnostic: heard.append((diagnostic.severity, diagnostic.message_primary)))
        connection.execute("DO $$BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END$$")
        connection.execute("DROP TABLE IF EXISTS never_there")
    return heard


def errors(way):
    seen = []
    with connect(way) as connection:
        connection.execute("DROP TABLE IF EXISTS strict")
        connection.execute("CREATE TABLE strict (id int CONSTRAINT key PRIMARY KEY, n int NOT NULL CONSTRAINT positive CHECK (n > 0))")
        for sql in ("SELECT nonsense", "INSERT INTO strict VALUES (1, 0)", "INSERT INTO strict VALUES (1, NULL)",
                    "INSERT INTO strict VALUES (1, 1), (1, 2)", "SELEC", "SELECT 1 FROM nowhere",
                    "DO $$BEGIN RAISE EXCEPTION 'mine' USING ERRCODE = 'XX123', DETAIL = 'd', HINT = 'h'; END$$"):
            try:
                connection.execute(sql)
            except psycopg.Error as error:
                d = error.diag
                seen.append((d.severity, d.sqlstate, d.message_primary, d.message_detail, d.message_hint, d.statement_position,
                             d.context, d.schema_name, d.table_name, d.column_name, d.constraint_name, d.source_function))
    return seen


def large_value(way):
    seen = []
    with connect(way) as connection:
        connection.execute("DROP TABLE IF EXISTS large")
        connection.execute("CREATE TABLE large (id int PRIMARY KEY, body bytea)")
        connection.execute("INSERT INTO large VALUES (1, %b)", [big_bytes()])
        for binary in (True, False):
            with connection.cursor(binary=binary) as cursor:
                cursor.execute("SELECT body FROM large WHERE id = 1")
                seen.append(digest(cursor.fetchone()[0]))
        connection.execute("DROP TABLE large")
    return seen


def server_cursor(way):
    with connect(way) as connection, connection.transaction():
        with connection.cursor("walk", withhold=False) as cursor:
            cursor.execute("SELECT g FROM generate_series(1, 100) g")
            return cursor.fetchmany(7) + cursor.fetchall()


compare([parameters, repeated_reads, copy, pipeline, transactions, cancel, notifications, notices, errors, large_value, server_cursor])
