"""An instance opened before a fork is as good as one of the fork's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from dataops_mesh.transform.confine.preload import ENVIRONMENT

FORKS = """\
import duckdb, json, os
from dataops_mesh.engine.opened import memory, open_ahead
duckdb.default_connection().close()  # it has threads
open_ahead(2)
assert len(os.listdir("/proc/self/task")) == 1
told = []
for number in range(3):
    reading, writing = os.pipe()
    if not os.fork():
        found = []
        for _ in range(3):  # the third is opened here
            con = memory()
            con.execute("SET threads = 2; SET memory_limit = '100MB'")
            tables = con.sql("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]
            con.execute("CREATE TABLE mine AS SELECT random() AS a, uuid()::VARCHAR AS b")
            total = con.sql("SELECT sum(i)::BIGINT FROM range(1000000) t(i)").fetchall()[0][0]
            found.append([tables, *con.sql("FROM mine").fetchall()[0], total])
            con.execute("SET lock_configuration = true")
            con.close()
        os.write(writing, json.dumps(found).encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    told += json.loads(os.read(reading, 65536))
print(json.dumps(told))
"""
LEFT = """\
import json
from dataops_mesh.transform.confine import preload
preload.python()
from dataops_mesh.engine.opened import memory
con = memory()
print(json.dumps([
    con.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall(),
    con.sql("SELECT table_name FROM duckdb_tables()").fetchall(),
    con.sql("SELECT function_name FROM duckdb_functions() WHERE NOT internal").fetchall(),
    con.sql("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall(),
]))
"""


def told(program: str) -> list[list[object]]:
    """What a program says, in a process that has loaded nothing else."""
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout))


def test_forks_share_no_table_no_setting_and_no_luck() -> None:
    found = told(FORKS)
    assert len(found) == 9
    assert {row[0] for row in found} == {0}
    assert len({row[1] for row in found}) == len({row[2] for row in found}) == 9
    assert {row[3] for row in found} == {499_999_500_000}


def test_what_the_fork_server_did_once_is_not_in_a_workers_session() -> None:
    views, tables, functions, databases = told(LEFT)
    assert (views, tables, functions, databases) == ([], [], [], [["memory"]])
