"""Building a candidate: the transform's output as Parquet in a folder nobody reads yet.

SQL runs here, in a sealed session. Python and dbt run confined: they are told what to read by
statements and paths, and what they leave in the ports' folders is described by us.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine.limit import time_limit
from dataops_mesh.engine.session import release_views, seal
from dataops_mesh.engine.whole import whole_scan
from dataops_mesh.engine.write import copy_port, describe_port
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.guards.classes import plain_of
from dataops_mesh.run.inputs.bind import Inputs, addresses, write_inputs_file
from dataops_mesh.run.inputs.late import own_deliveries, windows
from dataops_mesh.run.inputs.own import own_views
from dataops_mesh.run.inputs.state import copy_state, left_state
from dataops_mesh.run.partition import partition_macros
from dataops_mesh.run.quarantine import set_aside
from dataops_mesh.spec.checks.measures import DbtTest
from dataops_mesh.spec.model import TransformKind
from dataops_mesh.spec.names import is_own
from dataops_mesh.spec.parameters import ARGUMENT
from dataops_mesh.spec.types.stored import wanted_types
from dataops_mesh.store import files
from dataops_mesh.store.described import File, PortData, Quarantine
from dataops_mesh.store.line.subset import read_folder
from dataops_mesh.store.store import Store
from dataops_mesh.transform.blame import blamed
from dataops_mesh.transform.confined import Access, Room, confined
from dataops_mesh.transform.dbt.build import DbtTestRun, State, build_project
from dataops_mesh.transform.job import Job
from dataops_mesh.transform.python import CLOCK, PARTITION
from dataops_mesh.transform.sql import sql_queries
from dataops_mesh.transform.walls import may_list, walls_of

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Built:
    """What a transform has left.

    Args:
        tests: how dbt's tests ended, if dbt built it.
        modules: what Python imported.
        quarantines: the rows that were set aside.
        state: what dbt's next build goes on from.
    """

    ports: tuple[PortData, ...] = ()
    tests: tuple[DbtTestRun, ...] = ()
    modules: tuple[str, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    state: tuple[File, ...] = ()


def build_candidate(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection, scratch: Path
) -> Built:
    """Run the transform, write every output port, and set rows aside where a contract says so.

    Args:
        attempt: what to build, where, and from which inputs.
        connection: has the input ports as views.
        scratch: a private folder that is deleted after the run.

    Raises:
        TransformError: the transform raised, or returned something unusable.
    """
    match attempt.product.transform.kind:
        case TransformKind.SQL:
            _build_sql(attempt, connection)
            built = Built()
        case TransformKind.PYTHON:
            built = Built(modules=_run_python(attempt, scratch))
        case TransformKind.DBT:
            tests = tuple(_run_dbt(attempt, scratch))
            built = Built(tests=tests, state=left_state(attempt))
    aside = set_aside(attempt)
    return replace(built, ports=_describe(attempt, connection), quarantines=aside)


def _build_sql(attempt: Attempt, connection: duckdb.DuckDBPyConnection) -> None:
    product, inputs, store = attempt.product, attempt.inputs, attempt.environment.store
    queries, limit = sql_queries(product), attempt.environment.settings.transform_limit
    sources = [file for found in inputs.source_files.values() for file in found]
    seal(connection, [*sources, *_read_folders(store, inputs), attempt.folder])
    for port in product.outputs:
        with blamed(product, port, plain_of(attempt)), time_limit(connection, limit):
            rows, wanted = queries[port.name], wanted_types(port.contract)
            target = attempt.folder
            files.make_folder(target / port.name)
            copy_port(connection, rows, target, port.address, wanted, aside=target)


def _run_python(attempt: Attempt, scratch: Path) -> tuple[str, ...]:
    views, read = _views(attempt)
    inputs, own = attempt.inputs, scratch / "own"
    sources = [file.absolute() for found in inputs.source_files.values() for file in found]
    job = replace(
        _job(attempt, own),
        prepare=(*partition_macros(attempt.partition), *views),
        source_files=inputs.source_files,
        windows=windows(attempt.product, attempt.key),
        delivered=own_deliveries(attempt.product, attempt.key, inputs.source_files),
        offered=_offered(attempt),
    )
    access = replace(_access(attempt, read), files=tuple(sources))
    room = Room(attempt.product, walls_of(attempt.environment.settings), own, access)
    answer = confined(("dataops_mesh.transform.job", "run_python"), job, room)
    return tuple(file for _, file in answer.modules)


def _run_dbt(attempt: Attempt, scratch: Path) -> list[DbtTestRun]:
    views, read = _views(attempt)
    settings, inputs = attempt.environment.settings, scratch / "inputs.duckdb"
    write_inputs_file(inputs, views, settings.clock())
    tests = any(isinstance(check.measure, DbtTest) for check in attempt.checks)
    walls, access = walls_of(settings), _access(attempt, read)
    job = replace(_job(attempt, scratch), partition=attempt.partition)
    state = State(partial(copy_state, attempt), attempt.inputs.full)
    return build_project(job, walls, inputs.absolute(), access, tests=tests, state=state)


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
        plain=plain_of(attempt),
    )


def _views(attempt: Attempt) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return the views of what is read, as who is confined can read them."""
    store, release = attempt.environment.store, attempt.inputs.release
    product, reads, listed = attempt.product, attempt.inputs.reads, may_list()
    views, read = release_views(
        store, release, addresses(product), listed=listed, opened=attempt.inputs.opened
    )
    own, mine = own_views(store, product, release, reads, attempt.key, listed=listed)
    return (*views, *own), (*read, *mine)


def _describe(attempt: Attempt, connection: duckdb.DuckDBPyConnection) -> tuple[PortData, ...]:
    """Say what the ports hold, now that whoever wrote them is gone."""
    described = []
    for port in attempt.product.outputs:
        with blamed(attempt.product, port, plain_of(attempt)):
            described.append(describe_port(connection, attempt.folder, port.address))
    return tuple(described)


def _offered(attempt: Attempt) -> dict[str, Any]:
    """Return what a Python transform may ask for beside its inputs."""
    piece = attempt.partition
    values = (piece.key, piece.start, piece.end) if piece else (None, None, None)
    clock = attempt.environment.settings.clock()
    given = {ARGUMENT: dict(attempt.product.parameters)}
    return {CLOCK: clock, **given, **dict(zip(PARTITION, values, strict=True))}


def _read_folders(store: Store, inputs: Inputs) -> list[Path]:
    """Return the folders of the ports that are read; of a partitioned one, of all partitions.

    Nothing beside a port's own folder: what was set aside from it is not for its consumers.
    """
    read = [one.address for one in inputs.reads if one.address is not None and not is_own(one.name)]
    ports = {
        read_folder(store, ref, address.port)
        for address in read
        for ref in inputs.release.ports[address].refs
    }
    for address, columns in inputs.opened.items():
        entry = inputs.release.ports[address]
        ports |= {path.parent for path in whole_scan(store, address, entry, columns)[1]}
    own = {
        read_folder(store, one.candidate, one.address.port)
        for one in inputs.reads
        if is_own(one.name) and one.address is not None and one.candidate is not None
    }
    return sorted(ports | own)
