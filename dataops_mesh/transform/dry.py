"""Binds SQL transforms against what is declared: names and types that `mesh check` can know.

In an empty session: what is read is an empty relation with the columns of its contract. A source
without a contract has the columns of its delivery, if that is here and small enough to look at.
Only a product that reads a port declared elsewhere, or types that nobody says, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
from dataops_mesh.spec.model import (
    InputPort,
    Mesh,
    OutputPort,
    Product,
    Source,
    SourceFormat,
    TransformKind,
)
from dataops_mesh.spec.shape import ANY, Kind, Shape, read_shape
from dataops_mesh.spec.stored import stored, wanted_types
from dataops_mesh.transform.place import place
from dataops_mesh.transform.sql import sql_queries

if TYPE_CHECKING:
    import duckdb

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


def bound_problems(product: Product, mesh: Mesh) -> tuple[Problem, ...]:
    """Return what DuckDB says of the product's SQL before any row is read."""
    if product.transform.kind is not TransformKind.SQL:
        return ()
    known = {port.address: port.contract for other in mesh.products for port in other.outputs}
    read = [port.address for port in product.inputs if port.address is not None]
    if not known.keys() >= set(read):
        return ()
    with empty_session() as con:
        if not all(declare(con, str(address), wanted_types(known[address])) for address in read):
            return ()
        for statement in _ends(product):
            con.execute(statement)
        for port in product.inputs:
            if port.source is not None and not _declare_source(con, product, port):
                return ()
        queries = sql_queries(product)
        files = dict(zip(product.transform.ports, product.transform.files, strict=True))
        found: list[Problem] = []
        for output in product.outputs:
            file, query = files[output.name], queries[output.name]
            try:
                described = con.execute(f"DESCRIBE SELECT * FROM ({query})").fetchall()
            except sql.engine_error() as error:
                text = file.read_text("utf-8-sig")
                before = text[: len(text) - len(text.lstrip())].count("\n")
                found.append(unbound(error, place(product, file, line_of(error) + before)))
                continue
            found += _columns(product, output, {str(row[0]) for row in described})
    return tuple(found)


def _ends(product: Product) -> tuple[str, ...]:
    """Return what makes the ends of a partition timestamps where the product is cut by these."""
    cut = product.partitioning
    if cut is None or not cut.moments:
        return ()
    kind = "TIMESTAMPTZ" if cut.zoned else "TIMESTAMP"
    return tuple(
        f"CREATE OR REPLACE MACRO partition_{name}() AS {kind} '2026-01-0{day} 00:00:00+00'"
        for name, day in (("start", 1), ("end", 2))
    )


@contextmanager
def empty_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session in which nothing is read, with the macros that transforms may use."""
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        for statement in ("SET TimeZone = 'UTC'", "SET enable_external_access = false", *_CLOCK):
            con.execute(statement)
        yield con


def declare(con: duckdb.DuckDBPyConnection, name: str, types: Mapping[str, Shape]) -> bool:
    """Make an empty table of `name` or `domain.port`; tell whether all of its types are said."""
    if any(_unsaid(shape) for shape in types.values()):
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


def _unsaid(shape: Shape) -> bool:
    """Tell whether a part of a type is not declared."""
    if shape.kind is Kind.SCALAR:
        return shape.accepted[0] == "DECIMAL"
    if shape.kind is Kind.ANY or not shape.parts:
        return True
    return any(_unsaid(part) for _, part in shape.parts)


def _declare_source(con: duckdb.DuckDBPyConnection, product: Product, port: InputPort) -> bool:
    """Make a source an empty table; tell whether anybody says what its columns are."""
    if port.contract is not None:
        return declare(con, port.name, wanted_types(port.contract))
    source = port.source
    if source is None or source.is_cut or source.format is SourceFormat.FILE:
        return False
    try:
        files = resolve(source, product.folder)
        if sum(file.stat().st_size for file in files) > _LARGEST:
            return False
        types = _delivered(port.name, files, source)
    except (SourceError, OSError):
        return False  # a run says so; what is missing is said beside this
    return declare(con, port.name, types)


def _delivered(name: str, files: tuple[Path, ...], source: Source) -> dict[str, Shape]:
    """Return the columns of a delivery as a run would read them."""
    with (
        TemporaryDirectory(prefix="mesh-") as folder,
        session_in(Path(folder), memory_limit="1GB", threads=1, now=datetime.now(UTC)) as con,
    ):
        bind_source(con, name, files, source)
        described = con.execute(f"DESCRIBE FROM {sql.identifier(name)}").fetchall()
    return {str(row[0]): read_shape(str(row[1])) or ANY for row in described}


def _columns(product: Product, port: OutputPort, found: set[str]) -> list[Problem]:
    """Compare what the SELECT returns with what the contract promises."""
    declared = {column.name for column in port.contract.columns}
    files = dict(zip(product.transform.ports, product.transform.files, strict=True))
    where = place(product, files[port.name])
    told = [(declared - found, "is promised and not returned")]
    told += [(found - declared, "is not declared")]
    return [
        Problem(f'{port.address}: column "{name}" {what}', where, choices=tuple(sorted(declared)))
        for names, what in told
        for name in sorted(names)
    ]
