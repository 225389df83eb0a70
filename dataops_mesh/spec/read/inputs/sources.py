"""Reads the contracts of sources: `inputs/<input>.odcs.yaml`, or the file with its `contractId`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.model import InputPort, SourceFormat
from dataops_mesh.spec.paths import shown
from dataops_mesh.spec.read.contract import read_contract
from dataops_mesh.spec.read.include import read_contract_file
from dataops_mesh.spec.read.objects import objects_in
from dataops_mesh.spec.read.yaml import Document

FOLDER, SUFFIX = "inputs", ".odcs.yaml"
_TYPED = ("types", "columns", "all_varchar", "auto_detect", "dateformat", "timestampformat")


def with_contracts(
    inputs: tuple[InputPort, ...],
    folder: Path,
    root: Path,
    problems: list[Problem],
    *,
    sound: bool,
) -> tuple[InputPort, ...]:
    """Return the input ports, those of sources with their contracts.

    Args:
        inputs: the input ports of the product.
        folder: the product's folder.
        root: the workspace.
        problems: receives what is wrong with the contracts.
        sound: the input ports could all be read; else one that is missing may be among the rest.
    """
    found = dict(inputs_by_name(inputs))
    for file in sorted((folder / FOLDER).glob("*.odcs.y*ml")):
        where = Location(shown(file, root), 1)
        if not file.name.endswith(SUFFIX):
            then = f"rename it to <input>{SUFFIX}"
            problems.append(Problem("is not read under this name", where, next=then))
            continue
        try:
            parts = objects_in(read_contract_file(file, root, problems))
        except DeclarationError as error:
            problems += error.problems
            continue
        document = parts[0][1]
        port = _owner(document, file.name.removesuffix(SUFFIX), found)
        wrong = _cannot_have(port, where, found)
        if wrong is not None or port is None:
            problems += [wrong] if wrong and (sound or port) else []
            continue
        if len(parts) > 1:
            document = dict(parts).get(port.name, document)
        contract, own = read_contract(document, folder.parent.name, port.name, source=True)
        problems += own
        if contract.relationships:
            what = "a relationship of a source is not checked"
            then = "write it in the contract of the output port"
            problems.append(Problem(what, contract.relationships[0].where, next=then))
        if port.contract_id and port.contract_id != contract.id:
            what = f'its id is "{contract.id}", and the input port says "{port.contract_id}"'
            problems.append(Problem(what, contract.where, key="id", choices=(port.contract_id,)))
        found[port.name] = replace(port, contract=contract)
    return tuple(found[port.name] for port in inputs)


def inputs_by_name(inputs: tuple[InputPort, ...]) -> dict[str, InputPort]:
    """Return the input ports by their names."""
    return {port.name: port for port in inputs}


def _owner(document: Document, stem: str, found: dict[str, InputPort]) -> InputPort | None:
    """Return the input port of a file: of its name, or with its id."""
    data = document.data
    own = str(data.get("id") or "") if isinstance(data, dict) else ""
    by_id = (port for port in found.values() if own and port.contract_id == own)
    return found.get(stem) or next(by_id, None)


def _cannot_have(
    port: InputPort | None, where: Location, found: dict[str, InputPort]
) -> Problem | None:
    """Return why the file is the contract of no source."""
    sources = tuple(name for name, one in found.items() if one.source is not None)
    if port is None:
        return Problem("is the contract of no input port", where, choices=sources)
    if port.source is None:
        what = f"{port.name} is published, and its producer's contract holds"
        return Problem(what, where, choices=sources)
    if port.contract is not None:
        return Problem(f"{port.name} has a contract, at {port.contract.where}", where)
    if port.source.format is SourceFormat.FILE:
        what = f"{port.name} is an opaque file, of which no contract can be checked"
        return Problem(what, where, next="declare its format in the input port")
    given = [key for key, _ in port.source.options if key in _TYPED]
    if given:
        what = f"the contract says the columns, and so does the option {given[0]}"
        return Problem(what, port.source.where, next=f"remove the option {given[0]}")
    return None
