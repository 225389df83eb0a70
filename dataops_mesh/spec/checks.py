"""A check: one assertion on a relation, neutral of who executes it.

Every check measures one number (rows that break it, rows in all, or the value of a query)
and compares it with a threshold. `checks_of` derives them from a contract; `quality` runs
them; `gate` reads the results.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dataops_mesh.errors import Location
from dataops_mesh.spec.model import Address, Product, Scalar, Severity, Threshold
from dataops_mesh.spec.shape import Shape


@dataclass(frozen=True, slots=True)
class Nulls:
    """Rows in which the column is null."""

    column: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows in which the column is null or one of the values that stand for missing."""

    column: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class OutsideSet:
    """Rows in which the column is neither null nor one of the values."""

    column: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Rows in which the column is not null and the pattern is not found in it."""

    column: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Distinct keys that occur more than once; for one column nulls are not keys."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowCount:
    """Rows in all."""


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """Columns that are missing from the relation or that nobody declared."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnType:
    """1 when the column's type in the relation is none of the accepted ones, else 0.

    An accepted name without parameters accepts all of them: `DECIMAL` accepts `DECIMAL(9,2)`;
    `spec.physical.is_accepted` compares.
    """

    column: str
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """Rows whose text is shorter or longer than allowed; nulls are not counted."""

    column: str
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """Rows whose value is outside the bounds; nulls are not counted."""

    column: str
    minimum: Scalar
    maximum: Scalar
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """1 when the type of a column of objects, arrays or maps is not of this shape, else 0."""

    column: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Unformatted:
    """Rows whose text does not have a format; nulls are not counted.

    Args:
        format: its name, for people.
        pattern: of the whole text.
        type: a DuckDB type that the text must be readable as, or None.
    """

    column: str
    format: str
    pattern: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class NotMultiple:
    """Rows whose number is no multiple of another; nulls are not counted."""

    column: str
    of: float


@dataclass(frozen=True, slots=True)
class TooFine:
    """Rows whose time has more than a format shows; nulls are not counted.

    Args:
        step: the smallest difference that the format shows, in microseconds.
    """

    column: str
    format: str
    step: int


@dataclass(frozen=True, slots=True)
class RepeatedItems:
    """Rows whose array holds an item twice; nulls are not counted, a null in it is an item."""

    column: str


@dataclass(frozen=True, slots=True)
class Unreferenced:
    """Rows whose key is not among those of the referenced port; keys with a null are not counted.

    Args:
        columns: the key's columns.
        address: the referenced port, a view of the same connection.
        to: the referenced columns, in the order of `columns`.
    """

    columns: tuple[str, ...]
    address: Address
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """The single number that a read-only SELECT returns; `{object}` is the relation.

    Args:
        column: what `{property}` or `{column}` stands for, when the rule is on a column.
    """

    sql: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class GreatExpectation:
    """1 when an expectation of Great Expectations is not met, else 0.

    Args:
        type: its name, for example `expect_column_mean_to_be_between`.
        kwargs: its arguments, as JSON.
    """

    type: str
    kwargs: str


@dataclass(frozen=True, slots=True)
class DbtTest:
    """1 when dbt reports that its test failed, else 0; dbt runs it, not `quality`."""

    unique_id: str


Measure = (
    Nulls
    | Missing
    | OutsideSet
    | Unmatched
    | Duplicates
    | RowCount
    | ColumnSet
    | ColumnType
    | Length
    | Range
    | ColumnShape
    | Unformatted
    | NotMultiple
    | TooFine
    | RepeatedItems
    | Unreferenced
    | Query
    | GreatExpectation
    | DbtTest
)


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


class Outcome(StrEnum):
    """How a check ended; `errored` means it could not run, which says nothing of the data."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check on one candidate.

    Args:
        observed: the number the threshold was applied to (rows or percent); None if errored.
        rows: rows of the relation, where they were counted.
        reason: one sentence for people; redacted.
        sample: a few offending rows without any classified column, as sorted pairs.
    """

    check: str
    port: Address
    candidate: str
    fingerprint: str
    outcome: Outcome
    severity: Severity
    observed: float | None = None
    rows: int | None = None
    reason: str = ""
    sample: tuple[tuple[tuple[str, Scalar], ...], ...] = ()
    seconds: float = 0.0


def checks_of(product: Product) -> tuple[Check, ...]:
    """Return the checks that a candidate of the product must have results for.

    Those of the input ports come first (stage INPUT, shown at the product's first port), then
    for each port its constraints and its quality rules.
    """
    # Imported here, because deriving needs the types above.
    from dataops_mesh.spec.derive import derive_checks

    return derive_checks(product)


def declared_rules(product: Product) -> int:
    """Return how many assertions a product declares: its checks, and rules only people check."""
    from dataops_mesh.spec.derive import coverage

    return len(checks_of(product)) + len(coverage(product).text)
