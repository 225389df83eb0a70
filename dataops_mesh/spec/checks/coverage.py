"""What of a product's declared quality rules is executed, and what nobody executes here.

A rule that nobody executes is a promise that nobody keeps watch over. It loads, because the
contract may be another tool's too, and is told wherever the product is: in `mesh check` (the
policy `rules_executed`), in the plan, in the manifest and in `mesh show`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dataops_mesh.spec.model import Contract, Product, Rule, RuleKind
from dataops_mesh.spec.rule import Unexecuted


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of a product's declared quality rules are executed.

    Args:
        declared: the quality rules of the contracts, of the input ports and of the pacts.
        executable: those that become checks.
        text: the names of those that only people can check.
        unexecuted: what nobody executes here, one sentence each.
    """

    declared: int
    executable: int
    text: tuple[str, ...]
    unexecuted: tuple[str, ...] = ()


def coverage(product: Product) -> Coverage:
    """Return how many of the declared rules are executed."""
    rules = [rule for _, contract in _contracts(product) for rule in _rules(contract)]
    rules += [rule for port in product.inputs for rule in port.expectations]
    rules += [rule for pact in product.pacts for rule in pact.rules]
    text = tuple(rule.name for rule in rules if rule.kind is RuleKind.TEXT)
    foreign = sum(bool(rule.foreign) for rule in rules)
    told = tuple(map(str, unexecuted(product)))
    return Coverage(len(rules), len(rules) - len(text) - foreign, text, told)


def unexecuted(product: Product) -> tuple[Unexecuted, ...]:
    """Return everything that the product's contracts say and nobody executes here."""
    found = []
    built = {str(port.address) for port in product.outputs}
    for name, contract in _contracts(product):
        for rule in _rules(contract):
            if rule.usual and name not in built:
                what = (
                    f'rule "{rule.name}": what is usual is told of what is built, not of a source'
                )
                found.append(Unexecuted(what, rule.where, rule.severity, name))
            if rule.unexecuted:
                what = f'rule "{rule.name}": {rule.unexecuted}'
                found.append(Unexecuted(what, rule.where, rule.severity, name))
        columns = (one for column in contract.columns for one in column.unexecuted)
        found += [replace(one, of=name) for one in (*columns, *contract.unexecuted)]
    return tuple(found)


def _contracts(product: Product) -> Iterator[tuple[str, Contract]]:
    for port in product.outputs:
        yield str(port.address), port.contract
    for source in product.inputs:
        if source.contract is not None:
            yield source.name, source.contract


def _rules(contract: Contract) -> Iterator[Rule]:
    yield from contract.rules
    for column in contract.columns:
        yield from column.rules
