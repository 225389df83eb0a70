"""One database for Dagster and for the ledger, as in production: no table of one is the other's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import dagster as dg

from dataops_mesh.ledger.schema import metadata


def test_no_table_and_no_index_has_the_name_of_one_of_dagsters(tmp_path: Path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.get_runs(limit=1)
        instance.fetch_materializations(dg.AssetKey("a"), limit=1)
        instance.all_instigator_state()
    theirs = set()
    for file in tmp_path.rglob("*.db"):
        with sqlite3.connect(file) as database:
            theirs |= {row[0] for row in database.execute("select name from sqlite_master")}
    assert {"runs", "event_logs", "jobs"} <= theirs
    ours = set(metadata.tables) | {
        str(index.name) for table in metadata.tables.values() for index in table.indexes
    }
    assert not ours & theirs
