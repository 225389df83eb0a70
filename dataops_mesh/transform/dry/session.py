"""An empty session: what a product reads and writes are relations of declared columns, no rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import spelled
from dataops_mesh.engine.session import bind_source, session_in
from dataops_mesh.engine.source import resolve
from dataops_mesh.errors import Location, Problem, SourceError
from dataops_mesh.spec.model import InputPort, Mesh, Product, Source, SourceFormat
from dataops_mesh.spec.types.shape import ANY, Shape, is_said, read_shape
from dataops_mesh.spec.types.stored import stored, wanted_types

if TYPE_CHECKING:
    import duckdb

Types = Mapping[str, Shape]
Known = Callable[[InputPort], Types | None]

_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev", "/etc")))
_LARGEST = 2**20  # bytes of a delivery without a contract that is looked at
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)
_CHOICES = re.compile(r"^(?:Candidate bindings|Did you mean)(.*)$", re.MULTILINE)
_NAMES = re.compile(r'"([^"]+)"')
_CLOCK = (
    "CREATE MACRO mesh_now() AS TIMESTAMPTZ '2026-01-01 00:00:00+00'",
    "CREATE MACRO partition_key() AS '2026-01-01'",
    "CREATE MACRO partition_start() AS DATE '2026-01-01'",
    "CREATE MACRO partition_end() AS DATE '2026-01-02'",
)


@contextmanager
def empty_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session in which nothing is read, with the macros that transforms may use."""
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        for statement in ("SET TimeZone = 'UTC'", "SET enable_external_access = false", *_CLOCK):
            con.execute(statement)
        yield con


def known_types(product: Product, mesh: Mesh, hidden: Collection[Path] = ()) -> Known:
    """Return a function that tells the columns of an input port; each is looked up once.

    Args:
        product: whose input ports.
        mesh: has the contracts of others.
        hidden: files and folders that no domain may see, and that are not looked into here either.
    """
    found: dict[str, Types | None] = {}

    def types(port: InputPort) -> Types | None:
        if port.name not in found:
            found[port.name] = _input_types(product, port, mesh, hidden)
        return found[port.name]

    return types


def _input_types(
    product: Product, port: InputPort, mesh: Mesh, hidden: Collection[Path]
) -> Types | None:
    """Return the columns of what an input port reads; None where nobody says them.

    A source without a contract has the columns of its delivery, if that is here and small enough
    to look at.
    """
    if port.address is not None:
        ports = (one for other in (product, *mesh.products) for one in other.outputs)
        contract = next((one.contract for one in ports if one.address == port.address), None)
        return wanted_types(contract) if contract is not None else None
    if port.contract is not None:
        return wanted_types(port.contract)
    source = port.source
    if source is None or source.is_cut or source.remote or source.format is SourceFormat.FILE:
        return None  # what is fetched is not here: only its contract says what its columns are
    try:
        files = resolve(source, product.folder)
        if any(_is_hidden(file.resolve(), hidden) for file in files):
            return None  # its columns would be what stands in it
        if sum(file.stat().st_size for file in files) > _LARGEST:
            return None
        return _delivered(port.name, files, source)
    except (SourceError, OSError):
        return None  # a run says so; what is missing is said beside this


def _is_hidden(file: Path, hidden: Collection[Path]) -> bool:
    return any(file.is_relative_to(one.resolve()) for one in (*hidden, *_SYSTEM))


def declare(con: duckdb.DuckDBPyConnection, name: str, types: Types) -> bool:
    """Make an empty table of `name` or `domain.port`; tell whether all of its types are said."""
    if not all(map(is_said, types.values())):
        return False
    columns = (f"{sql.identifier(c)} {spelled(stored(shape))}" for c, shape in types.items())
    parts = [sql.identifier(part) for part in name.split(".")]
    if len(parts) > 1:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {parts[0]}")
    con.execute(f"CREATE OR REPLACE TABLE {'.'.join(parts)} ({', '.join(columns)})")
    return True


def unbound(error: Exception, where: Location) -> Problem:
    """Return what DuckDB says of a statement, with what it would have understood."""
    said = _CHOICES.search(str(error))
    choices = tuple(_NAMES.findall(said[1])) if said else ()
    return Problem(sql.reason(error), where, choices=choices)


def line_of(error: Exception) -> int:
    """Return the line of a statement that an error is about."""
    said = _LINE.search(str(error))
    return int(said[1]) if said else 1


def _delivered(name: str, files: tuple[Path, ...], source: Source) -> Types:
    """Return the columns of a delivery as a run would read them."""
    with (
        TemporaryDirectory(prefix="mesh-") as folder,
        session_in(Path(folder), memory_limit="1GB", threads=1, now=datetime.now(UTC)) as con,
    ):
        bind_source(con, name, files, source)
        described = con.execute(f"DESCRIBE FROM {sql.identifier(name)}").fetchall()
    return {str(row[0]): read_shape(str(row[1])) or ANY for row in described}
