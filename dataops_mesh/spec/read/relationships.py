"""Reads foreign keys (ODCS `relationships`) and finds the ports that they refer to.

What is referred to must be a port of this product or one of its input ports: only then is the
publication that was compared with pinned, on record and in the lineage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import (
    ZERO,
    Address,
    Column,
    Contract,
    InputPort,
    Metric,
    OutputPort,
    Product,
    Relationship,
    RuleKind,
    Severity,
    Threshold,
)
from dataops_mesh.spec.names import is_name, slug
from dataops_mesh.spec.read.extras import Extras
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.quality.rules import read_severity
from dataops_mesh.spec.read.quality.thresholds import read_threshold
from dataops_mesh.spec.rule import Unexecuted

_FORMS = ("port.column", "domain.port.column")
_LEAST, _MOST = 2, 3


def read_relationships(
    table: Node, columns: tuple[Column, ...], extras: Extras, problems: list[Problem]
) -> tuple[Relationship, ...]:
    """Return the foreign keys of a schema object and of its columns, not yet resolved."""
    found = []
    for column, entry in zip(columns, table.items("properties"), strict=True):
        found += [_read(node, column.name, extras, problems) for node in entry.items(_KEY)]
        for node in entry.items(_KEY):
            child = node.child("from")
            if child is not None:
                problems.append(child.problem("may not stand here: it is the column itself"))
    own, names = table.text("name"), [column.name for column in columns]
    for node in table.items(_KEY):
        source = _source(node, own or "", names, problems)
        found.append(_read(node, source, extras, problems) if source else None)
    return tuple(one for one in found if one is not None)


def resolve(
    domain: str,
    outputs: tuple[OutputPort, ...],
    inputs: tuple[InputPort, ...],
    problems: list[Problem],
) -> tuple[OutputPort, ...]:
    """Return the ports with the address of every foreign key; what is not found is a problem."""
    own = {port.address: port.contract for port in outputs}
    read = tuple(port.address for port in inputs if port.address is not None)
    sources = {port.name for port in inputs if port.source is not None}
    made = []
    for port in outputs:
        resolved = []
        left = list(port.contract.unexecuted)
        for one in port.contract.relationships:
            address = _address(one.relation, domain, own, read)
            if address is None and port.contract.system:
                what = f"nobody executes it here: {_unknown(one, sources).what}"
                left.append(Unexecuted(f'reference "{one.name}": {what}', one.where, one.severity))
                continue
            if address is None:
                problems.append(_unknown(one, sources))
            elif address in own and port.contract.partitioning is not None:
                problems.append(_of_piece(one))
            elif address in own:
                problems += reference_problems(one, port.contract, own[address], address)
            resolved.append(replace(one, address=address))
        contract = replace(port.contract, relationships=tuple(resolved), unexecuted=tuple(left))
        made.append(replace(port, contract=contract))
    return tuple(made)


def reference_problems(
    one: Relationship, contract: Contract, target: Contract, address: Address
) -> list[Problem]:
    """Return what is wrong with the referenced columns: unknown, or of another type."""
    known = {column.name: column for column in target.columns}
    own = {column.name: column for column in contract.columns}
    problems = []
    for here, there in zip(one.columns, one.to, strict=True):
        if there not in known:
            what = f'{address} has no column "{there}"{did_you_mean(there, known)}'
            problems.append(Problem(what, one.where, one.key, tuple(known)))
        elif here in own and _kind(own[here]) != _kind(known[there]):
            types = f"{here} is {own[here].logical_type} and {there} {known[there].logical_type}"
            what = f"{types}: a key and what it refers to have one type"
            problems.append(Problem(what, one.where, one.key))
    return problems


def referenced(product: Product) -> tuple[Address, ...]:
    """Return the addresses of the input ports that foreign keys refer to."""
    read = {port.address for port in product.inputs}
    found = (one.address for port in product.outputs for one in port.contract.relationships)
    return tuple(dict.fromkeys(address for address in found if address and address in read))


_KEY = "relationships"


def _kind(column: Column) -> str:
    return "number" if column.logical_type == "integer" else column.logical_type


def _read(
    node: Node, columns: str | tuple[str, ...], extras: Extras, problems: list[Problem]
) -> Relationship | None:
    here = (columns,) if isinstance(columns, str) else columns
    child = node.child("to")
    if child is None:
        return None  # the schema has reported it
    parts = _references(child, problems)
    if parts is None:
        return None
    if len({head for head, _ in parts}) > 1:
        problems.append(child.problem("refers to columns of several relations"))
        return None
    if len(parts) != len(here):
        what = f"{len(here)} columns refer to {len(parts)}"
        problems.append(child.problem(what, then="give as many columns on both sides"))
        return None
    relation = parts[0][0]
    threshold, severity = _tolerance(extras.get(node.keys, {}).get("tolerance"), problems)
    identifier = node.text("id")
    name = f"{'_'.join(here)}_references_{relation.rpartition('.')[2]}"
    return Relationship(
        name=slug(identifier) if identifier else slug(name),
        columns=here,
        relation=relation,
        to=tuple(column for _, column in parts),
        where=child.where,
        key=child.problem("").key,
        threshold=threshold,
        severity=severity,
    )


def _references(node: Node, problems: list[Problem]) -> list[tuple[str, str]] | None:
    """Return relation and column of one reference, or of each in a list."""
    texts = node.value if isinstance(node.value, list) else [node.value]
    if not texts or not all(isinstance(text, str) for text in texts):
        return None  # the schema has reported it
    found = []
    for text in texts:
        head, _, column = text.rpartition(".")
        names = head.split(".") if "/" not in text else []
        if not _LEAST <= len(names) + 1 <= _MOST or not all(is_name(name) for name in names):
            what = f'"{text}" is no reference to a column of a port'
            problems.append(node.problem(what, _FORMS))
            return None
        found.append((head, column))
    return found


def _source(
    node: Node, own: str, names: list[str], problems: list[Problem]
) -> tuple[str, ...] | None:
    """Return the columns in `from`, which must be of the schema object itself."""
    child = node.child("from")
    if child is None:
        return None  # the schema has reported it
    texts = child.value if isinstance(child.value, list) else [child.value]
    found = []
    for text in texts:
        if not isinstance(text, str):
            return None  # the schema has reported it
        head, _, column = text.rpartition(".")
        if head != own or column not in names:
            choices = [f"{own}.{name}" for name in names]
            what = f'no column "{text}"{did_you_mean(text, choices)}'
            problems.append(child.problem(what, choices))
            return None
        found.append(column)
    if len(set(found)) < len(found):
        problems.append(child.problem("names a column twice"))
        return None
    return tuple(found) or None


def _tolerance(setting: Node | None, problems: list[Problem]) -> tuple[Threshold, Severity]:
    if setting is None:
        return ZERO, Severity.ERROR
    threshold = read_threshold(setting, RuleKind.LIBRARY, Metric.NULL_VALUES, problems)
    return threshold or ZERO, read_severity(setting, problems)


def _address(
    relation: str, domain: str, own: Iterable[Address], read: tuple[Address, ...]
) -> Address | None:
    if "." in relation:
        address = Address.parse(relation)
        return address if address in {*own, *read} else None
    ours = Address(domain, relation)
    if ours in own:
        return ours
    found = [address for address in read if address.port == relation]
    return found[0] if len(found) == 1 else None


def _of_piece(one: Relationship) -> Problem:
    # An audit reads the new partition of each port; a key may well be in an older one.
    what = f'"{one.relation}" is built piece by piece, and is no reference to itself yet'
    return Problem(what, one.where, one.key, next="refer to an input port")


def _unknown(one: Relationship, sources: set[str]) -> Problem:
    wanted = one.relation if "." in one.relation else f"<domain>.{one.relation}"
    what = f'"{one.relation}" is not exactly one port of this product or one of its input ports'
    if one.relation in sources:
        what = f'"{one.relation}" is a source, which promises nothing one could refer to'
    then = f"declare `- name: {wanted}` under inputPorts of product.odps.yaml"
    return Problem(what, one.where, one.key, next=then)
