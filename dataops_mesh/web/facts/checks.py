"""The checks of a product: the rule in words, how it ended, and how it ended before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dataops_mesh.factory.wording import promise
from dataops_mesh.ledger.trends import Point
from dataops_mesh.ledger.trouble.incidents import DAMAGED, AuditRecord
from dataops_mesh.spec.checks.aside import IN_PARTITION
from dataops_mesh.spec.checks.check import Check, checks_of
from dataops_mesh.spec.model import Contract, Product
from dataops_mesh.web.facts.columns import is_secret

RUNS = 30
Trends = Mapping[tuple[str, str], tuple[Point, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended once; of a classified column without a number."""

    at: str
    outcome: str
    observed: float | None


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check.

    Args:
        rule: what is measured and what it must be, in words.
        secret: it is about a classified column: how it ended is shown, and no number.
        before: the last results, oldest first.
        reason: what was measured last; empty where that would be a number that is not shown.
    """

    port: str
    name: str
    rule: str
    severity: str
    dimension: str
    stage: str
    secret: bool
    outcome: str
    reason: str
    before: tuple[Result, ...]


def check_lines(
    product: Product, trends: Trends, audit: AuditRecord | None = None
) -> tuple[CheckLine, ...]:
    """Return the checks of a product, those that did not pass first.

    Checks of dbt's own tests, which the declaration does not name, are told by their results.

    Args:
        product: the product.
        trends: how each check ended in the last runs.
        audit: the newest look at what is published.
    """
    secret = {
        column.name
        for port in (*(p.contract for p in product.outputs), *_sources(product))
        for column in port.columns
        if is_secret(column)
    }
    declared = {(str(one.port), one.name): one for one in checks_of(product)}
    lines = [_declared(one, trends.get(key, ()), secret) for key, one in declared.items()]
    lines += [_told(key, points) for key, points in trends.items() if key not in declared]
    lines = [_looked_at(one, trends.get((one.port, one.name), ()), audit) for one in lines]
    return tuple(sorted(lines, key=lambda one: one.outcome in {"passed", "never run"}))


def _looked_at(line: CheckLine, points: tuple[Point, ...], audit: AuditRecord | None) -> CheckLine:
    """Return a check as a look at what is published found it, where that is newer."""
    if audit is None or audit.outcome == DAMAGED or (points and points[-1].at >= audit.at):
        return line
    for port, check, _, reason in audit.failed:
        if (port, check) == (line.port, line.name):
            return replace(line, outcome="failed", reason=reason)
    return line


def results(points: tuple[Point, ...], *, secret: bool) -> tuple[Result, ...]:
    """Return results for people; without a number where it must not be shown."""
    return tuple(
        Result(f"{one.at:%Y-%m-%d %H:%M}", one.outcome, None if secret else one.observed)
        for one in points
    )


def _sources(product: Product) -> list[Contract]:
    return [port.contract for port in product.inputs if port.contract is not None]


def about(check: Check) -> frozenset[str]:
    """Return the columns that a check is about, as far as its measure names them."""
    measure = check.measure
    names = getattr(measure, "columns", ())
    found = {name for name in names if isinstance(name, str)}
    one = getattr(measure, "column", None)
    return frozenset(found | ({one} if isinstance(one, str) else set()))


def _declared(check: Check, points: tuple[Point, ...], secret: set[str]) -> CheckLine:
    hidden = check.withheld or bool(about(check) & secret)
    last = points[-1] if points else None
    passed = last is not None and last.outcome == "passed"
    return CheckLine(
        str(check.port),
        check.name,
        promise(check),
        check.severity.value,
        check.dimension or "",
        check.stage.value,
        hidden,
        last.outcome if last else "never run",
        "" if last is None or (hidden and passed) else last.reason,
        results(points, secret=hidden),
    )


def _told(key: tuple[str, str], points: tuple[Point, ...]) -> CheckLine:
    port, name = key
    last = points[-1]
    rule = "A rule that is not declared here any more, or a test of dbt."
    if name == IN_PARTITION:
        rule = "Every row is of the partition that is built."
    before = results(points, secret=True)
    return CheckLine(port, name, rule, "", "", "", True, last.outcome, last.reason, before)
