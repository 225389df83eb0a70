"""What a run says of itself: the same facts for Dagster, the CLI and a shell script."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dataops_mesh.gate import Decision, Publish
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome
from dataops_mesh.spec.checks.coverage import Coverage, coverage
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.described import InputRead, PortData, Quarantine
from dataops_mesh.store.log import Release
from dataops_mesh.store.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one product: what was built, checked and decided.

    Args:
        candidate: the candidate's ref, `<domain>/<product>/<id>`.
        publication: the number of the release that published it; None when refused.
        coverage: quality rules declared, and how many of them a machine checks.
        ports: what the candidate holds; empty when an input check refused the run.
        reads: the publication or fingerprint of everything that was read.
        changed: the ports whose content differs from the publication before.
        partition: the key of the partition that was built; None for a whole product.
        quarantines: the rows that were set aside, by port.
        notes: what went wrong behind the gate and was left to be repaired (catalog, ledger).
    """

    product: Product
    candidate: str
    decision: Decision
    checks: tuple[Check, ...]
    results: tuple[CheckResult, ...]
    publication: int | None
    coverage: Coverage
    ports: tuple[PortData, ...]
    reads: tuple[InputRead, ...]
    changed: tuple[Address, ...]
    code_version: str
    git_commit: str
    started: datetime
    finished: datetime
    notes: tuple[str, ...] = ()
    partition: str | None = None
    quarantines: tuple[Quarantine, ...] = ()

    @property
    def published(self) -> bool:
        """Tell whether consumers now read this candidate."""
        return isinstance(self.decision, Publish)

    @property
    def seconds(self) -> float:
        """Return how long the run took."""
        return (self.finished - self.started).total_seconds()

    @property
    def rows(self) -> int:
        """Return the rows of all ports."""
        return sum(port.rows for port in self.ports)

    @property
    def set_aside(self) -> int:
        """Return the rows that were set aside, of all ports."""
        return sum(one.rows for one in self.quarantines)

    @property
    def executed(self) -> int:
        """Return how many checks ran to an answer."""
        return sum(result.outcome is not Outcome.ERRORED for result in self.results)

    @property
    def retryable(self) -> bool:
        """Tell whether the refusal is a fault of the machinery, never a verdict.

        A verdict is a check that failed, or a reason that is no check's: trying again changes
        neither.
        """
        if isinstance(self.decision, Publish):
            return False
        errored = sum(result.outcome is Outcome.ERRORED for result in self.results)
        return errored > 0 and len(self.decision.reasons) == errored


def report_of(
    attempt: Attempt,
    decision: Decision,
    manifest: Manifest,
    published: Release | None,
    notes: tuple[str, ...],
) -> Report:
    """Return what a finished attempt says of itself."""
    return Report(
        product=attempt.product,
        candidate=attempt.ref,
        decision=decision,
        checks=attempt.checks,
        results=attempt.results,
        publication=published.number if published else None,
        partition=attempt.partition.key if attempt.partition else None,
        coverage=coverage(attempt.product),
        ports=attempt.ports,
        reads=attempt.inputs.reads,
        changed=tuple(
            p.address for p in attempt.ports if _fingerprint(attempt, p) != p.fingerprint
        ),
        code_version=manifest.code_version,
        git_commit=manifest.git_commit,
        started=attempt.started,
        finished=datetime.now(UTC),
        notes=notes,
        quarantines=attempt.quarantines,
    )


def _fingerprint(attempt: Attempt, port: PortData) -> str:
    """Return the fingerprint of what was published before, of the whole or of the partition."""
    before = attempt.inputs.release.ports.get(port.address)
    if before is None:
        return ""
    if attempt.partition is None:
        return before.fingerprint
    part = before.part(attempt.partition.key)
    return part.fingerprint if part else ""
