"""Makes checks: what is measured, on which relation, and what it must be."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
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


def _plain(one: Any) -> Any:
    """Return dataclasses as mappings, as `asdict` does, without a copy of what is not one."""
    kind: Any = type(one)
    if kind in _FLAT:
        return one
    if kind in {tuple, list}:
        return [*map(_plain, one)]
    if kind is dict:
        return {key: _plain(value) for key, value in one.items()}
    names = _names(kind)
    return one if names is None else {name: _plain(getattr(one, name)) for name in names}


@cache
def _names(kind: Any) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


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
