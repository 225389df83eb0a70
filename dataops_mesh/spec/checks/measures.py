"""What a check measures: one number of a relation, neutral of who computes it."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.spec.model import Address, Scalar
from dataops_mesh.spec.threshold import Number
from dataops_mesh.spec.types.shape import Shape


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
    """Distinct keys that occur more than once; one of nothing but nulls is no key."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowCount:
    """Rows in all."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column and the types that it may have.

    An accepted name without parameters accepts all of them: `DECIMAL` accepts `DECIMAL(9,2)`;
    `spec.types.physical.is_accepted` compares.

    Args:
        older: those of publications from before each logical type had one stored type.
    """

    column: str
    accepted: tuple[str, ...]
    older: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column and the shape of its nested type; `spec.types.shape.fits` compares.

    Args:
        older: that of publications from before each logical type had one stored type.
    """

    column: str
    shape: Shape
    older: Shape | None = None


@dataclass(frozen=True, slots=True)
class TableSchema:
    """Columns that are missing from the relation, that nobody declared, or of another type.

    One measure for all of them: a wide contract has more columns than rules, and each check
    costs Dagster more than the comparison.
    """

    columns: tuple[ColumnType | ColumnShape, ...]


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
    of: Number


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
class SetAside:
    """Rows of a port's transform that the build has set aside by any of these rules.

    Args:
        address: the port.
        rules: names of checks; none where nothing could be set aside by them.
    """

    address: Address
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """The single number that a read-only SELECT returns; `{object}` is the relation.

    Args:
        column: what `{property}` or `{column}` stands for, when the rule is on a column.
        told: of our own, which rows it counts: "of another partition than 2026-01-02".
    """

    sql: str
    column: str | None = None
    told: str = ""


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


@dataclass(frozen=True, slots=True)
class Unusual:
    """Numbers of what was built that are not usual by the port's history; `run/usual` tells.

    Args:
        kinds: of numbers: `rows`, `nulls`, `distinct`, `mean`.
        column: whose; empty for all.
    """

    kinds: tuple[str, ...]
    column: str = ""


Measure = (
    Nulls
    | Missing
    | OutsideSet
    | Unmatched
    | Duplicates
    | RowCount
    | TableSchema
    | Length
    | Range
    | Unformatted
    | NotMultiple
    | TooFine
    | RepeatedItems
    | Unreferenced
    | SetAside
    | Query
    | GreatExpectation
    | DbtTest
    | Unusual
)

# What others than `quality` find out, each in its own place.
ELSEWHERE = (DbtTest, Unusual)
