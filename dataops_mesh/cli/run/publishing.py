"""`mesh publish`: what another tool made is delivered to a product, and goes to the gate."""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dataops_mesh.cli.output import Format
from dataops_mesh.cli.run.choosing import require_partitions
from dataops_mesh.cli.run.running import run_products
from dataops_mesh.cli.workspace import one, open_readable
from dataops_mesh.errors import DeclarationError, Problem, SourceError
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import PARTITION_KEY, InputPort, Product, Source, SourceFormat

_FORMATS = {
    SourceFormat.CSV: "FORMAT csv, HEADER",
    SourceFormat.PARQUET: "FORMAT parquet",
    SourceFormat.JSON: "FORMAT json",
}
Write = Callable[[Path], object]
_ROWS = "_mesh_rows"


def publish(  # noqa: PLR0913 - what the command takes
    name: str,
    output: Format,
    *,
    file: Path | None = None,
    query: str = "",
    port: str = "",
    partition: str | None = None,
) -> int:
    """Put a file, or the rows of a query, where a product's source is read, and run the product.

    The delivery is replaced at once, so that nobody reads half of it. What the gate refuses is
    not published; the delivery stays for whoever looks at it.

    Args:
        name: the product, `domain.product`.
        output: for people or for machines.
        file: in the format that the source declares.
        query: a SELECT of DuckDB, run with the rights of whoever types.
        port: the input port, where several read sources.
        partition: the only one to deliver and to build.

    Raises:
        DeclarationError: the product has no such source, or nobody can tell one file of it.
        SourceError: the file cannot be read, or the query cannot be run.
        UnknownNameError: there is no such partition.
    """
    settings, mesh = open_readable()
    product, partitions = one(mesh, name), [partition] if partition else []
    require_partitions([product], [name], partitions, settings, every=False)
    found, source = _source(product, port)
    target = _target(product, found, source, partition or "")
    if file is not None:
        given = file
        if not given.is_file():
            raise SourceError(Problem(f"there is no file {given}", next="name a file"))
        _deliver(target, lambda into: shutil.copyfile(given, into))
    else:
        whose = partial(_whose, settings, product)
        _deliver(target, lambda into: _copy(query, source.format, found, into, whose))
    return run_products([name], output, partitions)


def _source(product: Product, wanted: str) -> tuple[InputPort, Source]:
    """Return the one input port that reads a source, or the one of that name."""
    ports = {port.name: port for port in product.inputs if port.source is not None}
    chosen = [port for name, port in ports.items() if wanted in {"", name}]
    if len(chosen) == 1 and chosen[0].source is not None:
        return chosen[0], chosen[0].source
    what = f'{product.qualified_name} has no source "{wanted}"'
    if not ports:
        what = f"{product.qualified_name} reads no source, so nothing can be delivered to it"
    elif not wanted:
        what = f"{product.qualified_name} reads {len(ports)} sources"
    then = "name one with --input" if ports else "declare an input port with a `source`"
    raise DeclarationError(Problem(what, product.where, "inputPorts", tuple(ports), then))


def _target(product: Product, port: InputPort, source: Source, partition: str) -> Path:
    """Return the one file that the source is."""
    if source.asset:
        what = f'"{port.name}" is written by the Dagster asset {source.asset}, and has one writer'
        then = f"materialize {source.asset} in Dagster, which wakes {product.qualified_name}; "
        then += "or remove `asset` from the source, if the file comes from elsewhere now"
        raise DeclarationError(Problem(what, source.where, "asset", next=then))
    if source.remote is not None:
        what = f'"{port.name}" is fetched from {source.path}: no file here is it'
        then = f"`mesh run {product.qualified_name}` fetches what is new there"
        raise DeclarationError(Problem(what, source.where, next=then))
    if source.is_cut and not partition:
        what = f'each partition of "{port.name}" has files of its own'
        raise DeclarationError(Problem(what, source.where, "path", next="add --partition"))
    path = Path(source.path.replace(PARTITION_KEY, partition))
    target = path if path.is_absolute() else product.folder / path
    if source.package or (glob.has_magic(str(path)) and not target.is_file()):
        where = f"the package {source.package}" if source.package else "a pattern of names"
        what = f'"{port.name}" is read from {where}: nobody can tell which file to replace'
        then = f"write the file there, then `mesh run {product.qualified_name}`"
        raise DeclarationError(Problem(what, source.where, "path", next=then))
    return target


def _deliver(target: Path, write: Write) -> None:
    """Write beside the target and put it in its place at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".delivery-", dir=target.parent) as folder:
        made = Path(folder) / target.name
        write(made)
        made.replace(target)


def _whose(settings: Settings, product: Product, path: Path) -> str:
    from dataops_mesh.run.guards.reach import whose_file

    return whose_file(settings.store_folder, product.folder, path, settings.secret_paths)


def _copy(
    query: str, kind: SourceFormat, port: InputPort, into: Path, whose: Callable[[Path], str]
) -> None:
    import duckdb

    from dataops_mesh.cli.run.opening import open_named
    from dataops_mesh.engine import sql

    if kind not in _FORMATS:
        what = f'"{port.name}" is read as a file: a query has rows'
        raise DeclarationError(Problem(what, port.where, next="use --from"))
    try:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            open_named(connection, query, into, whose)
            rows = connection.sql(query)
            if rows is None:
                raise SourceError(Problem("the query returns no rows", next="write one SELECT"))
            rows.create_view(_ROWS)
            connection.execute(
                f"COPY (FROM {_ROWS}) TO {sql.literal(into)} ({_FORMATS[kind]})"
            ).fetchall()
    except sql.engine_error() as error:
        raise SourceError(Problem(f"the query cannot be run: {sql.reason(error)}")) from None
