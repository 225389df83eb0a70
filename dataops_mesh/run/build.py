"""Building a candidate: the transform's output as Parquet in a folder nobody reads yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine.session import seal
from dataops_mesh.engine.sql import literal
from dataops_mesh.engine.write import write_port
from dataops_mesh.errors import Location, MeshError, Problem, TransformError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.bind import Inputs, write_inputs_file
from dataops_mesh.spec.model import OutputPort, Product, TransformKind
from dataops_mesh.spec.stored import wanted_types
from dataops_mesh.store.manifest import PortData, folder
from dataops_mesh.store.store import Store
from dataops_mesh.transform.dbt import CATALOG, INPUTS, DbtTestRun, Profile, build_project
from dataops_mesh.transform.place import place
from dataops_mesh.transform.python import CLOCK, PARTITION, call_transform
from dataops_mesh.transform.redact import line_in, safe_message
from dataops_mesh.transform.sql import sql_queries

if TYPE_CHECKING:
    import duckdb

Built = tuple[tuple[PortData, ...], tuple[DbtTestRun, ...]]


def build_candidate(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection, scratch: Path
) -> Built:
    """Run the transform and write every output port.

    Args:
        attempt: what to build, where, and from which inputs.
        connection: has the input ports as views.
        scratch: a private folder that is deleted after the run.

    Returns:
        The written ports, and how dbt's tests ended if dbt built them.

    Raises:
        TransformError: the transform raised, or returned something unusable.
    """
    product, inputs, store = attempt.product, attempt.inputs, attempt.environment.store
    match product.transform.kind:
        case TransformKind.SQL:
            queries = sql_queries(product)
            files = [file for found in inputs.source_files.values() for file in found]
            seal(connection, [*files, *_read_folders(store, inputs), attempt.folder])
            return _write(attempt, connection, queries), ()
        case TransformKind.PYTHON:
            returned = call_transform(product, connection, inputs.source_files, _offered(attempt))
            return _write(attempt, connection, returned), ()
        case TransformKind.DBT:
            return _build_dbt(attempt, connection, scratch)


def _offered(attempt: Attempt) -> dict[str, Any]:
    """Return what a Python transform may ask for beside its inputs."""
    piece = attempt.partition
    values = (piece.key, piece.start, piece.end) if piece else (None, None, None)
    clock = attempt.environment.settings.clock()
    return {CLOCK: clock, **dict(zip(PARTITION, values, strict=True))}


def _build_dbt(attempt: Attempt, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Built:
    product, environment = attempt.product, attempt.environment
    profile = Profile(
        folder=scratch,
        inputs=scratch / "inputs.duckdb",
        threads=environment.threads,
        settings={
            "memory_limit": environment.settings.memory_limit,
            "temp_directory": str(scratch / "spill"),
            "TimeZone": "UTC",
        },
    )
    write_inputs_file(
        scratch / "inputs.duckdb",
        environment.store,
        product,
        attempt.inputs,
        environment.settings.clock(),
    )
    relations, tests = build_project(product, profile)
    # A public model may be a view over other models and the inputs: attach both to read it.
    connection.execute(f"ATTACH {literal(profile.inputs)} AS {INPUTS} (READ_ONLY)")
    connection.execute(f"ATTACH {literal(profile.database)} AS {CATALOG} (READ_ONLY)")
    queries = {port.name: f"SELECT * FROM {relations[port.name]}" for port in product.outputs}
    return _write(attempt, connection, queries), tuple(tests)


def _write(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection, built: Mapping[str, Any]
) -> tuple[PortData, ...]:
    return tuple(
        _write_one(attempt, connection, port, built[port.name]) for port in attempt.product.outputs
    )


def _write_one(
    attempt: Attempt, connection: duckdb.DuckDBPyConnection, port: OutputPort, data: Any
) -> PortData:
    try:
        return write_port(
            connection, data, attempt.folder, port.address, wanted_types(port.contract)
        )
    except TransformError as error:
        where = _blame(attempt.product, port, error)
        raise TransformError(_ours(problem, where) for problem in error.problems) from error
    except (MeshError, OSError):
        raise
    except Exception as error:
        what = f"{port.address} could not be computed: {safe_message(error)}"
        raise TransformError(Problem(what, _blame(attempt.product, port, error))) from error


def _ours(problem: Problem, where: Location) -> Problem:
    """Return the problem with its place; the engine's advice gives way to the kept text."""
    return replace(problem, where=where, next=problem.next if problem.choices else "")


def _blame(product: Product, port: OutputPort, error: Exception) -> Location:
    """Return the line of the transform that built the port; a lazy one fails while it is read."""
    transform = product.transform
    file = dict(zip(transform.ports, transform.files, strict=False)).get(port.name)
    file = file or transform.files[0]
    return place(product, file, line_in(error, file))


def _read_folders(store: Store, inputs: Inputs) -> list[Path]:
    """Return the candidates behind the inputs; of a partitioned one, those of all partitions."""
    addresses = [read.address for read in inputs.reads if read.address is not None]
    refs = {ref for address in addresses for ref in inputs.release.ports[address].refs}
    return [folder(store, ref) for ref in sorted(refs)]
