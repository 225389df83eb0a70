"""Quality rules, as frozen data: what they count, how grave a failure is, what nobody executes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from dataops_mesh.errors import Location
from dataops_mesh.spec.threshold import Threshold

Scalar = str | int | float | Decimal | bool | None


class Severity(StrEnum):
    """What a failed rule means for publishing (ODCS `quality.severity`); absent means error."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class RuleKind(StrEnum):
    """How a quality rule is expressed (ODCS `quality.type`)."""

    LIBRARY = "library"
    SQL = "sql"
    CUSTOM = "custom"
    TEXT = "text"


class Metric(StrEnum):
    """The five metrics of ODCS's library."""

    NULL_VALUES = "nullValues"
    MISSING_VALUES = "missingValues"
    INVALID_VALUES = "invalidValues"
    DUPLICATE_VALUES = "duplicateValues"
    ROW_COUNT = "rowCount"


@dataclass(frozen=True, slots=True)
class Rule:
    """One quality rule of a contract or of an input port.

    Args:
        name: an identifier, unique in its contract; becomes the check's name.
        column: the column it stands under; None for the whole relation.
        expectation: of a custom rule, the name of the expectation; `kwargs` are its arguments
            as JSON.
        usual: of a rule that compares with the history, which kinds of numbers.
        foreign: of a rule that nobody executes here, why not.
        schedule: when it asks to be run besides; nobody does, because it runs with every build.
        quarantine: how many rows that break it may be set aside; None where they refuse.
    """

    name: str
    kind: RuleKind
    where: Location
    column: str | None = None
    metric: Metric | None = None
    threshold: Threshold | None = None
    missing_values: tuple[Scalar, ...] = ()
    valid_values: tuple[Scalar, ...] = ()
    pattern: str | None = None
    properties: tuple[str, ...] = ()
    query: str | None = None
    expectation: str = ""
    kwargs: str = ""
    usual: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    dimension: str | None = None
    description: str = ""
    foreign: str = ""
    schedule: str = ""
    quarantine: Threshold | None = None

    @property
    def unexecuted(self) -> str:
        """Return what of the rule nobody executes, and why; empty where all of it is."""
        if self.foreign:
            return f"nobody executes it here: {self.foreign}"
        if self.schedule:
            return f'nobody executes its schedule "{self.schedule}": it runs with every build'
        return ""


@dataclass(frozen=True, slots=True)
class Unexecuted:
    """Something that a contract says of the data and nobody executes here.

    Args:
        what: one sentence: what it is and why nobody does.
        severity: what a failure would have meant.
        of: whose contract says it: the address of a port, or the name of an input.
    """

    what: str
    where: Location
    severity: Severity = Severity.ERROR
    of: str = ""

    def __str__(self) -> str:
        """Return whose it is, what, and how grave."""
        return f"{self.of}: {self.what} (severity {self.severity})"
