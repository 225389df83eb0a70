"""What an audit found for one check, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataops_mesh.spec.threshold import Number


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured for one check, before its threshold judges it.

    Args:
        number: rows, keys, columns, or the value of a query; None if there is none.
        rows: rows of the relation, where they were counted.
        error: why there is no number; redacted.
        seconds: the time it took, or its share of what was measured together.
        unexpected: the rows that an expectation of the library did not expect.
    """

    number: Number | None = None
    rows: int | None = None
    error: str = ""
    seconds: float = 0.0
    unexpected: int | None = None

    def __add__(self, other: Measurement) -> Measurement:
        if self.number is None or other.number is None:
            return self if self.number is None else other
        # Only counts are added: the value of a query is one measurement.
        return Measurement(int(self.number) + int(other.number), self.rows)
