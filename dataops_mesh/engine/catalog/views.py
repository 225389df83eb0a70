"""One domain's catalog: a small DuckDB file with a view for each port, and what it was made of.

Views lie in the schema `main` of a database that is called as the domain: so `fleet.aircraft` is
the same address as everywhere, whether the file is opened or attached. What the file says of
itself is in the schema `_mesh`, whose name no domain and no port can have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.data import damaged_scan, data_finder, data_scan
from dataops_mesh.engine.opened import memory
from dataops_mesh.errors import StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.entry import Light
from dataops_mesh.store.tree.ports import Ports

if TYPE_CHECKING:
    import duckdb

# The oldest version of DuckDB whose clients can open the file.
_STORAGE = "v1.0.0"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a catalog is to show.

    Args:
        number: the release that changed the domain last.
        published: when that was; None if the log does not know any more.
    """

    store: Store
    domain: str
    number: int
    published: datetime | None
    ports: Ports

    def lights(self) -> dict[Address, Light]:
        """Return what the domain's node says of the ports that consumers read."""
        return dict(self.ports.lights(self.domain))


def write(path: Path, shown: Shown) -> None:
    """Write a catalog, or bring one that is there to what it is to show: only what is new."""
    lights = shown.lights()
    with _attached(path) as con:
        _create(con)
        known = dict(con.execute("SELECT address, entry FROM _mesh.ports").fetchall())
        gone = [name for name in known if Address.parse(name) not in lights]
        if con.execute("SELECT store FROM _mesh.release").fetchone() != (str(shown.store.root),):
            known = {}  # the store was moved: every path is another
        changed = [at for at, light in lights.items() if known.get(str(at)) != light.entry]
        _drop(con, gone)
        _put(con, shown, changed, lights)
        con.execute("DELETE FROM _mesh.release")
        said = [shown.number, shown.published, str(shown.store.root)]
        con.execute("INSERT INTO _mesh.release VALUES (?, ?, ?)", said)


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


def _create(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE SCHEMA IF NOT EXISTS _mesh;"
        "CREATE TABLE IF NOT EXISTS _mesh.release"
        " (number BIGINT, published TIMESTAMPTZ, store VARCHAR);"
        "CREATE TABLE IF NOT EXISTS _mesh.ports (address VARCHAR, product VARCHAR,"
        " candidate VARCHAR, publication BIGINT, rows BIGINT, fingerprint VARCHAR, entry VARCHAR)"
    )


def _drop(con: duckdb.DuckDBPyConnection, gone: Sequence[str]) -> None:
    for name in gone:  # withdrawn
        con.execute(f"DROP VIEW IF EXISTS main.{sql.identifier(Address.parse(name).port)}")
    _forget(con, gone)


def _forget(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    # No list as a parameter, for which DuckDB would import pandas.
    if names:
        old = sql.literal(list(names))
        con.execute(f"DELETE FROM _mesh.ports WHERE address IN (SELECT unnest({old}))")


def _put(
    con: duckdb.DuckDBPyConnection,
    shown: Shown,
    changed: Sequence[Address],
    lights: dict[Address, Light],
) -> None:
    if not changed:
        return
    _forget(con, [str(at) for at in changed])
    # One statement for all rows, as each costs a millisecond.
    rows = [_row(at, lights[at]) for at in changed]
    values = ", ".join(f"({', '.join(map(sql.literal, row))})" for row in rows)
    con.execute(f"INSERT INTO _mesh.ports VALUES {values}")
    find = data_finder(shown.store)
    statements = []
    for at in changed:
        entry = shown.ports[at]
        try:
            relation = data_scan(entry, find(at, entry), short=True)
        except StoreError as error:
            relation = damaged_scan(shown.store, at, entry, error)
        view = sql.identifier(at.port)
        statements.append(f"CREATE OR REPLACE VIEW main.{view} AS FROM {relation}")
    con.execute(";".join(statements))


def _row(address: Address, light: Light) -> tuple[str | int, ...]:
    place = (str(address), light.product, light.candidate)
    return (*place, light.publication, light.rows, light.fingerprint, light.entry)
