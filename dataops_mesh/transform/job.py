"""A transform's job: what the confined process is told, and what it does.

The process has the inputs as views in a DuckDB session of its own, calls the transform, and
writes what it returns: no relation, generator or lazy frame ever leaves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine.session import bind_source, narrow, session_in
from dataops_mesh.engine.sql import identifier, literal
from dataops_mesh.engine.write import copy_port
from dataops_mesh.spec.model import Product, SourceFormat
from dataops_mesh.spec.names import delivered
from dataops_mesh.spec.nearby import Window
from dataops_mesh.spec.partition import Partition
from dataops_mesh.spec.types.stored import wanted_types
from dataops_mesh.transform.blame import blamed
from dataops_mesh.transform.dbt.state import state_file
from dataops_mesh.transform.python import call_transform
from dataops_mesh.transform.told import asked_later

if TYPE_CHECKING:
    import duckdb

CATALOG = "candidate"  # the stem of the file that dbt builds; a parsed manifest embeds it
INPUTS = "mesh"


@dataclass(frozen=True, slots=True)
class Job:
    """What a confined process needs to build or to copy; no setting, no secret, no store.

    Args:
        product: whose ports; without its document.
        candidate: the folder that has a folder for each port.
        scratch: a folder of the process's own.
        memory_limit: of DuckDB.
        threads: of DuckDB.
        now: the clock.
        prepare: SQL that makes inputs and the partition known by their names.
        source_files: the files of each source.
        windows: of sources with late rows, the rows that are the partition's.
        offered: what a Python transform may ask for beside its inputs.
        delivered: of sources with late rows, the partition's own files.
        partition: what dbt is told of the partition that is built.
    """

    product: Product
    candidate: Path
    scratch: Path
    memory_limit: str
    threads: int
    now: datetime
    prepare: tuple[str, ...] = ()
    source_files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    offered: Mapping[str, Any] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)
    delivered: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    partition: Partition | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """Ports to copy out of a database that dbt built.

    Args:
        job: the product and where.
        inputs: a DuckDB file that the database's views read.
        database: what dbt built.
        project: the folder from which a view of it finds a file that it reads.
        relations: the relation of each port, by the port's name.
        state: the relations that the next build goes on from: as they are quoted, schema and name.
    """

    job: Job
    inputs: Path
    database: Path
    project: Path
    relations: Mapping[str, str]
    state: tuple[tuple[str, str, str], ...] = ()


def run_python(job: Job) -> None:
    """Call the transform and write its ports."""
    product = job.product
    with _session(job) as connection:
        for statement in job.prepare:
            connection.execute(statement)
        for port in product.inputs:
            if port.source is not None and port.source.format is not SourceFormat.FILE:
                found = job.source_files[port.name]
                bind_source(connection, port.name, found, port.source, port.contract)
                if port.name in job.windows:
                    own = job.delivered[port.name]
                    bind_source(connection, delivered(port.name), own, port.source, port.contract)
                    narrow(connection, port.name, port.source, job.windows[port.name])
        returned = call_transform(product, connection, job.source_files, job.offered)
        _copy(job, connection, returned)


def run_export(export: Export) -> None:
    """Write the ports of a built database. Nothing of the dbt project runs here.

    A port that is a view becomes a table first: asked again by a test, a view with `random()` or
    an open order would have other rows than were copied out.
    """
    with _attached(export, "") as connection:
        _settle(connection, export.relations.values())
        queries = {name: f"SELECT * FROM {found}" for name, found in export.relations.items()}
        _copy(export.job, connection, queries)
        if export.state:
            _keep(connection, export.state, state_file(export.job.candidate))


def run_describe(export: Export) -> dict[str, list[list[str]]]:
    """Return the columns and types of relations of a built database, by the port's name."""
    found = {}
    with _attached(export, "(READ_ONLY)") as connection:
        for name, relation in export.relations.items():
            rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
            found[name] = [[str(row[0]), str(row[1])] for row in rows]
    return found


@contextmanager
def _attached(export: Export, how: str) -> Iterator[duckdb.DuckDBPyConnection]:
    with _session(export.job) as connection, chdir(export.project):
        # A public model may be a view over other models and the inputs: attach both to read it.
        connection.execute(f"ATTACH {literal(export.inputs)} AS {INPUTS} (READ_ONLY)")
        connection.execute(f"ATTACH {literal(export.database)} AS {CATALOG} {how}")
        yield connection


def _keep(
    connection: duckdb.DuckDBPyConnection, state: Iterable[tuple[str, str, str]], file: Path
) -> None:
    """Copy relations into a database of their own, each under its schema and name."""
    connection.execute(f"ATTACH {literal(file)} AS kept")
    for relation, schema, name in state:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS kept.{identifier(schema)}")
        place = f"kept.{identifier(schema)}.{identifier(name)}"
        connection.execute(f"CREATE TABLE {place} AS FROM {relation}")
    connection.execute("DETACH kept")


def _settle(connection: duckdb.DuckDBPyConnection, relations: Iterable[str]) -> None:
    found = connection.execute(
        "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE database_name = ?",
        [CATALOG],
    ).fetchall()
    views = {".".join(row).lower(): row for row in found}
    for relation in dict.fromkeys(relations):
        if (row := views.get(relation.replace('"', "").lower())) is not None:
            settled = ".".join(map(identifier, (*row[:2], f"{row[2]}__settled")))
            connection.execute(f"CREATE TABLE {settled} AS FROM {relation}")
            connection.execute(f"DROP VIEW {relation}")
            connection.execute(f"ALTER TABLE {settled} RENAME TO {identifier(row[2])}")


def _copy(job: Job, connection: duckdb.DuckDBPyConnection, built: Mapping[str, Any]) -> None:
    for port in job.product.outputs:
        with blamed(job.product, port, asked_later):
            rows = built[port.name]
            wanted = wanted_types(port.contract)
            copy_port(connection, rows, job.candidate, port.address, wanted, aside=job.scratch)


@contextmanager
def _session(job: Job) -> Iterator[duckdb.DuckDBPyConnection]:
    with session_in(
        job.scratch, memory_limit=job.memory_limit, threads=job.threads, now=job.now
    ) as connection:
        yield connection
