"""Plain dbt, on a database that stays: a build for each line on stdin, what it holds on stdout.

Run as a program in the folder of a project: `inputs.duckdb` and `plain.duckdb` are beside it.
Nothing of ours is here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner


def build(root: Path, rows: list[list], arguments: list[str]) -> str:
    """Build on these rows; return what dbt says went wrong."""
    inputs = root / "inputs.duckdb"
    output = {
        "type": "duckdb",
        "path": str(root / "plain.duckdb"),
        "settings": {"TimeZone": "UTC"},
        "attach": [{"path": str(inputs), "alias": "mesh", "read_only": True}],
    }
    profile = {"elsewhere": {"target": "dev", "outputs": {"dev": output}}}
    (root / "profiles.yml").write_text(json.dumps(profile))
    inputs.unlink(missing_ok=True)
    with duckdb.connect(str(inputs)) as con:
        con.execute("create schema shop")
        con.execute("create table shop.orders (id integer, amount integer, changed timestamp)")
        if rows:
            con.executemany("insert into shop.orders values (?, ?, ?)", rows)
    told = dbtRunner().invoke(
        [
            *("build", "--project-dir", str(root / "project"), "--profiles-dir", str(root)),
            *("--target-path", str(root / "target"), "--log-path", str(root / "logs")),
            *("--log-level", "none", "--no-send-anonymous-usage-stats", *arguments),
        ]
    )
    DuckDBConnectionManager.close_all_connections()
    if told.success:
        return ""
    return str(told.exception or [row.message for row in told.result if row.status != "success"])


def held(root: Path, tables: list[str]) -> dict[str, list[dict]]:
    """Return the rows of the tables."""
    with duckdb.connect(str(root / "plain.duckdb"), read_only=True) as con:
        return {
            name: con.execute(f"select * from {name}").fetch_arrow_table().to_pylist()
            for name in tables
        }


def main(root: Path) -> None:
    """Build for each line until there is none."""
    answers, sys.stdout = sys.stdout, sys.stderr  # dbt may print
    for line in sys.stdin:
        asked = json.loads(line)
        failed = build(root, asked["rows"], asked["arguments"])
        found = {} if failed else held(root, asked["tables"])
        print(json.dumps([failed, found], default=str), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
