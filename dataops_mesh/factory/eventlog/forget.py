"""Taking samples out of stored check results: what a removal asks for.

A file of SQLite keeps old bytes in free pages and in its log, so it is written anew after that.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from sqlalchemy import Connection, select, update

CLASS, EVALUATION = "__class__", "AssetCheckEvaluation"
_BUSY_SECONDS = 30


def forget_samples(
    storage: object, named: tuple[str, str], candidates: Collection[str], runs: Collection[str]
) -> tuple[str, bool]:
    """Delete the samples of candidates; return what is left, and whether to try again.

    Args:
        storage: the event log.
        named: the names of the metadata that is the sample, and that is the candidate.
        candidates: whose samples go.
        runs: that stored them.
    """
    if not isinstance(storage, SqlEventLogStorage):
        name = type(storage).__name__
        return f"samples may be left in Dagster's event log: {name} is not known", False
    clean = _Cleaner(*named, frozenset(candidates))
    if not isinstance(storage, SqliteEventLogStorage):
        with storage.index_connection() as connection:
            clean.all_of(connection)
        return "the database keeps old rows until it is vacuumed: VACUUM FULL event_logs", False
    files = [Path(storage.path_for_shard(INDEX_SHARD_NAME))]
    with storage.index_connection() as connection:
        clean.all_of(connection)
    for run in runs:
        file = Path(storage.path_for_shard(run))
        if file.is_file():
            with storage.run_connection(run) as connection:
                clean.all_of(connection)
            files.append(file)
    busy = [file.name for file in files if file.is_file() and not _write_anew(file)]
    if busy:
        then = "stop the UI, and run `mesh store gc --yes`"
        return f"old bytes may be left in {', '.join(busy)}, which somebody reads: {then}", True
    return "", False


class _Cleaner:
    """Takes one piece of metadata out of the check results of some candidates."""

    def __init__(self, name: str, about: str, candidates: frozenset[str]) -> None:
        self.name, self.about, self.candidates = name, about, candidates

    def all_of(self, connection: Connection) -> None:
        """Clean the rows of both tables that repeat a check result."""
        for table, text in (
            (SqlEventLogStorageTable, SqlEventLogStorageTable.c.event),
            (AssetCheckExecutionsTable, AssetCheckExecutionsTable.c.evaluation_event),
        ):
            query = select(table.c.id, text).where(text.contains(f'"{self.name}"'))
            for number, event in connection.execute(query).fetchall():
                found = json.loads(str(event))
                if self.clean(found):
                    new = json.dumps(found)
                    change = update(table).where(table.c.id == number).values({text.name: new})
                    connection.execute(change)

    def clean(self, event: Any) -> bool:
        """Take it out of an event; tell whether there was something to take."""
        done = False
        for result in _results(event):
            metadata = result.get("metadata", {})
            told = metadata.get(self.about, {})
            if isinstance(told, dict) and told.get("text") in self.candidates:
                done = metadata.pop(self.name, None) is not None or done
        return done


def _results(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get(CLASS) == EVALUATION:
            yield value
        for item in value.values():
            yield from _results(item)
    elif isinstance(value, list):
        for item in value:
            yield from _results(item)


def _write_anew(file: Path) -> bool:
    """Leave nothing in the file but what it says; tell whether nobody stood in the way."""
    with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)) as raw:
        try:
            raw.execute("VACUUM")
            (busy, _, _) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
    return not busy
