"""Makes checks: what is measured, on which relation, and what it must be."""

from __future__ import annotations

from dataclasses import asdict, replace

from dataops_mesh.errors import Location
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.measures import Measure
from dataops_mesh.spec.model import ZERO, OutputPort, Severity, Threshold
from dataops_mesh.spec.read.yaml import digest


def fingerprint(
    measure: Measure, threshold: Threshold, severity: Severity, stage: Stage, relation: str
) -> str:
    """Return the digest of everything that decides a check's outcome."""
    kind = type(measure).__name__
    return digest([kind, asdict(measure), asdict(threshold), severity, stage, relation])


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
