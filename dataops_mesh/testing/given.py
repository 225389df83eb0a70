"""What a product is given instead of its inputs: sources made of rows, and published stand-ins."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Location, Problem, SourceError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.settings import Settings
    from dataops_mesh.spec.model import Address, Contract, InputPort, Mesh

Row = Mapping[str, Any]
Given = Path | str | Sequence[Row]
_TYPE_KEYS = ("name", "logicalType", "physicalType", "items", "properties", "map")
_TYPE_OPTIONS = ("timezone", "defaultTimezone", "format", "dimensions")


def require_own(files: Iterable[Path], folder: Path, settings: Settings) -> None:
    """Make sure that what a test is given is nothing that the product may not read: it is shown.

    Args:
        files: of rows, given or expected, and what else is read; links are followed.
        folder: the product's folder.
        settings: of the workspace.

    Raises:
        SourceError: one lies in a store, among secrets, in a neighbour's folder or the system's.
    """
    from dataops_mesh.run.guards.reach import whose_file

    for file in files:
        if whose := whose_file(settings.store_folder, folder, file, settings.hidden_paths):
            what = f"{file.name} of a test is, by a link or its path, a file of {whose}"
            then = "give rows that are made for the test, in a file of the product's own"
            raise SourceError(Problem(what, Location(str(file), 1), next=then))


def as_source(port: InputPort, given: Given, work: Path) -> InputPort:
    """Return an input port that reads what was given instead of its source.

    Args:
        port: as it is declared.
        given: rows, or a file of them.
        work: a folder for the rows.

    Raises:
        UnknownNameError: nothing was given, and no contract says what its columns are.
    """
    from dataops_mesh.spec.model import SourceFormat
    from dataops_mesh.spec.read.inputs.ports import infer_format

    source = port.source
    if source is None:
        return port
    if port.contract is not None:
        port = replace(port, contract=replace(port.contract, allow_empty=True))
    if isinstance(given, str | Path):
        file = Path(given).resolve()
        opaque = source.format is SourceFormat.FILE
        kind = source.format if opaque else infer_format(file.name)
        options = source.options if kind is source.format else ()
    elif not given and port.contract is None:
        what = f"the input port {port.name} has no contract, so its columns are not known"
        raise UnknownNameError(Problem(what, port.where, next="give at least one row of it"))
    elif source.format is SourceFormat.CSV:
        file, kind, options = work / f"{port.name}.csv", source.format, source.options
        _write_csv(file, dict(options), _at_source(port), given)
    else:
        file, kind, options = work / f"{port.name}.ndjson", SourceFormat.JSON, ()
        _write_json(file, given, _at_source(port))
    read = replace(source, path=str(file), package=None, format=kind, options=options, remote=None)
    return replace(port, source=read)


def _at_source(port: InputPort) -> dict[str, str]:
    """Return the name at the source of each column of its contract."""
    columns = port.contract.columns if port.contract else ()
    return {column.name: column.physical_name or column.name for column in columns}


def publish(
    address: Address, given: Given, environment: Environment, mesh: Mesh, work: Path
) -> None:
    """Publish rows at an address, typed as the contract there says, and held to nothing else.

    Raises:
        UnknownNameError: no product of this workspace publishes it.
    """
    from dataops_mesh.run.product import run_product
    from dataops_mesh.spec.loader import load_product

    contract = next(
        (port.contract for one in mesh.products for port in one.outputs if port.address == address),
        None,
    )
    if contract is None:
        known = tuple(str(port.address) for one in mesh.products for port in one.outputs)
        what = f"{address} is published by no product of this workspace"
        raise UnknownNameError(Problem(what + did_you_mean(str(address), known), choices=known))
    root = work / "mesh"
    folder = root / "domains" / address.domain / f"{address.port}_given"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    typed = _types_only(contract, address.port)
    (folder / f"{address.port}.odcs.yaml").write_text(json.dumps(typed), "utf-8")
    (folder / "inputs").mkdir()
    incoming = {**typed, "id": "given", "schema": [{**typed["schema"][0], "name": "given"}]}
    (folder / "inputs" / "given.odcs.yaml").write_text(json.dumps(incoming), "utf-8")
    (folder / f"{address.port}.sql").write_text("select * from given", "utf-8")
    if isinstance(given, str | Path):
        file = Path(given).resolve()
    else:
        file = folder / "given.ndjson"
        _write_json(file, given, {})
    value = {"path": str(file)}
    setting = {"property": "source", "vendor": "dataops_mesh", "value": value}
    document = {
        "apiVersion": "v1.1.0",
        "kind": "DataProduct",
        "id": f"given:{address}",
        "inputPorts": [{"name": "given", "customProperties": [setting]}],
    }
    (folder / "product.odps.yaml").write_text(json.dumps(document), "utf-8")
    run_product(load_product(folder, root), environment, run_id="given")


def _types_only(contract: Contract, port: str) -> dict[str, Any]:
    """Return a contract with the names and types of another, and none of its rules."""
    document = contract.document.data if contract.document else {}
    columns = document["schema"][0]["properties"]
    empty = {"property": "allowEmpty", "vendor": "dataops_mesh", "value": True}
    return {
        "apiVersion": document["apiVersion"],
        "kind": "DataContract",
        "id": f"given:{port}",
        "version": "1.0.0",
        "customProperties": [empty],
        "schema": [{"name": port, "properties": [_type_of(one) for one in columns]}],
    }


def _type_of(column: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: column[key] for key in _TYPE_KEYS if key in column}
    options = column.get("logicalTypeOptions", {})
    typing = {key: options[key] for key in _TYPE_OPTIONS if key in options}
    if column.get("logicalType") not in {"integer", "number", "timestamp", "time"}:
        typing.pop("format", None)
    return {**kept, **({"logicalTypeOptions": typing} if typing else {})}


def _write_json(file: Path, given: Given, names: Mapping[str, str]) -> None:
    rows = [] if isinstance(given, str | Path) else given
    lines = [
        json.dumps({names.get(name, name): value for name, value in row.items()}, default=_text)
        for row in rows
    ]
    file.write_text("".join(line + "\n" for line in lines), "utf-8")


def _write_csv(
    file: Path, options: Mapping[str, Any], at_source: Mapping[str, str], rows: Sequence[Row]
) -> None:
    """Write rows as the source's options say that they come."""
    names = at_source or {name: name for row in rows[:1] for name in row}
    nothing = options.get("nullstr", "")
    missing = nothing if isinstance(nothing, str) else next(iter(_texts(nothing)), "")
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=str(options.get("delim", ",")), lineterminator="\n")
        writer.writerow(names.values())
        for row in rows:
            writer.writerow([_text(row.get(name), missing) for name in names])


def _texts(value: Any) -> Iterable[str]:
    return (str(one) for one in value) if isinstance(value, tuple) else ()


def _text(value: Any, missing: str = "") -> str:
    if value is None:
        return missing
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | int | float | str) else json.dumps(value)
