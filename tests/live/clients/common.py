"""What the client scripts share: two ways to the same PostgreSQL, and what is asked of both.

A script is called with --host --direct-port --through-port --user --password --database --sslmode. Each of its checks is a
function of a Way; it runs directly first, then through warmfront, and what it returns must be equal. A check makes the
tables it needs anew, so that the second run starts from the same.
"""
import argparse
import dataclasses
import hashlib
import sys
import threading
import time


@dataclasses.dataclass
class Way:
    name: str
    host: str
    port: int
    user: str
    password: str
    database: str
    sslmode: str

    def conninfo(self):
        return (f"host={self.host} port={self.port} user={self.user} password='{self.password}' "
                f"dbname={self.database} sslmode={self.sslmode}")


def ways():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--direct-port", type=int, required=True)
    parser.add_argument("--through-port", type=int, required=True)
    for name in ("user", "password", "database"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--sslmode", default="require")
    given = parser.parse_args()
    rest = (given.user, given.password, given.database, given.sslmode)
    return (Way("direct", given.host, given.direct_port, *rest), Way("through", given.host, given.through_port, *rest))


def compare(checks):
    """Runs each check both ways; exits 1 if any differed."""
    direct, through = ways()
    failed = 0
    for check in checks:
        expected = check(direct)
        got = check(through)
        if got == expected:
            print("ok", check.__name__)
        else:
            failed += 1
            print("DIFFERS", check.__name__, *around_difference(repr(expected), repr(got)), sep="\n  ")
    sys.exit(1 if failed else 0)


def around_difference(expected, got):
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
    part = slice(max(at - 300, 0), at + 300)
    return "direct:  " + expected[part], "through: " + got[part]


def settle():
    """Warmfront reads the catalog anew after DDL, and serves nothing from memory until it has."""
    time.sleep(1)


BIG = 64 << 20


def big_bytes():
    """64 MiB that do not repeat from one 64 KiB block to the next."""
    block = bytes(range(256)) * 255
    return b"".join(index.to_bytes(4, "big") + block for index in range(BIG // len(block) + 1))[:BIG]


def digest(value):
    return hashlib.sha256(value).hexdigest()


def once_active(run_query, marker, action):
    """In a thread: calls action() when a query that contains marker runs. Returns the thread."""
    def watch():
        for _ in range(600):
            if run_query("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
                         f"AND query LIKE '%{marker}%'"):
                action()
                return
            time.sleep(0.05)
    thread = threading.Thread(target=watch)
    thread.start()
    return thread
