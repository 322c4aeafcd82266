#!/usr/bin/env python3
"""Records the golden transcripts: talks PostgreSQL's protocol on raw sockets and writes both directions as *.hex.

    tests/golden/record.py --port 5432 [--dir tests/golden]

The server: PostgreSQL 15, wal_level=logical, ssl=off, on 127.0.0.1, a superuser "postgres" that needs no password, and
pg_hba.conf lines that let the users golden_scram, golden_md5 and golden_password log in by the method of that name
(the script makes them, with the password "secret"). Each file: "begins with startup" or "begins with a query", then
one line per send or receive, F (frontend) or B (backend) and the bytes. The *.trace beside each is what the tracer of
tests/proxy/wire makes of it; `WARMFRONT_GOLDEN_WRITE=1 build/wire_tests` writes them anew, to be read before committing.
"""
import argparse
import base64
import hashlib
import hmac
import pathlib
import socket
import struct
import time


def cstr(text):
    return text.encode() + b"\0"


def msg(kind, body=b""):
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def query(sql):
    return msg("Q", cstr(sql))


def parse(name, sql, types=()):
    return msg("P", cstr(name) + cstr(sql) + struct.pack(f"!H{len(types)}I", len(types), *types))


def bind(portal, statement, values=(), formats=(), results=()):
    body = cstr(portal) + cstr(statement) + struct.pack(f"!H{len(formats)}H", len(formats), *formats)
    body += struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!I", len(value)) + value
    return msg("B", body + struct.pack(f"!H{len(results)}H", len(results), *results))


def describe(what, name):
    return msg("D", what.encode() + cstr(name))


def close(what, name):
    return msg("C", what.encode() + cstr(name))


def execute(portal, rows=0):
    return msg("E", cstr(portal) + struct.pack("!I", rows))


SYNC, FLUSH, TERMINATE, COPY_DONE = msg("S"), msg("H"), msg("X"), msg("c")
SSL_REQUEST = struct.pack("!II", 8, 80877103)


