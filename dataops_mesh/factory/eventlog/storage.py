"""The event log: Dagster's files and rows, with kept connections and whole transactions."""

import logging
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import DatabaseError
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterInvariantViolationError
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
)
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, CursorResult, create_engine
from sqlalchemy.pool import NullPool
from watchdog.observers import Observer

from dataops_mesh.factory.eventlog.connections import Kept, KeptConnections
from dataops_mesh.factory.eventlog.known import unknown
from dataops_mesh.factory.eventlog.template import put, template

LOGGER = logging.getLogger("dataops_mesh")
INSERT = SqlEventLogStorageTable.insert()
MIRRORED = ASSET_EVENTS | ASSET_CHECK_EVENTS | set(EVENT_TYPE_TO_PIPELINE_RUN_STATUS)


class KeptEventLogStorage(SqliteEventLogStorage):
    """Dagster's SQLite event log with one kept connection per file.

    An event is in its run's file when `store_event` returns, and with everything that the index
    holds of it in one transaction there: nothing waits in memory.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._lock = threading.RLock()
        self._kept = KeptConnections()
        self._empty: bytes | None = None
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._by_checks = 0
        self._answer: tuple[Any, Any] | None = None
        super().__init__(base_dir, inst_data)
        weakref.finalize(self, self._kept.close)

    @classmethod
    def from_config_value(  # type: ignore[override] # Dagster's own class, where ours cannot be
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SqliteEventLogStorage:
        """Return the storage, or Dagster's own where this Dagster is not the one we know."""
        if why := unknown():
            LOGGER.warning("events are stored by Dagster's own, slower class: %s", why)
            return SqliteEventLogStorage(inst_data=inst_data, **config_value)
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Yield the connection of a file in a transaction: a new one, or the one around it."""
        path = self.path_for_shard(shard)
        with self._lock:
            kept = self._kept.of(path) or self._open(path, shard)
            if kept.connection.in_transaction():
                yield kept.connection
                return
            try:
                with kept.connection.begin():
                    yield kept.connection
                kept.raw.end_looks()
            except BaseException:
                self._kept.drop(path)
                raise

    def _open(self, path: str, shard: str) -> Kept:
        file = Path(path)
        if not file.exists() and (shard == INDEX_SHARD_NAME or not self._put_empty(file)):
            self._make(path)
        kept = self._kept.open(path)
        if not _is_made(kept):  # another process is at it, or was killed while it was
            self._kept.drop(path)
            self._make(path)
            kept = self._kept.open(path)
        return kept

    def _make(self, path: str) -> None:
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        self._initdb(engine)
        engine.dispose()

    def _put_empty(self, file: Path) -> bool:
        """Write a run's file as a copy of the empty one; Alembic takes 50 times as long."""
        if self._empty is None:
            self._empty = template(file.parent, dg.__version__, self._initdb)
        return put(self._empty, file)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event in its run's file and, if it is of that kind, in the index."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events: one transaction for each run's file, then one for the index."""
        rows = [self._event_to_row(event) for event in events]
        of_run: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            of_run.setdefault(row["run_id"], []).append(row)
        for run_id, its in of_run.items():
            with self.run_connection(run_id) as conn:
                conn.execute(INSERT, its)
        mirrored = [
            (event, row)
            for event, row in zip(events, rows, strict=True)
            if event.is_dagster_event and event.dagster_event_type in MIRRORED
        ]
        if mirrored:
            self._mirror(mirrored)

    def _mirror(self, mirrored: Sequence[tuple[dg.EventLogEntry, dict[str, Any]]]) -> None:
        twice = None
        with self.index_connection() as conn:
            for event, row in mirrored:
                before = self._changes(conn)
                number = _number(conn.execute(INSERT, row))
                if event.dagster_event_type in ASSET_EVENTS:
                    self._store_asset_event_tags(conn, [event], [number])
                    self._store_asset_event(conn, event, number)
                elif event.dagster_event_type in ASSET_CHECK_EVENTS:
                    try:
                        self.store_asset_check_event(event, number)
                    except DagsterInvariantViolationError as error:  # after the row was written
                        twice = error
                    self._by_checks += self._changes(conn) - before
        if twice is not None:
            raise twice

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table; what it has, it keeps."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        known = self._columns
        if column_name not in known and super()._has_asset_key_col_on_connection(conn, column_name):
            known.add(column_name)
        return column_name in known

    def fetch_materializations(self, *arguments: Any, **named: Any) -> dg.EventRecordsResult:
        """Return materializations; the same question is answered once while nothing changes.

        Each check result of a partition asks for the partition's latest materialization. The
        answer holds until another connection writes to the index, or this one writes anything
        but check results.
        """
        with self._lock:
            with self.index_connection() as conn:
                theirs: int = conn.exec_driver_sql("PRAGMA data_version").scalar_one()
                ours = self._changes(conn) - self._by_checks
                asked = (conn, theirs, ours, arguments, named)
            if self._answer is None or self._answer[0] != asked:
                self._answer = asked, super().fetch_materializations(*arguments, **named)
            return self._answer[1]

    def _changes(self, conn: Connection) -> int:
        raw: Any = conn.connection.dbapi_connection
        return int(raw.total_changes)

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        """Call back at each new event of a run: while a connection is kept, only the log grows."""
        observer: Any = self._obs or Observer()
        if not self._obs:
            observer.start()
            self._obs = observer
        dog = _LogWatchdog(self, run_id, callback, cursor)
        watched = observer.schedule(dog, self._base_dir, recursive=True)
        self._watchers[run_id][callback] = dog, watched

    def wipe(self) -> None:
        """Delete all events."""
        with self._lock:
            self._kept.close()
        super().wipe()

    def dispose(self) -> None:
        """Close every connection."""
        with self._lock:
            self._kept.close()
        super().dispose()


class _LogWatchdog(SqliteEventLogStorageWatchdog):
    """Looks when the run's file changes, or the write-ahead log beside it."""

    @property
    def patterns(self) -> list[str]:
        return [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: Any) -> None:  # noqa: ARG002 - which of the two does not matter
        self._process_log()


def _number(inserted: CursorResult[Any]) -> int:
    """Return the number under which a row was stored."""
    key = inserted.inserted_primary_key
    if not key:
        raise DagsterInvariantViolationError("an event was stored without a number")
    return int(key[0])


def _is_made(kept: Kept) -> bool:
    """Tell whether the file has Dagster's schema, as Alembic's stamp says, which comes last."""
    try:
        rows = kept.raw.execute("SELECT version_num FROM alembic_version")
        found = rows.fetchone() is not None
        rows.close()
    except DatabaseError:
        return False
    return found
