"""The service levels that are checks: those whose element says how old the data is."""

from __future__ import annotations

from dataops_mesh.spec.checks import Check, Query
from dataops_mesh.spec.making import having, must
from dataops_mesh.spec.model import Operator, OutputPort, Severity, Sla, Threshold
from dataops_mesh.spec.sla import hours


def sla_check(port: OutputPort, sla: Sla) -> Check | None:
    """Return the check of a service level; None where it is only recorded."""
    if sla.property == "freshness" and sla.element:
        return _freshness(port, sla)
    return None


def _freshness(port: OutputPort, sla: Sla) -> Check:
    # epoch() reads dates and naive timestamps as UTC, whatever the session's time zone. Where
    # there is no value at all, the data is as old as 1970: stale, and not an error.
    sql = (
        f'SELECT (epoch(mesh_now()) - coalesce(epoch(max("{sla.element}")), 0)) / 3600.0 '
        "FROM {object}"
    )
    threshold = Threshold(Operator.LESS_OR_EQUAL, hours(sla) or 0.0)
    check = must(port, "freshness", Query(sql), sla.where, "timeliness")
    return having(check, threshold, Severity.WARNING, f"Hours since the latest {sla.element}.")
