"""One kept SQLite connection for each file, a bounded number of them."""

import os
import sqlite3
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

KEPT = 8
BUSY_SECONDS = 30  # as long as Dagster's own class waits for another writer
# A connection must not be used or closed in a child that was forked: it only stays referred to.
_OF_A_PARENT: list[Any] = []


class Looking(sqlite3.Connection):
    """A connection that knows which of its cursors are open.

    A cursor that is not read to its end holds the old picture of the file; Dagster's own class
    ends it by closing the connection.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.looks: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *arguments: Any, **named: Any) -> Any:
        """Return a new cursor."""
        cursor = super().cursor(*arguments, **named)
        self.looks.add(cursor)
        return cursor

    def end_looks(self) -> None:
        """Close what is still open."""
        for cursor in tuple(self.looks):
            cursor.close()
        self.looks.clear()


@dataclass(frozen=True, slots=True)
class Kept:
    """A connection, the file it has open, and the process that opened it."""

    connection: Connection
    raw: Looking
    inode: int
    process: int

    def is_of(self, path: str) -> bool:
        """Tell whether the file is still the one that was opened, by this process."""
        try:
            return self.process == os.getpid() and self.inode == Path(path).stat().st_ino
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the connection; the last one of a file writes the log back into it."""
        if self.process != os.getpid():
            _OF_A_PARENT.append((self.connection, self.raw))
            return
        self.raw.end_looks()
        self.connection.close()


class KeptConnections:
    """The connections of one event log, of one thread at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._opening = ""
        # One engine for all files: it holds the statements that SQLAlchemy has compiled.
        self._engine = create_engine("sqlite://", creator=self._open, poolclass=NullPool)

    def of(self, path: str) -> Kept | None:
        """Return the connection of a file if there is one that can be used."""
        kept = self._kept.get(path)
        if kept is None:
            return None
        if not kept.is_of(path):
            self.drop(path)
            return None
        self._kept.move_to_end(path)
        return kept

    def open(self, path: str) -> Kept:
        """Open a file that exists and keep the connection."""
        self._opening = path
        connection = self._engine.connect()
        raw = connection.connection.dbapi_connection
        if not isinstance(raw, Looking):
            raise TypeError("SQLAlchemy returned another connection than it was given")
        kept = self._kept[path] = Kept(connection, raw, Path(path).stat().st_ino, os.getpid())
        for old in list(self._kept)[:-KEPT]:
            self.drop(old)
        return kept

    def drop(self, path: str) -> None:
        """Close the connection of a file, if there is one."""
        kept = self._kept.pop(path, None)
        if kept is not None:
            kept.close()

    def close(self) -> None:
        """Close all."""
        for path in tuple(self._kept):
            self.drop(path)

    def _open(self) -> Looking:
        raw = sqlite3.connect(
            self._opening, timeout=BUSY_SECONDS, check_same_thread=False, factory=Looking
        )
        # With the write-ahead log a commit survives the end of the process, however it ends;
        # without waiting for the disk a power cut may lose the last ones, and nothing else.
        raw.execute("PRAGMA synchronous=NORMAL").close()
        return raw
