"""pgbench over TLS: its tables made and its default script run in all three query modes, without a failed transaction."""
import os
import re
import subprocess
import tempfile

from common import compare


def pgbench(way, *arguments):
    environment = dict(os.environ, PGPASSWORD=way.password, PGSSLMODE=way.sslmode)
    command = ["pgbench", "-h", way.host, "-p", str(way.port), "-U", way.user, *arguments, way.database]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=300, text=True)
    found = re.findall(r"number of (?:transactions actually processed|failed transactions): \S+", done.stdout)
    return done.returncode, found, re.findall(r"(?:error|aborted).*", done.stderr)


def default_script(way):
    seen = [pgbench(way, "-i", "-q", "-s", "1")]
    for mode in ("simple", "extended", "prepared"):
        seen.append(pgbench(way, "-n", "-M", mode, "-c", "4", "-t", "100"))
    return seen


def select_only(way):
    return [pgbench(way, "-n", "-S", "-M", mode, "-c", "4", "-t", "500") for mode in ("simple", "extended", "prepared")]


def in_pipelines(way):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\\startpipeline\n" + "SELECT abalance FROM pgbench_accounts WHERE aid = 7;\n" * 5 +
                     "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = 7;\n\\endpipeline\n")
        script.flush()
        return pgbench(way, "-n", "-M", "extended", "-c", "1", "-t", "100", "-f", script.name)


compare([default_script, select_only, in_pipelines])
