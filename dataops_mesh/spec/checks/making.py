"""Makes checks: what is measured, on which relation, and what it must be."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from functools import cache
from typing import Any

from dataops_mesh.errors import Location
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.measures import Measure
from dataops_mesh.spec.model import ZERO, Operator, OutputPort, Severity, Threshold, Unit
from dataops_mesh.spec.read.yaml import digest

_FLAT = frozenset({str, int, float, bool, type(None), Operator, Unit})


def fingerprint(
    measure: Measure, threshold: Threshold, severity: Severity, stage: Stage, relation: str
) -> str:
    """Return the digest of everything that decides a check's outcome."""
    kind = type(measure).__name__
    return digest([kind, _plain(measure), _plain(threshold), severity, stage, relation])


def _plain(one: Measure | Threshold) -> dict[str, Any]:
    """Return a dataclass as a mapping; of texts and numbers alone without going through them."""
    kind: Any = type(one)
    found = {name: getattr(one, name) for name in _names(kind)}
    return found if all(type(value) in _FLAT for value in found.values()) else asdict(one)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def must(port: OutputPort, name: str, measure: Measure, where: Location, dimension: str) -> Check:
    """Return a check that nothing may break."""
    relation = str(port.address)
    return Check(
        name=name,
        port=port.address,
        relation=relation,
        measure=measure,
        threshold=ZERO,
        severity=Severity.ERROR,
        stage=Stage.OUTPUT,
        where=where,
        fingerprint=fingerprint(measure, ZERO, Severity.ERROR, Stage.OUTPUT, relation),
        dimension=dimension,
    )


def having(check: Check, threshold: Threshold, severity: Severity, description: str = "") -> Check:
    """Return the same check with another demand."""
    made = fingerprint(check.measure, threshold, severity, check.stage, check.relation)
    return replace(
        check, threshold=threshold, severity=severity, fingerprint=made, description=description
    )
