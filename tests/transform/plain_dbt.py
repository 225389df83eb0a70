"""Plain dbt, on a database that stays: one build for each delivery, then what it holds.

Run as a program: a folder with the project, and a JSON file of deliveries. Nothing of ours is here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner

TABLES = ("events", "latest", "replaced", "hist", "checked")


def main(root: Path, deliveries: list[list]) -> None:
    inputs = root / "inputs.duckdb"
    output = {
        "type": "duckdb",
        "path": str(root / "plain.duckdb"),
        "settings": {"TimeZone": "UTC"},
        "attach": [{"path": str(inputs), "alias": "mesh", "read_only": True}],
    }
    profile = {"elsewhere": {"target": "dev", "outputs": {"dev": output}}}
    (root / "profiles.yml").write_text(json.dumps(profile))
    for rows, full in deliveries:
        inputs.unlink(missing_ok=True)
        with duckdb.connect(str(inputs)) as con:
            con.execute("create schema shop")
            con.execute("create table shop.orders (id integer, amount integer, changed timestamp)")
            con.executemany("insert into shop.orders values (?, ?, ?)", rows)
        told = dbtRunner().invoke(
            [
                *("build", "--project-dir", str(root / "project"), "--profiles-dir", str(root)),
                *(["--full-refresh"] if full else []),
                *("--target-path", str(root / "target"), "--log-path", str(root / "logs")),
                *("--log-level", "none", "--no-send-anonymous-usage-stats"),
            ]
        )
        assert told.success, told.exception
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()
    with duckdb.connect(str(root / "plain.duckdb")) as con:
        found = {
            name: con.execute(f"select * from {name}").fetch_arrow_table().to_pylist()
            for name in TABLES
        }
    (root / "plain.json").write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
