"""A query of many rows on a real PostgreSQL, against `COPY` of the same rows into a file.

    python benchmarks/sources/postgres.py [ROWS]

CPU is that of this process (for COPY: of psql); the server's own is not counted. Peak memory is
that of a process that does nothing else.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[2]
sys.path[:0] = [str(HERE / "tests"), str(HERE / "tests" / "production")]
ROWS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdecimal() else 10_000_000
QUERY = "select * from orders"
MADE = f"""
create unlogged table orders as select g::bigint as id, (g % 1000)::int as shop,
  (g % 100000 / 100.0)::numeric(10,2) as paid,
  timestamptz '2020-01-01' + g * interval '1 second' as at,
  'customer ' || (g % 50000) as customer, g % 7 = 0 as returned
from generate_series(1, {ROWS}) g
"""


def fetch(url: str, folder: Path) -> None:
    """Read the query as a source does, and say what it took."""
    from dataops_mesh.fetch.driver import Before, Where
    from dataops_mesh.fetch.postgres import Postgres
    from dataops_mesh.spec.remote import Remote

    for name in ("adbc_driver_postgresql.dbapi", "pyarrow.parquet"):
        importlib.import_module(name)  # not what is measured
    began = resource.getrusage(resource.RUSAGE_SELF)
    wall = time.monotonic()
    where = Where(Remote(query=QUERY, connection="x"), url, folder)
    (piece,) = Postgres().fetch(where, Before(), folder, lambda _: None).pieces
    took = resource.getrusage(resource.RUSAGE_SELF)
    cpu = took.ru_utime + took.ru_stime - began.ru_utime - began.ru_stime
    print(
        f"source: {time.monotonic() - wall:.1f} s wall, {cpu:.1f} s CPU, peak "
        f"{took.ru_maxrss / 1024:.0f} MB (before: {began.ru_maxrss / 1024:.0f} MB), "
        f"{piece.path.stat().st_size / 1e6:.0f} MB of Parquet"
    )


def copy(url: str, folder: Path) -> None:
    """Have psql copy the same rows into a file of CSV, and say what it took."""
    file, wall = folder / "orders.csv", time.monotonic()
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = f"\\copy ({QUERY}) to '{file}' csv"
    subprocess.run(["psql", "-q", "-d", url, "-c", text], check=True)
    took = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = took.ru_utime + took.ru_stime - began.ru_utime - began.ru_stime
    size = file.stat().st_size / 1e6
    print(f"COPY:   {time.monotonic() - wall:.1f} s wall, {cpu:.1f} s CPU, {size:.0f} MB of CSV")
    file.unlink()


def main() -> None:
    """Start a server, fill it, and measure each way twice, in turn."""
    postgres = importlib.import_module("postgres").postgres  # that of the tests
    with postgres() as found, tempfile.TemporaryDirectory() as folder:
        url = found.replace("+psycopg2", "")
        subprocess.run(["psql", "-q", "-d", url, "-c", MADE], check=True)
        print(f"{ROWS:,} rows, load {os.getloadavg()[0]:.1f}")
        for _ in range(2):
            copy(url, Path(folder))
            subprocess.run([sys.executable, __file__, "fetch", url, folder], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fetch"]:
        fetch(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