class Connection:
    def __init__(self, port, user="postgres", protocol=0x00030000, options=(), before=(), password=None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(20)
        self.log, self.kept, self.password = [], b"", password
        self.key = None
        for request in before:
            self.send(request)
            self.log.append(("B", self.socket.recv(1)))
        body = struct.pack("!I", protocol)
        for name, value in (("user", user), ("database", "postgres"), *options):
            body += cstr(name) + cstr(value)
        body += b"\0"
        self.send(struct.pack("!I", len(body) + 4) + body)
        self.until("Z")

    def send(self, *messages):
        data = b"".join(messages)
        self.log.append(("F", data))
        self.socket.sendall(data)

    def message(self):
        while True:
            if len(self.kept) >= 5:
                end = 1 + struct.unpack("!I", self.kept[1:5])[0]
                if len(self.kept) >= end:
                    whole, self.kept = self.kept[:end], self.kept[end:]
                    return chr(whole[0]), whole[5:]
            data = self.socket.recv(65536)
            if not data:
                return None, b""
            self.log.append(("B", data))
            self.kept += data

    def until(self, *kinds):
        while True:
            kind, body = self.message()
            if kind == "R":
                self.authenticate(body)
            if kind == "K":
                self.key = body
            if kind is None or kind in kinds:
                return body

    def authenticate(self, body):
        kind = struct.unpack("!I", body[:4])[0]
        if kind == 3:
            self.send(msg("p", cstr(self.password)))
        if kind == 5:
            inner = hashlib.md5((self.password + "golden_md5").encode()).hexdigest()
            self.send(msg("p", cstr("md5" + hashlib.md5(inner.encode() + body[4:8]).hexdigest())))
        if kind == 10:
            self.first = "n=,r=" + base64.b64encode(b"golden transcript!").decode()
            data = ("n,," + self.first).encode()
            self.send(msg("p", cstr("SCRAM-SHA-256") + struct.pack("!I", len(data)) + data))
        if kind == 11:
            server = body[4:].decode()
            fields = dict(part.split("=", 1) for part in server.split(","))
            salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
            client_key = hmac.digest(salted, b"Client Key", "sha256")
            final = "c=biws,r=" + fields["r"]
            signed = ",".join((self.first, server, final)).encode()
            signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
            proof = bytes(a ^ b for a, b in zip(client_key, signature))
            self.send(msg("p", (final + ",p=" + base64.b64encode(proof).decode()).encode()))

    def run(self, *sql):
        for text in sql:
            self.send(query(text))
            self.until("Z")

    def forget(self):
        self.log = []


def startup_scram(new, save):
    save("startup_scram", new(user="golden_scram", password="secret", before=(SSL_REQUEST,)), startup=True)


def startup_other(new, save):
    save("startup_md5", new(user="golden_md5", password="secret"), startup=True)
    save("startup_password", new(user="golden_password", password="secret"), startup=True)
    save("startup_refused", new(user="golden_nobody"), startup=True)
    save("negotiate_protocol", new(protocol=0x00030002, options=[("_pq_.golden", "1")]), startup=True)


def simple(new, save):
    c = new()
    c.forget()
    c.run("SELECT 1 AS one, 'two' AS two, NULL AS nothing, 3.50 AS three", "SELECT relname, oid FROM pg_class LIMIT 0",
          "", "BEGIN", "SELECT 1/0", "ROLLBACK")
    c.send(TERMINATE)
    save("simple", c)
    c = new()
    c.run("DROP TABLE IF EXISTS golden_error", "CREATE TABLE golden_error (id int PRIMARY KEY, positive int CHECK (positive > 0))",
          "INSERT INTO golden_error VALUES (1, 1)")
    c.forget()
    c.run("SELECT no_such_column FROM golden_error", "INSERT INTO golden_error VALUES (1, 1)",
          "INSERT INTO golden_error VALUES (2, -1)",
          "DO $$ BEGIN RAISE EXCEPTION 'told' USING DETAIL = 'all', HINT = 'try', ERRCODE = 'P0042', COLUMN = 'c', "
          "CONSTRAINT = 'k', DATATYPE = 'd', TABLE = 't', SCHEMA = 's'; END $$",
          "DO $$ BEGIN EXECUTE 'SELECT 1 +'; END $$")
    save("error_fields", c)
    c.forget()
    c.run("INSERT INTO golden_error VALUES (3, 3); SELECT id FROM golden_error ORDER BY id; UPDATE golden_error SET positive = 9",
          "SELECT 1; SELECT no_such_column; SELECT 3")
    save("multi_statement", c)


def extended(new, save):
    c = new()
    c.forget()
    c.send(parse("", "SELECT $1::int + $2::int AS sum, $3::text AS text"), describe("S", ""),
           bind("", "", (b"40", b"2", None)), describe("P", ""), execute(""), SYNC)
    c.until("Z")
    c.send(parse("golden", "SELECT $1, repeat($2, 2)", (23, 25)), SYNC)
    c.until("Z")
    c.send(bind("", "golden", (b"\0\0\0\x07", b"ab"), (1, 0), (1, 0)), describe("P", ""), execute(""), SYNC)
    c.until("Z")
    c.send(bind("", "golden", (b"\0\0\0\x08", b"cd"), (1,), (1,)), execute(""), SYNC)
    c.until("Z")
    c.send(close("S", "golden"), close("P", "no such portal"), SYNC)
    c.until("Z")
    c.send(bind("", "golden", (b"1", b"x")), execute(""), SYNC)
    c.until("Z")
    c.send(parse("", ""), bind("", ""), describe("P", ""), execute(""), SYNC)
    c.until("Z")
    save("extended", c)
    c = new()
    c.forget()
    c.run("BEGIN")
    c.send(parse("", "SELECT generate_series(1, 5)"), bind("golden", ""), execute("golden", 2), FLUSH)
    c.until("s")
    c.send(execute("golden", 2), execute("golden", 2), SYNC)
    c.until("Z")
    c.send(close("P", "golden"), SYNC)
    c.until("Z")
    c.run("COMMIT")
    save("portal_row_limit", c)
    c = new()
    c.forget()
    c.send(parse("", "SELECT 1"), bind("", ""), execute(""), SYNC, parse("", "SELECT broken"), bind("", ""), execute(""), SYNC,
           query("SELECT 3"), parse("", "SELECT 4"), bind("", ""), execute(""), SYNC)
    for _ in range(4):
        c.until("Z")
    save("pipelined", c)


def copy(new, save):
    c = new()
    c.run("DROP TABLE IF EXISTS golden_copy", "CREATE TABLE golden_copy (id int, word text)")
    c.forget()
    c.send(query("COPY golden_copy FROM STDIN"))
    c.until("G")
    c.send(msg("d", b"1\tone\n2\t"), msg("d", b"two\n"), COPY_DONE)
    c.until("Z")
    c.send(query("COPY golden_copy FROM STDIN (FORMAT csv)"))
    c.until("G")
    c.send(msg("d", b"3,three\n"), msg("f", cstr("changed my mind")))
    c.until("Z")
    save("copy_in", c)
    c.forget()
    c.run("COPY golden_copy TO STDOUT", "COPY golden_copy TO STDOUT (FORMAT binary)", "COPY (SELECT 1 WHERE false) TO STDOUT")
    save("copy_out", c)


def asynchronous(new, save):
    c = new()
    c.forget()
    c.run("LISTEN golden", "NOTIFY golden, 'to all'", "UNLISTEN golden")
    save("notify", c)
    c = new()
    c.forget()
    c.run("SET TimeZone = 'Europe/Vienna'", "SET application_name = 'golden'", "SET client_min_messages = 'debug1'", "RESET ALL")
    save("parameter_status", c)
    c = new()
    c.forget()
    c.run("DROP TABLE IF EXISTS golden_absent", "DO $$ BEGIN RAISE NOTICE 'seen'; RAISE WARNING 'beware' USING HINT = 'run'; END $$")
    save("notice", c)


def function_call(new, save):
    c = new()
    c.forget()
    c.send(msg("F", struct.pack("!IHHHIiIiH", 177, 1, 1, 2, 4, 40, 4, 2, 1)))  # int4pl(40, 2), binary
    c.until("Z")
    c.send(msg("F", struct.pack("!IHHiH", 1598, 0, 1, -1, 0)))  # random() with an argument too many
    c.until("Z")
    save("function_call", c)


def cancel(new, save):
    c = new()
    c.forget()
    c.send(query("SELECT pg_sleep(30)"))
    time.sleep(0.3)
    request = struct.pack("!II", 16, 80877102) + c.key
    other = socket.create_connection(c.socket.getpeername())
    other.sendall(request)
    other.recv(1)
    c.until("Z")
    save("canceled", c)
    c.log = [("F", request)]
    save("cancel_request", c, startup=True)


def replication(new, save):
    writer = new()
    writer.run("DROP PUBLICATION IF EXISTS golden", "DROP TABLE IF EXISTS golden_stream", "CREATE TABLE golden_stream (id int PRIMARY KEY)",
               "CREATE PUBLICATION golden FOR TABLE golden_stream")
    c = new(options=[("replication", "database")])
    c.forget()
    c.run("CREATE_REPLICATION_SLOT golden TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT")
    c.send(query("START_REPLICATION SLOT golden LOGICAL 0/0 (proto_version '1', publication_names 'golden')"))
    c.until("W")
    writer.run("INSERT INTO golden_stream VALUES (7)")
    lsn = 0
    while True:
        body = c.until("d")
        if body[:1] == b"w":
            lsn = struct.unpack("!Q", body[1:9])[0]
            if body[25:26] == b"C":
                break
    c.send(msg("d", b"r" + struct.pack("!QQQqB", lsn, lsn, lsn, 0, 0)), COPY_DONE)
    c.until("Z")
    save("replication", c)
    writer.run("DROP PUBLICATION golden", "DROP TABLE golden_stream, golden_copy, golden_error")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--dir", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    options = arguments.parse_args()

    def new(**settings):
        return Connection(options.port, **settings)

    def save(name, connection, startup=False):
        lines = ["begins with startup" if startup else "begins with a query"]
        lines += [f"{side} {data.hex()}" for side, data in connection.log]
        (options.dir / f"{name}.hex").write_text("\n".join(lines) + "\n")

    maker = new()
    for user in ("scram", "md5", "password"):
        maker.run(f"SET password_encryption = '{'md5' if user == 'md5' else 'scram-sha-256'}'", f"DROP ROLE IF EXISTS golden_{user}",
                  f"CREATE ROLE golden_{user} LOGIN PASSWORD 'secret'")
    for scenario in (startup_scram, startup_other, simple, extended, copy, asynchronous, function_call, cancel, replication):
        scenario(new, save)
    maker.run("DROP ROLE golden_scram, golden_md5, golden_password")


main()
