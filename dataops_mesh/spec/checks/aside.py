"""Which checks of a contract set rows aside, and the checks that these are not too many.

A bound is declared for a rule, for a column (all constraints that look at one row) or for the
partition, and each bound is a check of its own: `quarantine_<rule or column>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.checks.making import having, must
from dataops_mesh.spec.checks.measures import (
    Length,
    Missing,
    NotMultiple,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RepeatedItems,
    SetAside,
    TooFine,
    Unformatted,
    Unmatched,
)
from dataops_mesh.spec.model import ZERO, Column, OutputPort, Rule, Severity, Threshold
from dataops_mesh.spec.names import WHY, stem

IN_PARTITION = "in_partition"
# Of queries those that `spec.predicate` reads: no others are let through.
_BY_ROW = (
    Nulls, Missing, OutsideSet, Unmatched, Length, Range,
    Unformatted, NotMultiple, TooFine, RepeatedItems, Query,
)  # fmt: skip


def may_set_aside(port: OutputPort) -> bool:
    """Tell whether there may be rows of a port that are set aside."""
    contract = port.contract
    rules = (*contract.rules, *(rule for column in contract.columns for rule in column.rules))
    cut = contract.partitioning
    owners = (*contract.columns, *rules, *((cut,) if cut else ()))
    return any(one.quarantine is not None for one in owners)


def with_quarantine(
    port: OutputPort, checks: Iterable[Check], made: Iterable[tuple[Column | Rule | None, Check]]
) -> Iterator[Check]:
    """Yield the checks of a port, marked where they set rows aside, and the bounds of these.

    Args:
        port: the port.
        checks: its checks, each said once.
        made: the checks with the column or the rule that each was made of.
    """
    found, pairs, contract = list(checks), list(made), port.contract
    rules = (*contract.rules, *(rule for column in contract.columns for rule in column.rules))
    owners: list[Column | Rule] = [*contract.columns, *rules]
    bounds = [_bound(one, pairs) for one in owners if one.quarantine]
    marked = {one for _, prints in bounds for one in prints}
    for check in found:
        yield replace(check, sets_aside=True) if check.fingerprint in marked else check
    for owner, prints in bounds:
        names = tuple(check.name for check in found if check.fingerprint in prints)
        yield _check(port, owner.name, names, owner.quarantine, owner.where)
    cut = contract.partitioning
    if cut is not None and cut.quarantine is not None:
        yield _check(port, IN_PARTITION, (IN_PARTITION,), cut.quarantine, contract.where)


def aside_problems(port: OutputPort, checks: Iterable[Check]) -> list[Problem]:
    """Report bounds of rows that nothing can set aside, and a name that says why a row was."""
    bounds = [(one, one.measure) for one in checks if isinstance(one.measure, SetAside)]
    then = "say what its values must be (required, a range, a pattern), or remove the setting"
    what = "nothing that the contract says of this column is about single rows"
    problems = [
        Problem(what, check.where, "onFailure", next=then)
        for check, measure in bounds
        if measure.address == port.address and not measure.rules
    ]
    taken = [column for column in port.contract.columns if column.name.lower() == WHY]
    if taken and any(measure.address == port.address for _, measure in bounds):
        what = f'"{WHY}" says why a row was set aside, and is no name of a column'
        problems.append(Problem(what, taken[0].where, next="give the column another name"))
    return problems


def _bound(
    owner: Column | Rule, made: Iterable[tuple[Column | Rule | None, Check]]
) -> tuple[Column | Rule, frozenset[str]]:
    """Return a column or a rule with what its checks are that look at single rows."""
    own = (check for one, check in made if one is owner)
    return owner, frozenset(c.fingerprint for c in own if isinstance(c.measure, _BY_ROW))


def _check(
    port: OutputPort, name: str, rules: tuple[str, ...], most: Threshold | None, where: Location
) -> Check:
    made = must(
        port, f"quarantine_{stem(name)}", SetAside(port.address, rules), where, "completeness"
    )
    told = "No more rows are set aside than the contract allows."
    return having(made, most or ZERO, Severity.ERROR, told)
