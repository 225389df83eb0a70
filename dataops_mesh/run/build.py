"""Building a candidate: the transform's output as Parquet in a folder nobody reads yet.

SQL runs here, in a sealed session. Python and dbt run confined: they are told what to read by
statements and paths, and what they leave in the ports' folders is described by us.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine.limit import time_limit
from dataops_mesh.engine.session import release_views, seal
from dataops_mesh.engine.write import describe_port, write_port
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.bind import Inputs, addresses, write_inputs_file
from dataops_mesh.run.late import windows
from dataops_mesh.run.partition import partition_macros
from dataops_mesh.spec.checks.measures import DbtTest
from dataops_mesh.spec.model import TransformKind
from dataops_mesh.spec.stored import wanted_types
from dataops_mesh.store import files
from dataops_mesh.store.manifest import PortData, folder
from dataops_mesh.store.store import Store
from dataops_mesh.transform.blame import blamed
from dataops_mesh.transform.confined import Access, Room, confined
from dataops_mesh.transform.dbt import DbtTestRun, build_project
from dataops_mesh.transform.job import Job
from dataops_mesh.transform.python import CLOCK, PARTITION
from dataops_mesh.transform.sql import sql_queries
from dataops_mesh.transform.walls import walls_of

if TYPE_CHECKING:
    import duckdb

Built = tuple[tuple[PortData, ...], tuple[DbtTestRun, ...], tuple[str, ...]]


def build_candidate(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection, scratch: Path
) -> Built:
    """Run the transform and write every output port.

    Args:
        attempt: what to build, where, and from which inputs.
        connection: has the input ports as views.
        scratch: a private folder that is deleted after the run.

    Returns:
        The written ports, how dbt's tests ended if dbt built them, and what Python imported.

    Raises:
        TransformError: the transform raised, or returned something unusable.
    """
    match attempt.product.transform.kind:
        case TransformKind.SQL:
            return _build_sql(attempt, connection), (), ()
        case TransformKind.PYTHON:
            imported = _run_python(attempt, scratch)
            return _describe(attempt, connection), (), imported
        case TransformKind.DBT:
            tests = _run_dbt(attempt, scratch)
            return _describe(attempt, connection), tuple(tests), ()


def _build_sql(attempt: Attempt, connection: duckdb.DuckDBPyConnection) -> tuple[PortData, ...]:
    product, inputs, store = attempt.product, attempt.inputs, attempt.environment.store
    queries, limit = sql_queries(product), attempt.environment.settings.transform_limit
    sources = [file for found in inputs.source_files.values() for file in found]
    seal(connection, [*sources, *_read_folders(store, inputs), attempt.folder])
    written = []
    for port in product.outputs:
        with blamed(product, port), time_limit(connection, limit):
            rows = queries[port.name]
            wanted = wanted_types(port.contract)
            written.append(write_port(connection, rows, attempt.folder, port.address, wanted))
    return tuple(written)


def _run_python(attempt: Attempt, scratch: Path) -> tuple[str, ...]:
    views, read = _views(attempt)
    inputs, own = attempt.inputs, scratch / "own"
    sources = [file.absolute() for found in inputs.source_files.values() for file in found]
    job = replace(
        _job(attempt, own),
        prepare=(*partition_macros(attempt.partition), *views),
        source_files=inputs.source_files,
        windows=windows(attempt.product, attempt.key),
        offered=_offered(attempt),
    )
    access = replace(_access(attempt, read), files=tuple(sources))
    room = Room(attempt.product, walls_of(attempt.environment.settings), own, access)
    answer = confined(("dataops_mesh.transform.job", "run_python"), job, room)
    return tuple(file for _, file in answer.modules)


def _run_dbt(attempt: Attempt, scratch: Path) -> list[DbtTestRun]:
    _, read = _views(attempt)
    settings, store = attempt.environment.settings, attempt.environment.store
    inputs = scratch / "inputs.duckdb"
    write_inputs_file(inputs, store, attempt.product, attempt.inputs, settings.clock())
    tests = any(isinstance(check.measure, DbtTest) for check in attempt.checks)
    walls, access = walls_of(settings), _access(attempt, read)
    return build_project(_job(attempt, scratch), walls, inputs.absolute(), access, tests=tests)


def _job(attempt: Attempt, scratch: Path) -> Job:
    """Return what every confined process of the attempt needs."""
    environment, settings = attempt.environment, attempt.environment.settings
    return Job(
        product=replace(attempt.product, document=None),
        candidate=attempt.folder.absolute(),
        scratch=scratch.absolute(),
        memory_limit=settings.memory_limit,
        threads=environment.threads,
        now=settings.clock(),
    )


def _access(attempt: Attempt, read: tuple[Path, ...]) -> Access:
    """Return what the transform may open: its code, the ports it reads, the ports it writes."""
    ports = [attempt.folder.absolute() / port.name for port in attempt.product.outputs]
    for port in ports:
        files.make_folder(port)
    # The folder of a port of a candidate holds the files of that port, and never changes.
    data = tuple(sorted({file.absolute().parent for file in read}))
    return Access(
        code=(attempt.product.folder.absolute(),),
        data=data,
        written=tuple(ports),
        network=attempt.product.network,
    )


def _views(attempt: Attempt) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    product, release = attempt.product, attempt.inputs.release
    return release_views(attempt.environment.store, release, addresses(product))


def _describe(attempt: Attempt, connection: duckdb.DuckDBPyConnection) -> tuple[PortData, ...]:
    """Say what the ports hold, now that whoever wrote them is gone."""
    described = []
    for port in attempt.product.outputs:
        with blamed(attempt.product, port):
            described.append(describe_port(connection, attempt.folder, port.address))
    return tuple(described)


def _offered(attempt: Attempt) -> dict[str, Any]:
    """Return what a Python transform may ask for beside its inputs."""
    piece = attempt.partition
    values = (piece.key, piece.start, piece.end) if piece else (None, None, None)
    clock = attempt.environment.settings.clock()
    return {CLOCK: clock, **dict(zip(PARTITION, values, strict=True))}


def _read_folders(store: Store, inputs: Inputs) -> list[Path]:
    """Return the candidates behind the inputs; of a partitioned one, those of all partitions."""
    read = [one.address for one in inputs.reads if one.address is not None]
    refs = {ref for address in read for ref in inputs.release.ports[address].refs}
    return [folder(store, ref) for ref in sorted(refs)]
