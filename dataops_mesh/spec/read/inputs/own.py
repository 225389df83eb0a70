"""Reads the input ports named `self`: a product that reads its own last publication."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import InputPort, OutputPort
from dataops_mesh.spec.names import SELF, is_own, major
from dataops_mesh.spec.read.contract import check_version
from dataops_mesh.spec.read.extras import Extras
from dataops_mesh.spec.read.node import Node


def read_own(
    node: Node, extras: Extras, outputs: Sequence[OutputPort], problems: list[Problem]
) -> tuple[InputPort, ...]:
    """Return the input ports that read the product's own ports.

    `self` is the port of a product that has one; of several, each is an input of its own,
    `self.<port>`.
    """
    found: dict[str, InputPort] = {}
    for entry in node.items("inputPorts"):
        name, child = entry.text("name"), entry.child("name")
        if name is None or child is None or not is_own(name):
            continue
        check_version(entry, problems)
        for setting in extras.get(entry.keys, {}).values():
            if setting is not None:
                what = f'"{name}" is what the product published last, and takes no setting'
                problems.append(setting.problem(what, then=_RENAME))
        output = _output(name, outputs)
        if output is None:
            choices = tuple(f"{SELF}.{port.name}" for port in outputs) if len(outputs) > 1 else ()
            what = f'"{name}" names none of the product\'s own ports'
            problems.append(
                Problem(what, child.where, "name", choices or (SELF,), "name one for each input")
            )
            continue
        if name in found:
            problems.append(entry.problem(f'"{name}" is read twice, and at {found[name].where}'))
        problems += _unfit(entry, output)
        found[name] = InputPort(
            name,
            entry.where,
            output.address,
            version=entry.text("version"),
            contract_id=entry.text("contractId"),
        )
    return tuple(found.values())


_RENAME = "remove it; a source or another port needs another name"


def _output(name: str, outputs: Sequence[OutputPort]) -> OutputPort | None:
    if name == SELF:
        return outputs[0] if len(outputs) == 1 else None
    asked = name.removeprefix(f"{SELF}.")
    return next((port for port in outputs if port.name == asked), None)


def _unfit(entry: Node, output: OutputPort) -> list[Problem]:
    """Return where the entry says another version or contract than the port has."""
    problems = []
    asked, given = major(entry.text("version") or ""), major(output.version)
    version, contract = entry.child("version"), entry.child("contractId")
    if version is not None and None not in {asked, given} and asked != given:
        what = f"asks for version {version.value}, and {output.address} is {output.version}"
        problems.append(version.problem(what))
    if contract is not None and output.contract.id not in {"", contract.value}:
        what = f'contractId "{contract.value}" is not the contract of {output.address}'
        problems.append(contract.problem(what, then=f"write {output.contract.id}"))
    return problems
