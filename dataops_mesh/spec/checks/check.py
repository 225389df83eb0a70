"""A check: one assertion on a relation, neutral of who executes it.

Every check measures one number (rows that break it, rows in all, or the value of a query)
and compares it with a threshold. `checks_of` derives them from a contract; `quality` runs
them; `gate` reads the results.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from dataops_mesh.errors import Location
from dataops_mesh.spec.checks.measures import Measure
from dataops_mesh.spec.model import Address, Product, Scalar, Severity, Threshold

_LARGE = 2**63


class Stage(StrEnum):
    """When a check runs: on incoming data before the transform, or on the candidate."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Check:
    """An expectation bound to a relation.

    Args:
        name: an identifier, unique among the checks of one output port.
        port: the output port's address; for an input check, the product's first port,
            which is where Dagster shows it.
        relation: what is read: the address of the port, or the name of the input port.
        fingerprint: a digest of measure, threshold and severity; a result counts only for
            the very check it was computed for.
        table_wide: for a partitioned port, reads all partitions and not only the new one.
        withheld: the number may be a value of a classified column: compared, never shown.
        sets_aside: the build sets rows that break it aside, before anything is judged.
    """

    name: str
    port: Address
    relation: str
    measure: Measure
    threshold: Threshold
    severity: Severity
    stage: Stage
    where: Location
    fingerprint: str
    dimension: str | None = None
    description: str = ""
    table_wide: bool = False
    withheld: bool = False
    sets_aside: bool = False

    @property
    def declared(self) -> DeclaredCheck:
        """Return what a verdict can be computed from again."""
        return DeclaredCheck(
            self.name,
            self.port,
            self.threshold,
            self.severity,
            self.stage,
            self.fingerprint,
            self.withheld,
        )


@dataclass(frozen=True, slots=True)
class DeclaredCheck:
    """Of a check, what the gate needs to judge its result: it is kept with the evidence."""

    name: str
    port: Address
    threshold: Threshold
    severity: Severity
    stage: Stage
    fingerprint: str
    withheld: bool = False


class Outcome(StrEnum):
    """How a check ended; `errored` means it could not run, which says nothing of the data."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check on one candidate.

    Args:
        observed: the number the threshold was applied to (rows or percent); text where a float
            would lose digits; None if errored or withheld.
        rows: rows of the relation, where they were counted.
        reason: one sentence for people; redacted.
        sample: a few offending rows without any classified column, as sorted pairs.
        withheld: there was a number, the threshold was applied to it, and it is told to nobody.
    """

    check: str
    port: Address
    candidate: str
    fingerprint: str
    outcome: Outcome
    severity: Severity
    observed: int | float | str | None = None
    rows: int | None = None
    reason: str = ""
    sample: tuple[tuple[tuple[str, Scalar], ...], ...] = ()
    seconds: float = 0.0
    withheld: bool = False

    @property
    def told(self) -> float | str:
        """Return the number as Dagster can keep it (64 bits), or why there is none to show."""
        if self.withheld:
            return "not shown: it reads classified columns"
        if self.observed is None:
            return "could not run"
        large = isinstance(self.observed, int) and abs(self.observed) >= _LARGE
        return str(self.observed) if large else self.observed


def checks_of(product: Product) -> tuple[Check, ...]:
    """Return the checks that a candidate of the product must have results for.

    Those of the input ports come first (stage INPUT, shown at the product's first port), then
    for each port its constraints and its quality rules.
    """
    return _checks_of(_Same(product))


class _Same:
    """A product that is equal to nothing but itself: to compare two costs more than to derive."""

    __slots__ = ("product",)

    def __init__(self, product: Product) -> None:
        self.product = product

    def __hash__(self) -> int:
        return id(self.product)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.product is self.product


@lru_cache(maxsize=1024)
def _checks_of(same: _Same) -> tuple[Check, ...]:
    """Derive checks once for each product that is loaded: reading, policies and Dagster ask."""
    # Imported here, because deriving needs the types above.
    from dataops_mesh.spec.checks.derive import derive_checks

    return derive_checks(same.product)


def declared_rules(product: Product) -> int:
    """Return how many assertions a product declares: its checks, and rules only people check."""
    from dataops_mesh.spec.checks.coverage import coverage

    rules = coverage(product)
    return len(checks_of(product)) + rules.declared - rules.executable
