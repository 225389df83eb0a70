"""Which checks warned in a run: the names, what they found, and where all of it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import MeshError

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment

FEW = 3  # of a candidate; the rest is told by `mesh show`


def warned(environment: Environment, candidate: str) -> list[str]:
    """Return what the checks of a candidate found that refuse nothing, each on a line."""
    from dataops_mesh.spec.checks.check import Outcome
    from dataops_mesh.spec.model import Severity
    from dataops_mesh.store.manifest import read_manifest

    try:
        manifest = read_manifest(environment.store, candidate)
    except MeshError:  # it was collected since
        return []
    found = [
        one
        for one in manifest.results
        if one.outcome is not Outcome.PASSED and one.severity is not Severity.ERROR
    ]
    lines = [f"{one.port}.{one.check}: {one.reason or one.outcome}" for one in found]
    return [*map(str, manifest.personal), *lines]


def warning_lines(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what a run's rows warn of, a few lines for each.

    >>> row = {"warned": ["d.p.a: 1", "d.p.b: 2", "d.p.c: 3", "d.p.d: 4"], "candidate": "d/p/x"}
    >>> warning_lines([row])
    ['  d.p.a: 1', '  d.p.b: 2', '  d.p.c: 3', '  and 1 more: mesh show x']
    """
    lines = []
    for row in rows:
        found = row.get("warned") or []
        lines += [f"  {text}" for text in found[:FEW]]
        if more := len(found) - FEW if len(found) > FEW else 0:
            lines.append(f"  and {more} more: mesh show {row['candidate'].rpartition('/')[2]}")
    return lines
