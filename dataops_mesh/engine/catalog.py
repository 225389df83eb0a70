"""`catalog.duckdb`: the latest release as views, for any DuckDB client; derived, never the truth.

Written aside from a copy of the last one, in which only the changed views are replaced, and
renamed into place: a client keeps the release it opened. What was written is noted beside it, so
that a catalog that somebody changed is seen and written again. Nothing here opens it under its own
name, because DuckDB keeps one instance for each path of a process and would answer
from an older file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.data import damaged_scan, data_finder, data_scan
from dataops_mesh.engine.opened import memory
from dataops_mesh.errors import StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, locks
from dataops_mesh.store.log import Entry, Release, latest
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.store import Store

if TYPE_CHECKING:
    import duckdb

_LOCK_SECONDS = 60.0
# The oldest version of DuckDB whose clients can open the file.
_STORAGE = "v1.0.0"


def refresh(store: Store) -> int:
    """Bring the catalog up to the latest release and return that release's number."""
    with locks.exclusive(store.root / "catalog.lock", seconds=_LOCK_SECONDS):
        release = latest(store)
        if store.catalog_file.is_file() and not is_changed(store):
            try:
                return _write(store, release, anew=False)
            except sql.engine_error():  # damaged, or of another kind: it is derived, so forget it
                pass
        return _write(store, release, anew=True)


def is_changed(store: Store) -> bool:
    """Tell whether the catalog is there and is not what was written; costs a stat normally."""
    if not store.catalog_file.is_file():
        return False
    try:
        noted = json.loads(_note(store).read_bytes())
        if _log_of(store).exists():
            return True
        if noted["state"] == _state_of(store.catalog_file):
            return False
        return files.digest(store.catalog_file) not in noted["digests"]
    except FileNotFoundError:  # of an older version
        return True
    except (ValueError, KeyError, TypeError):
        return True


def rebuild(store: Store) -> int:
    """Write the catalog from nothing but the log and return its release's number."""
    with locks.exclusive(store.root / "catalog.lock", seconds=_LOCK_SECONDS):
        return _write(store, latest(store), anew=True)


def _write(store: Store, release: Release, *, anew: bool) -> int:
    """Write the catalog aside and rename it into place, unless the last one is as new."""
    with scratch_folder(store) as folder:
        aside = folder / store.catalog_file.name
        files.before("write", aside)
        if not anew:
            shutil.copyfile(store.catalog_file, aside)
        with _attached(aside) as con:
            if anew:
                _create_tables(con)
            number, root, known = _state(con)
            if root != str(store.root):  # the store was moved: every path is another
                known = {}
            elif number >= release.number:
                return number
            _replace_views(con, store, release, known)
            con.execute("DELETE FROM mesh.release")
            con.execute(
                "INSERT INTO mesh.release VALUES (?, ?, ?)",
                [release.number, release.at, str(store.root)],
            )
        files.sync(aside)
        files.freeze(aside)  # its clients read it; a copy of it can be written
        digest = files.digest(aside)
        # Noted before it is there, beside the one that is: a crash between leaves either, and
        # neither is somebody else's.
        _note_down(store, [digest, *_noted_digests(store)])
        files.remove(_log_of(store))
        files.move(aside, store.catalog_file)
    _note_down(store, [digest], _state_of(store.catalog_file))
    return release.number


def _noted_digests(store: Store) -> list[str]:
    try:
        return list(json.loads(_note(store).read_bytes())["digests"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _note_down(store: Store, digests: list[str], state: list[int] | None = None) -> None:
    noted = {"digests": digests, "state": state}
    files.replace(_note(store), json.dumps(noted).encode(), durable=False)


def _note(store: Store) -> Path:
    return store.cache / "catalog.json"


def _log_of(store: Store) -> Path:
    """Return what a client leaves that wrote and did not end well; others would read it."""
    return store.catalog_file.with_name(f"{store.catalog_file.name}.wal")


def _state_of(path: Path) -> list[int]:
    state = path.stat()
    return [state.st_ino, state.st_size, state.st_ctime_ns]


@contextmanager
def _attached(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    # Only metadata is read here, of files that never change: with more threads each view takes
    # a quarter longer, and DuckDB need not look whether a file is still the same.
    con = memory()
    try:
        con.execute("SET enable_progress_bar = false")  # it goes to stdout, as JSON does
        con.execute("SET validate_external_file_cache = 'NO_VALIDATION'")
        option = f"STORAGE_VERSION {sql.literal(_STORAGE)}"
        con.execute(f"ATTACH {sql.literal(path)} AS catalog_aside ({option})")
        con.execute("USE catalog_aside")
        con.execute("SET TimeZone = 'UTC'")
        con.execute("BEGIN")
        yield con
        con.execute("COMMIT")
        con.execute("CHECKPOINT catalog_aside")
        con.execute("USE memory")
        con.execute("DETACH catalog_aside")
    finally:
        con.close()


def _create_tables(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA mesh")
    con.execute("CREATE TABLE mesh.release (number BIGINT, published TIMESTAMPTZ, store VARCHAR)")
    con.execute(
        "CREATE TABLE mesh.ports (address VARCHAR, product VARCHAR, candidate VARCHAR,"
        " publication BIGINT, rows BIGINT, fingerprint VARCHAR)"
    )


def _state(con: duckdb.DuckDBPyConnection) -> tuple[int, str, dict[str, tuple[str, int]]]:
    release = con.execute("SELECT number, store FROM mesh.release").fetchone()
    found = con.execute("SELECT address, candidate, publication FROM mesh.ports").fetchall()
    number, root = release or (-1, "")
    return number, root, {row[0]: (row[1], row[2]) for row in found}


def _replace_views(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    release: Release,
    known: Mapping[str, tuple[str, int]],
) -> None:
    changed = {
        address: entry
        for address, entry in release.ports.items()
        if known.get(str(address)) != (entry.candidate, entry.publication)
    }
    gone = sorted(known.keys() - {str(address) for address in release.ports})
    for name in gone:  # withdrawn
        at = Address.parse(name)
        con.execute(f"DROP VIEW IF EXISTS {sql.identifier(at.domain)}.{sql.identifier(at.port)}")
    if gone:
        con.execute(f"DELETE FROM mesh.ports WHERE address IN (SELECT unnest({sql.literal(gone)}))")
    if not changed:
        return
    # One statement for all rows, as each costs a millisecond; no list as a parameter, for which
    # DuckDB would import pandas.
    rows = [_row(address, entry) for address, entry in changed.items()]
    old = sql.literal([row[0] for row in rows])
    con.execute(f"DELETE FROM mesh.ports WHERE address IN (SELECT unnest({old}))")
    values = ", ".join(f"({', '.join(map(sql.literal, row))})" for row in rows)
    con.execute(f"INSERT INTO mesh.ports VALUES {values}")
    find = data_finder(store)
    schemas = sorted({sql.identifier(address.domain) for address in changed})
    statements = [f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in schemas]
    for at, entry in changed.items():
        try:
            relation = data_scan(entry, find(at, entry))
        except StoreError as error:
            relation = damaged_scan(store, at, entry, error)
        statements.append(_view(at, relation))
    con.execute(";".join(statements))


def _row(address: Address, entry: Entry) -> tuple[str | int, ...]:
    place = (str(address), entry.product, entry.candidate)
    return (*place, entry.publication, entry.rows, entry.fingerprint)


def _view(address: Address, relation: str) -> str:
    schema, view = sql.identifier(address.domain), sql.identifier(address.port)
    return f"CREATE OR REPLACE VIEW {schema}.{view} AS FROM {relation}"
