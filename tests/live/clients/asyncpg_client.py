"""asyncpg: binary everywhere, a cache of prepared statements of its own, portals with row limits, COPY, cancel."""
import asyncio
import datetime as dt
import decimal
import io
import ipaddress
import ssl
import uuid

import asyncpg

from common import big_bytes, compare, digest, settle

VALUES = [
    ("bool", True), ("int2", 7), ("int4", -70000), ("int8", 1 << 40), ("float8", 0.1), ("numeric", decimal.Decimal("12.3400")),
    ("text", "grün ☃ 'quoted'"), ("bytea", b"\x00\xff\\"), ("date", dt.date(2024, 2, 29)), ("time", dt.time(23, 59, 59, 5)),
    ("timestamp", dt.datetime(2024, 3, 31, 2, 30)), ("timestamptz", dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.timezone.utc)),
    ("interval", dt.timedelta(days=3, seconds=4)), ("uuid", uuid.UUID(int=42)), ("int4[]", [1, 2, None]),
    ("text[]", ["a", "b,c", '"']), ("jsonb", '{"a": [1, null]}'), ("inet", ipaddress.ip_address("192.168.0.1")), ("text", None),
]


async def connect(way, **options):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate of the test signs itself
    return await asyncpg.connect(host=way.host, port=way.port, user=way.user, password=way.password, database=way.database,
                                 ssl=context if way.sslmode != "disable" else None, **options)


def check(function):
    """Makes a plain function of a coroutine of (way, connection)."""
    def run(way):
        async def body():
            connection = await connect(way)
            try:
                return await function(way, connection)
            finally:
                await connection.close()
        return asyncio.run(body())
    run.__name__ = function.__name__
    return run


@check
async def parameters(way, connection):
    seen = []
    for _ in range(2):
        for kind, value in VALUES:
            seen.append((kind, await connection.fetchval(f"SELECT $1::{kind}", value)))
    return seen


@check
async def repeated_reads(way, connection):
    await connection.execute("DROP TABLE IF EXISTS items")
    await connection.execute("CREATE TABLE items (id int PRIMARY KEY, name text, price numeric)")
    await connection.executemany("INSERT INTO items VALUES ($1, $2, $3)", [(i, f"item {i}", i) for i in range(50)])
    settle()
    uncached = await connect(way, statement_cache_size=0)
    statement = await connection.prepare("SELECT id, name, price FROM items WHERE id = $1")
    seen = [[(a.name, a.type.name) for a in statement.get_attributes()]]
    for turn in range(40):
        seen.append(tuple(await connection.fetchrow("SELECT * FROM items WHERE id = $1", turn % 4)))
        seen.append(tuple(await statement.fetchrow(turn % 4)))
        seen.append(await uncached.fetchval("SELECT price FROM items WHERE id = $1", turn % 4))
        if turn % 10 == 9:
            await connection.execute("UPDATE items SET price = price + 1 WHERE id = $1", turn % 4)
    await uncached.close()
    return seen


@check
async def transactions(way, connection):
    await connection.execute("DROP TABLE IF EXISTS ledger")
    await connection.execute("CREATE TABLE ledger (id int PRIMARY KEY, sum int)")
    await connection.execute("INSERT INTO ledger VALUES (1, 0)")
    seen = []
    for isolation in ("read_committed", "repeatable_read", "serializable"):
        for fails in (False, True):
            try:
                async with connection.transaction(isolation=isolation):
                    seen.append(await connection.fetchval("SELECT sum FROM ledger"))
                    await connection.execute("UPDATE ledger SET sum = sum + 1")
                    seen.append(await connection.fetchval("SELECT sum FROM ledger"))
                    if fails:
                        await connection.execute("INSERT INTO ledger VALUES (1, 1)")
            except asyncpg.PostgresError as error:
                seen.append(error.sqlstate)
            seen.append(await connection.fetchval("SELECT sum FROM ledger"))
    return seen


@check
async def portals(way, connection):
    async with connection.transaction():
        cursor = await connection.cursor("SELECT g FROM generate_series(1, 100) g")
        seen = [r[0] for r in await cursor.fetch(7)]
        await cursor.forward(3)
        seen.append((await cursor.fetchrow())[0])
        seen += [row[0] async for row in connection.cursor("SELECT g FROM generate_series(1, 20) g", prefetch=3)]
    return seen


@check
async def copy(way, connection):
    await connection.execute("DROP TABLE IF EXISTS copied")
    await connection.execute("CREATE TABLE copied (id int, body text)")
    status = await connection.copy_records_to_table("copied", records=[(i, f"row {i}") for i in range(1000)])
    out = io.BytesIO()
    await connection.copy_from_query("SELECT * FROM copied ORDER BY id", output=out, format="csv")
    try:
        await connection.copy_to_table("copied", source=io.BytesIO(b"no number\tx\n"))
        error = None
    except asyncpg.PostgresError as raised:
        error = (raised.sqlstate, str(raised))
    return status, out.getvalue(), error


@check
async def cancel(way, connection):
    seen = []
    for _ in range(3):
        try:
            await asyncio.wait_for(connection.execute("SELECT pg_sleep(120)"), 0.5)
        except asyncio.TimeoutError:
            seen.append("canceled")
        seen.append(await connection.fetchval("SELECT 1"))
    return seen


@check
async def notifications(way, connection):
    heard = asyncio.Queue()
    await connection.add_listener("news", lambda _, pid, channel, payload: heard.put_nowait((channel, payload)))
    speaker = await connect(way)
    for i in range(3):
        await speaker.execute(f"NOTIFY news, 'item {i}'")
    await speaker.close()
    return [await asyncio.wait_for(heard.get(), 30) for _ in range(3)]


@check
async def errors(way, connection):
    seen = []
    await connection.execute("DROP TABLE IF EXISTS strict")
    await connection.execute("CREATE TABLE strict (id int CONSTRAINT key PRIMARY KEY, n int NOT NULL CONSTRAINT positive CHECK (n > 0))")
    for sql in ("SELECT nonsense", "INSERT INTO strict VALUES (1, 0)", "INSERT INTO strict VALUES (1, 1), (1, 2)", "SELEC"):
        for run in (connection.execute, connection.fetch):
            try:
                await run(sql)
            except asyncpg.PostgresError as error:
                seen.append(error.as_dict())
    return seen


@check
async def large_value(way, connection):
    await connection.execute("DROP TABLE IF EXISTS large")
    await connection.execute("CREATE TABLE large (id int PRIMARY KEY, body bytea)")
    await connection.execute("INSERT INTO large VALUES (1, $1)", big_bytes())
    seen = digest(await connection.fetchval("SELECT body FROM large WHERE id = 1"))
    await connection.execute("DROP TABLE large")
    return seen


compare([parameters, repeated_reads, transactions, portals, copy, cancel, notifications, errors, large_value])
