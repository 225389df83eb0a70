"""The service levels that are checks: those with an element that says how old a row is.

Warnings: a promise about time that is broken is not mended by keeping older data.
"""

from __future__ import annotations

from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.checks.making import having, must
from dataops_mesh.spec.checks.measures import Query
from dataops_mesh.spec.model import Operator, OutputPort, Severity, Sla, Threshold
from dataops_mesh.spec.read.sla import CHECKED, hours


def sla_check(port: OutputPort, sla: Sla) -> Check | None:
    """Return the check of a service level; None where it is only recorded."""
    if sla.property not in CHECKED or sla.element is None:
        return None
    sql, words = _hours(sla, sla.element)
    threshold = Threshold(Operator.LESS_OR_EQUAL, hours(sla) or 0.0)
    check = must(port, sla.property, Query(sql), sla.where, "timeliness")
    return having(check, threshold, Severity.WARNING, f"Hours {words}.")


def _hours(sla: Sla, element: str) -> tuple[str, str]:
    """Return the query of a service level and what it counts."""
    # epoch() reads dates and naive timestamps as UTC, whatever the session's time zone.
    # What lies in the future says nothing of how fresh the rest is; infinity lies there too.
    now, column = "epoch(mesh_now())", f'epoch("{element}")'
    finite = f'isfinite("{element}"::TIMESTAMP)'
    past = f"FILTER ({finite} AND {column} <= {now})"
    match sla.property:
        case "latency" if sla.until is not None:
            between = f'max(epoch("{sla.until}") - {column})'
            endless = f"{_infinite(sla.until, '>')} OR {_infinite(element, '<')}"
            words = f"from {element} to {sla.until}"
            return _query(_unless(endless, f"coalesce({between}, 0)")), words
        case "retention":
            # Without any value nothing is kept too long.
            kept = _unless(_infinite(element, "<"), f"coalesce({now} - min({column}), 0)")
            return _query(kept), f"since the earliest {element}"
    # Where there is no value at all, the data is as old as 1970: stale, and not an error.
    return _query(f"{now} - coalesce(max({column}) {past}, 0)"), f"since the latest {element}"


def _infinite(column: str, sign: str) -> str:
    """Return the condition that a time is infinity (`>`), or minus infinity (`<`).

    Compared with a finite time: with an infinite one DuckDB cannot compare a DATE that is cast.
    """
    value = f'"{column}"::TIMESTAMP'
    return f"(isinf({value}) AND {value} {sign} TIMESTAMP '1970-01-01')"


def _unless(endless: str, seconds: str) -> str:
    """Return seconds, or infinity where a row is endlessly far away: epoch() has no value there."""
    return f"CASE WHEN bool_or({endless}) THEN 'infinity'::DOUBLE ELSE {seconds} END"


def _query(seconds: str) -> str:
    return f"SELECT ({seconds}) / 3600.0 FROM {{object}}"
