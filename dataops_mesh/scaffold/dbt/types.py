"""The types of a dbt project's models: it is built once and thrown away.

Where it cannot be built here, its own catalog (`dbt docs generate`) or the types in its
schema.yml say them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine.session import release_views
from dataops_mesh.engine.sql import identifier
from dataops_mesh.errors import Problem, TransformError
from dataops_mesh.run.environment import Environment
from dataops_mesh.scaffold.dbt.delivered import by_address, relation_of
from dataops_mesh.scaffold.dbt.sources import Found, files_of
from dataops_mesh.spec.model import Contract, Mesh, Product
from dataops_mesh.spec.types.stored import wanted_types
from dataops_mesh.store.release import latest
from dataops_mesh.transform.confined import Access
from dataops_mesh.transform.dbt.catalog import built_columns
from dataops_mesh.transform.job import Job
from dataops_mesh.transform.walls import may_list, walls_of

if TYPE_CHECKING:
    import duckdb

Types = dict[str, list[tuple[str, str]]]


def types_of(  # noqa: PLR0913, PLR0917 - each is another thing
    product: Product,
    ports: Mapping[str, Mapping[str, Any]],
    found: Found,
    environment: Environment,
    mesh: Mesh,
    scratch: Path,
) -> tuple[Types, list[str]]:
    """Return the columns of each port, and what is to be said about them.

    Args:
        product: the product, with its selection and sources.
        ports: the models.
        found: what stands for the sources.
        environment: the store, for what is published.
        mesh: the contracts of what is not.
        scratch: a folder that is deleted afterwards.

    Raises:
        TransformError: a model could not be built, and nothing else tells the types.
    """
    relations = {name: str(node["relation_name"]) for name, node in ports.items()}
    settings = environment.settings
    inputs = scratch / "inputs.duckdb"
    read = _write_inputs(inputs, found, environment, mesh)
    job = Job(
        product=product,
        candidate=scratch,
        scratch=scratch,
        memory_limit=settings.memory_limit,
        threads=environment.threads,
        now=settings.clock(),
    )
    access = Access(data=tuple({file.parent for file in read}), files=tuple(read))
    try:
        return dict(built_columns(job, walls_of(settings), inputs, access, relations)), []
    except TransformError as error:
        said = _said(product, ports)
        missing = sorted(ports.keys() - said.keys())
        if missing:
            what = f"the types of {', '.join(missing)} are not known, because dbt cannot build them"
            then = "`dbt docs generate` (its target/catalog.json tells them), or write data_type"
            raise TransformError([*error.problems, Problem(what, next=then)]) from error
        return said, ["not built here: the types are those of target/catalog.json or schema.yml"]


def _said(product: Product, ports: Mapping[str, Mapping[str, Any]]) -> Types:
    """Return the columns of each port as the project's own catalog or schema.yml says them."""
    file = product.transform.files[0].parent / "target" / "catalog.json"
    try:
        catalog = json.loads(file.read_text("utf-8"))["nodes"]
    except (OSError, ValueError, KeyError):
        catalog = {}
    found: Types = {}
    for name, node in ports.items():
        known = catalog.get(node["unique_id"], {}).get("columns") or {}
        in_order = sorted(known.values(), key=lambda one: one["index"])
        columns = [(str(one["name"]), str(one["type"])) for one in in_order]
        declared = [
            (str(c["name"]), str(c.get("data_type") or "")) for c in node["columns"].values()
        ]
        columns = columns or declared
        if columns and all(type_ for _, type_ in columns):
            found[name] = columns
    return found


def _write_inputs(
    file: Path, found: Found, environment: Environment, mesh: Mesh
) -> tuple[Path, ...]:
    """Write a DuckDB file with a relation per source; return the files that its views read."""
    import duckdb

    store = environment.store
    release = latest(store)
    delivered = by_address(found.delivered)
    contracts = {port.address: port.contract for one in mesh.products for port in one.outputs}
    read: list[Path] = []
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET enable_progress_bar = false")
        for address in sorted(set(found.addresses.values()), key=str):
            at = f"{identifier(address.domain)}.{identifier(address.port)}"
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(address.domain)}")
            if str(address) in delivered:
                one = delivered[str(address)]
                connection.execute(f"CREATE VIEW {at} AS FROM {relation_of(one)}")
                read += files_of(one.path)
            elif address in release.ports:
                statements, files = release_views(store, release, [address], listed=may_list())
                for statement in statements:
                    connection.execute(statement)
                read += files
            else:
                _empty(connection, at, contracts[address])
    return tuple(read)


def _empty(connection: duckdb.DuckDBPyConnection, at: str, contract: Contract) -> None:
    """Make an empty table with the columns of a port that is not published yet."""
    columns = (f"{identifier(n)} {shape}" for n, shape in wanted_types(contract).items())
    connection.execute(f"CREATE TABLE {at} ({', '.join(columns)})")
