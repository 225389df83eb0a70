"""A product's own conditions: what its team wants to be told of, in CEL over a few numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dataops_mesh.spec.rule import Severity

AGE = "ageMinutes"
# Every metric is a whole number, and none is made of the values of a column.
METRICS = {
    "rows": "the rows of the last publication; of a product in partitions, of the last partition",
    "rowsBefore": "those of the publication before; as many as `rows` where there is none",
    "buildSeconds": "how long its build took",
    AGE: "how long ago it was built; of a rollback, when it was said",
    "failedChecks": "the checks that did not pass in the last build, published or refused",
    "refusals": "the builds that were refused or failed since that publication",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; while it holds, there is an incident of that name.

    Args:
        when: a CEL expression over `METRICS`.
        message: what people are told; the expression itself if empty.
        severity: a warning is told once and never escalated.
    """

    name: str
    when: str
    message: str = ""
    severity: Severity = Severity.ERROR

    @property
    def is_mild(self) -> bool:
        """Tell whether it is no more than a warning."""
        return self.severity is not Severity.ERROR

    @property
    def named(self) -> tuple[str, ...]:
        """Return the metrics that it names."""
        words = set(re.findall(r"\w+", self.when))
        return tuple(name for name in METRICS if name in words)

    @property
    def ages(self) -> bool:
        """Tell whether the clock alone may make it hold."""
        return AGE in self.named
