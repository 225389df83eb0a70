"""Building a candidate: the transform's output as Parquet in a folder nobody reads yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine.manifest import PortData, folder
from dataops_mesh.engine.session import seal
from dataops_mesh.engine.store import Store
from dataops_mesh.engine.write import write_port
from dataops_mesh.errors import MeshError, Problem, TransformError
from dataops_mesh.run.bind import Inputs, write_inputs_file
from dataops_mesh.run.dbt import CATALOG, INPUTS, DbtTestRun, build_project
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.python import call_transform
from dataops_mesh.run.redact import safe_message
from dataops_mesh.run.sql import sql_queries
from dataops_mesh.spec.model import OutputPort, Product, TransformKind

if TYPE_CHECKING:
    import duckdb

Built = tuple[tuple[PortData, ...], tuple[DbtTestRun, ...]]


def build_candidate(
    product: Product,
    environment: Environment,
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    ref: str,
    scratch: Path,
) -> Built:
    """Run the transform and write every output port.

    Args:
        product: what to build.
        environment: the store and the settings.
        connection: has the input ports as views.
        inputs: what they are pinned to.
        ref: the candidate's ref.
        scratch: a private folder that is deleted after the run.

    Returns:
        The written ports, and how dbt's tests ended if dbt built them.

    Raises:
        TransformError: the transform raised, or returned something unusable.
    """
    target = folder(environment.store, ref)
    match product.transform.kind:
        case TransformKind.SQL:
            queries = sql_queries(product)
            files = [file for found in inputs.source_files.values() for file in found]
            seal(connection, [*files, *_read_folders(environment.store, inputs), target])
            return _write(product, connection, queries, target), ()
        case TransformKind.PYTHON:
            returned = call_transform(
                product, connection, inputs.source_files, environment.settings.clock()
            )
            return _write(product, connection, returned, target), ()
        case TransformKind.DBT:
            return _build_dbt(product, environment, connection, inputs, target, scratch)


def _build_dbt(
    product: Product,
    environment: Environment,
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    target: Path,
    scratch: Path,
) -> Built:
    settings = environment.settings
    inputs_file = scratch / "inputs.duckdb"
    write_inputs_file(inputs_file, environment.store, product, inputs, settings.clock())
    duckdb_settings = {
        "memory_limit": settings.memory_limit,
        "temp_directory": str(scratch / "spill"),
        "TimeZone": "UTC",
    }
    database, tests = build_project(
        product, scratch, inputs_file, duckdb_settings, environment.threads
    )
    # A public model may be a view over other models and the inputs: attach both to read it.
    connection.execute(f"ATTACH '{inputs_file}' AS {INPUTS} (READ_ONLY)")
    connection.execute(f"ATTACH '{database}' AS {CATALOG} (READ_ONLY)")
    schema = "main"
    queries = {
        port.name: f'SELECT * FROM {CATALOG}.{schema}."{port.name}"' for port in product.outputs
    }
    return _write(product, connection, queries, target), tuple(tests)


def _write(
    product: Product,
    connection: duckdb.DuckDBPyConnection,
    built: Mapping[str, Any],
    target: Path,
) -> tuple[PortData, ...]:
    return tuple(_write_one(connection, port, built[port.name], target) for port in product.outputs)


def _write_one(
    connection: duckdb.DuckDBPyConnection, port: OutputPort, data: Any, target: Path
) -> PortData:
    try:
        return write_port(connection, data, target, port.address)
    except MeshError:
        raise
    except Exception as error:
        raise TransformError(
            Problem(f"{port.address} could not be computed: {safe_message(error)}", port.where)
        ) from error


def _read_folders(store: Store, inputs: Inputs) -> list[Path]:
    refs = {read.candidate for read in inputs.reads if read.candidate}
    return [folder(store, ref) for ref in sorted(refs)]
