"""The checks of a contract, executed by Great Expectations where the candidate's data is.

Read `auditing.py` first. Importing this package imports neither Great Expectations nor duckdb.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataops_mesh.quality.auditing import audit
    from dataops_mesh.quality.relation import Relation

__all__ = ["Relation", "audit", "measure_supported"]


def measure_supported(measure: object) -> bool:
    """Tell whether an audit can take this measure.

    >>> from dataops_mesh.spec.checks.measures import RowCount
    >>> measure_supported(RowCount()), measure_supported("freshness")
    (True, False)
    """
    from dataops_mesh.spec.checks.measures import ELSEWHERE, Measure

    return isinstance(measure, Measure) and not isinstance(measure, ELSEWHERE)


def __getattr__(name: str) -> Any:
    if name == "audit":
        from dataops_mesh.quality.auditing import audit

        return audit
    if name == "Relation":
        from dataops_mesh.quality.relation import Relation

        return Relation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
