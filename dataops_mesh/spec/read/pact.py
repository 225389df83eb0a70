"""Pacts: expectations of a consumer that the producer has accepted for its own gate.

accepted/<consumer's domain>.<product>.yaml in the producer's folder
    consumer: desk.totals
    severity: error            # warning: a failure is told and refuses nothing
    expectations:
      shop.orders:             # the consumer's own words, as `mesh accept` copied them
        - {name: enough_rows, metric: rowCount, mustBeGreaterThan: 10}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.errors import DeclarationError, Location, Problem, did_you_mean
from dataops_mesh.spec.rule import Rule, Severity
from dataops_mesh.spec.terms import Address

if TYPE_CHECKING:
    from dataops_mesh.spec.model import Mesh, OutputPort, Product
    from dataops_mesh.spec.read.node import Node
    from dataops_mesh.spec.standards.schema import Validator

FOLDER = "accepted"
SUFFIX = ".yaml"
POWERS = (Severity.ERROR, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Pact:
    """What one consumer expects of one port, as its producer has accepted it.

    Args:
        consumer: the qualified name, `domain.product`.
        severity: the most that a failure may do: `error` refuses, `warning` only tells.
        fingerprint: a digest of the whole file.
    """

    consumer: str
    port: Address
    rules: tuple[Rule, ...]
    severity: Severity
    where: Location
    fingerprint: str


def read_pacts(
    folder: Path, root: Path, outputs: Iterable[OutputPort], problems: list[Problem]
) -> tuple[Pact, ...]:
    """Return the pacts in a product's folder; every mistake becomes a problem."""
    from dataops_mesh.spec.paths import shown
    from dataops_mesh.spec.read.node import Node
    from dataops_mesh.spec.read.yaml import read_document

    ports = {str(port.address): port for port in outputs}
    pacts: list[Pact] = []
    place = folder / FOLDER
    for file in sorted(place.iterdir()) if place.is_dir() else ():
        name = shown(file, root)
        if not file.name.endswith(SUFFIX):
            what = "is not read under this name"
            then = f"name it <consumer's domain>.<product>{SUFFIX}, or remove it"
            problems.append(Problem(what, Location(name, 1), next=then))
            continue
        try:
            document = read_document(file, name)
        except DeclarationError as error:
            problems += error.problems
            continue
        consumer = file.name.removesuffix(SUFFIX)
        pacts += _read(Node(document, document.data), consumer, folder.parent.name, ports, problems)
    return tuple(pacts)


def _read(
    node: Node, consumer: str, domain: str, ports: dict[str, OutputPort], problems: list[Problem]
) -> Iterator[Pact]:
    from dataops_mesh.spec.read.contract import check_same
    from dataops_mesh.spec.standards.schema import validate

    found = validate(_validator(), node)
    problems += found
    check_same(node, "consumer", consumer, "the name of the file", problems)
    expected = node.child("expectations")
    if found or expected is None:
        return
    for address in expected.value:
        entry = expected.child(address)
        if entry is None:
            continue
        if address not in ports:
            what = f'"{address}" is no port of this product{did_you_mean(address, ports)}'
            then = f"mesh accept {consumer} --for {domain}.<product>, or remove it"
            problems.append(entry.problem(what, sorted(ports), then))
            continue
        rules = _rules(entry, ports[address], problems)
        severity = Severity(node.text("severity") or Severity.ERROR)
        yield Pact(
            consumer,
            Address.parse(address),
            rules,
            severity,
            entry.where,
            node.document.digest(),
        )


def _rules(entry: Node, port: OutputPort, problems: list[Problem]) -> tuple[Rule, ...]:
    from dataops_mesh.spec.read.inputs.ports import names_of, read_expectations

    rules = read_expectations(entry, names_of(port.address), problems)
    problems += unknown_columns(rules, port)
    return rules


def unknown_columns(
    rules: Iterable[Rule], port: OutputPort, key: str | None = None
) -> list[Problem]:
    """Return a problem for each column that an expectation names and the port does not have."""
    known = tuple(column.name for column in port.contract.columns)
    return [
        Problem(
            f'{port.address} has no column "{name}"{did_you_mean(name, known)}',
            rule.where,
            key or rule.name,
            known,
        )
        for rule in rules
        for name in ((rule.column,) if rule.column else rule.properties)
        if name not in known
    ]


def power(rule: Rule, pact: Pact) -> Rule:
    """Return the rule with no more power than the pact gives it."""
    lower = pact.severity is Severity.WARNING and rule.severity is Severity.ERROR
    return replace(rule, severity=Severity.WARNING) if lower else rule


def check_name(pact: Pact, rule: Rule) -> str:
    """Return the name of the check that a rule of a pact becomes.

    >>> nowhere = Location("", 1)
    >>> pact = Pact("desk.totals", Address("shop", "orders"), (), Severity.ERROR, nowhere, "")
    >>> from dataops_mesh.spec.rule import RuleKind
    >>> check_name(pact, Rule("enough", RuleKind.LIBRARY, nowhere))
    'for_desk_totals_enough'
    """
    return f"for_{pact.consumer.replace('.', '_')}_{rule.name}"


def moved_on(mesh: Mesh, products: Iterable[Product]) -> tuple[Problem, ...]:
    """Return the pacts of products that are no longer what the consumer declares.

    They are remarks, not mistakes: a consumer may not close another team's gate by editing its
    own files.
    """
    known = {product.qualified_name: product for product in mesh.products}
    problems = []
    for product in products:
        for pact in product.pacts:
            consumer = known.get(pact.consumer)
            again = f"mesh accept {pact.consumer} --for {product.qualified_name}"
            if consumer is None or consumer.status == "retired":
                what = f"there is no consumer {pact.consumer} in this workspace"
                then = "remove the file, if it is gone for good"
                problems.append(Problem(what, pact.where, next=then))
            elif _bare(pact.rules) != _bare(declared(consumer).get(pact.port, ())):
                what = f"{pact.consumer} expects something else of {pact.port} by now"
                problems.append(Problem(what, pact.where, next=f"{again}, after you agree"))
    return tuple(problems)


def declared(consumer: Product) -> dict[Address, tuple[Rule, ...]]:
    """Return what a product expects of each published port that it reads."""
    return {
        port.address: port.expectations
        for port in consumer.inputs
        if port.address is not None and port.expectations
    }


def _bare(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    nowhere = Location("", 0)
    return tuple(replace(rule, where=nowhere) for rule in rules)


@cache
def _validator() -> Validator:
    from dataops_mesh.spec.standards.schema import Validator

    listed = {"type": "array", "minItems": 1, "items": {"type": "object"}}
    ports = {"type": "object", "minProperties": 1, "additionalProperties": listed}
    keys = {
        "consumer": {"type": "string"},
        "severity": {"enum": [str(power) for power in POWERS]},
        "expectations": ports,
    }
    required = ["consumer", "expectations"]
    return Validator(
        {"type": "object", "properties": keys, "required": required, "additionalProperties": False}
    )
