"""Brings a PostgreSQL database to what the log says of a product, in one transaction.

Everything happens in it: the lock, the load, the switch, and what the database says of itself. A
process that is killed at any instant therefore leaves nothing behind, and the next one begins
where this one did.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dataops_mesh.errors import ExportError, Location, Problem
from dataops_mesh.export import kept as record
from dataops_mesh.export import views
from dataops_mesh.export.kept import Kept, Place
from dataops_mesh.export.loading import load
from dataops_mesh.export.target import Asked, Brought
from dataops_mesh.export.troubles import told, unreachable
from dataops_mesh.export.wanted import Copy, Wanted

_LOCK_SECONDS = 600  # for another export of the same product
_SWITCH_MILLISECONDS = 200  # shorter than PostgreSQL waits before it looks for a deadlock
PATIENCE = 60.0  # seconds of trying, while readers hold what is to be switched
_OPTIONS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "client_encoding": "UTF8",  # whatever the database's, what comes is this
    "application_name": "dataops_mesh",
}


def bring(url: str, name: str, asked: Asked, where: Location | None = None) -> Brought:
    """Bring a database to what the log says of a product.

    Args:
        url: of the connection; in no message.
        name: of the connection.
        asked: the product.
        where: the line of a contract that names the connection.

    Raises:
        ExportError: it cannot be; then the database is as it was.
    """
    with _opened(url, name, where) as cursor:
        statement = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
        cursor.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'")
        cursor.execute(statement, (f"{record.TABLE} {asked.store} {asked.product}",))
        with asked.look() as wanted:
            return _bring(cursor, asked, wanted)


@contextmanager
def _opened(url: str, name: str, where: Location | None) -> Iterator[Any]:
    """Open a transaction; it is committed at the end, unless something goes wrong."""
    try:
        import psycopg2
    except ImportError:
        what = "an export to PostgreSQL needs psycopg2"
        then = 'pip install "dataops-mesh[exports]"'
        raise ExportError(Problem(what, where, next=then)) from None
    scheme, _, rest = url.partition("://")
    try:
        database = psycopg2.connect(f"{scheme.partition('+')[0]}://{rest}", **_OPTIONS)
    except psycopg2.Error as error:
        raise unreachable(error, name, where) from None
    try:
        with database.cursor() as cursor:
            cursor.execute("set local timezone = 'UTC'; set local intervalstyle = 'postgres'")
            yield cursor
        database.commit()
    except psycopg2.Error as error:
        raise told(error, name, where) from None
    finally:
        database.close()


def _bring(cursor: Any, asked: Asked, wanted: Wanted) -> Brought:
    for schema in sorted({copy.export.schema for copy in wanted.copies}):
        record.prepare(cursor, schema)
    everything = record.all_kept(cursor)
    ours = {
        place: one
        for place, one in everything.items()
        if (one.store, one.product) == (asked.store, asked.product)
    }
    copies = {(copy.export.schema, copy.address.port): copy for copy in wanted.copies}
    names = record.names_in(cursor, {place[0] for place in (*copies, *ours)})
    _require_free(copies, ours, everything, names)
    new = {
        place: copy
        for place, copy in copies.items()
        if place not in ours or ours[place].state != copy.state or not _is_there(ours[place], names)
    }
    gone = {
        place: one
        for place, one in ours.items()
        if place not in copies and (one.state or not views.dependants(cursor, place))
    }
    tables = {}
    for place, copy in new.items():
        tables[place] = views.choose(names, place, copy.publication)
        load(cursor, asked.con, copy, record.quoted(tables[place]))
        views.finish(cursor, tables[place], copy)
    if new or gone:
        _patiently(cursor, lambda: _switch(cursor, asked, new, tables, ours, gone))
    rows = sum(copy.rows for copy in new.values())
    copied = tuple(str(copy.address) for copy in new.values())
    return Brought(wanted, copied, tuple(one.address for one in gone.values()), rows)


def _is_there(one: Kept, names: frozenset[Place]) -> bool:
    return one.place in names and (one.schema, one.table) in names


def _require_free(
    copies: Mapping[Place, Copy],
    ours: Mapping[Place, Kept],
    everything: Mapping[Place, Kept],
    names: frozenset[Place],
) -> None:
    """Make sure that nothing is replaced that is not ours.

    Raises:
        ExportError: of each name that somebody else has.
    """
    problems = []
    for place, copy in copies.items():
        if place in ours or (place not in everything and place not in names):
            continue
        shown = ".".join(place)
        if other := everything.get(place):
            whose = other.address if other.address != str(copy.address) else "another store"
            what = f"{shown} is kept for {whose}, and no export replaces another one's view"
            then = f"choose another schema, or take it away there, and its row of {record.TABLE}"
        else:
            what = f"{shown} is there already, and not made by an export"
            then = "rename or drop it, or choose another schema"
        problems.append(Problem(what, copy.export.where, next=then))
    if problems:
        raise ExportError(problems)


def _switch(  # noqa: PLR0913, PLR0917 - all that changes, at once
    cursor: Any,
    asked: Asked,
    new: Mapping[Place, Copy],
    tables: Mapping[Place, Place],
    ours: Mapping[Place, Kept],
    gone: Mapping[Place, Kept],
) -> None:
    """Switch every view, in the order of their names."""
    for place in sorted({*new, *gone}):
        before = ours.get(place)
        if place in gone:
            record.forget(cursor, place)
            if not views.take_away(cursor, place, gone[place].table):
                record.keep(cursor, replace(gone[place], table="", state="", rows=0))
            continue
        copy, table = new[place], tables[place]
        _require_droppable(cursor, place, table, copy)
        views.show(cursor, place, table, copy)
        if before is not None:
            views.drop_table(cursor, place, before.table)
        facts = (str(copy.address), copy.publication, copy.state, copy.rows)
        record.keep(cursor, Kept(*place, table[1], asked.store, asked.product, *facts))


def _require_droppable(cursor: Any, place: Place, table: Place, copy: Copy) -> None:
    """Make sure that nobody's view is lost where columns change so that ours is made anew.

    Raises:
        ExportError: it names them.
    """
    before, after = views.columns_of(cursor, place), views.columns_of(cursor, table)
    if before and after[: len(before)] != before and (others := views.dependants(cursor, place)):
        what = f"{'.'.join(place)} has other columns now, and these are made of it: "
        then = "drop them or build them on something else, then mesh export"
        raise ExportError(Problem(what + ", ".join(others), copy.export.where, next=then))


def _patiently(cursor: Any, switch: Callable[[], None]) -> None:
    """Switch all, or try again: readers wait for a moment at most, and are never in a deadlock."""
    from psycopg2 import errors

    until, pause = time.monotonic() + PATIENCE, 0.05
    cursor.execute("savepoint switch")
    while True:
        cursor.execute(f"set local lock_timeout = '{_SWITCH_MILLISECONDS}ms'")
        try:
            switch()
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            cursor.execute("rollback to savepoint switch")
            if time.monotonic() > until:
                raise
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        else:
            return
