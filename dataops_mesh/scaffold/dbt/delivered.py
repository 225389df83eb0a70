"""The product of a source that is files: it publishes them as they are delivered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.engine.sql import identifier, scan
from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.scaffold.columns import property_of
from dataops_mesh.scaffold.dbt.sources import Delivered, files_of
from dataops_mesh.scaffold.dbt.spelled import casts_of
from dataops_mesh.scaffold.documents import VERSION, contract, contract_id, setting
from dataops_mesh.scaffold.documents import product as document
from dataops_mesh.scaffold.guess import by_name
from dataops_mesh.scaffold.text import CONFIRM, yaml_text
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import SourceFormat
from dataops_mesh.spec.paths import shown
from dataops_mesh.spec.read.inputs.ports import infer_format

_READERS = {
    SourceFormat.CSV: "read_csv",
    SourceFormat.PARQUET: "read_parquet",
    SourceFormat.JSON: "read_json",
}


def delivered_files(one: Delivered, settings: Settings, team: Any) -> dict[Path, str]:
    """Return the files of the product that publishes a source.

    Raises:
        DeclarationError: a column that no contract can say.
    """
    domain, port = one.address.domain, one.address.port
    folder = settings.domains_folder / domain / port
    columns, casts = columns_of(one, settings)
    properties = [found for name, type_ in columns if (found := property_of(name, type_))]
    if len(properties) != len(columns):
        odd = [f'"{n}" ({t})' for n, t in columns if property_of(n, t) is None]
        what = f"no contract can say the columns {', '.join(odd)} of the source {one.address}"
        then = "publish it by a product of your own, and name that: --source <source>.<table>="
        raise DeclarationError(Problem(what, next=then))
    path = os.path.relpath(one.path, folder)
    source = {"name": one.name, "customProperties": [setting("source", {"path": path})]}
    output = {"name": port, "version": VERSION, "contractId": contract_id(domain, port)}
    about = one.about or f"{shown(one.path, settings.root)}, as it is delivered."
    product = document(
        domain,
        port,
        description={"purpose": about},
        inputPorts=[source],
        outputPorts=[output],
        team=team,
    )
    classified = [{**p, "classification": by_name(p["name"].lower()) + CONFIRM} for p in properties]
    own = contract(domain, port, classified, about=about)
    came = [{"name": n, "logicalType": "string"} for n in casts]
    coming = {p["name"]: p for p in [*properties, *came]}  # in the order of the delivery
    incoming = contract(domain, one.name, list(coming.values()), about=about, source=True)
    return {
        folder / "product.odps.yaml": yaml_text(product),
        folder / f"{port}.odcs.yaml": yaml_text(own),
        folder / f"{port}.sql": _select(one.name, casts),
        folder / "inputs" / f"{one.name}.odcs.yaml": yaml_text(incoming),
    }


def relation_of(one: Delivered) -> str:
    """Return the SQL of a relation with the rows of a source, as dbt's adapter reads them."""
    return scan(_READERS[infer_format(str(one.path))], files_of(one.path))


def _select(name: str, casts: Mapping[str, str]) -> str:
    """Return the query of the product: what is delivered, each column of its type."""
    if not casts:
        return f"select * from {name}\n"
    made = ",\n".join(f"    {cast} as {identifier(column)}" for column, cast in casts.items())
    return f"select * replace (\n{made}\n) from {name}\n"


def columns_of(
    one: Delivered, settings: Settings
) -> tuple[list[tuple[str, str]], Mapping[str, str]]:
    """Return a source's columns as dbt's adapter would guess them, and how text becomes these.

    Returns:
        Names and types; the casts of those that are spelled otherwise than their type.

    Raises:
        DeclarationError: DuckDB cannot read the files.
    """
    import duckdb

    try:
        with duckdb.connect(config={"memory_limit": settings.memory_limit}) as connection:
            rows = connection.execute(f"DESCRIBE FROM {relation_of(one)}").fetchall()
            columns = [(str(row[0]), str(row[1])) for row in rows]
            is_csv = infer_format(str(one.path)) is SourceFormat.CSV
            casts = casts_of(connection, files_of(one.path), columns) if is_csv else {}
    except duckdb.Error as error:
        kind = type(error).__name__
        what = f"{shown(one.path, settings.root)}, a source, cannot be read ({kind})"
        raise DeclarationError(Problem(what)) from error
    return columns, casts


def by_address(delivered: tuple[Delivered, ...]) -> Mapping[str, Delivered]:
    """Return the sources by their address."""
    return {str(one.address): one for one in delivered}
