"""What a run says of itself: the same facts for Dagster, the CLI and a shell script."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.engine.manifest import InputRead, PortData
from dataops_mesh.gate import Decision, Publish
from dataops_mesh.spec.checks import Check, CheckResult, Outcome
from dataops_mesh.spec.derive import Coverage
from dataops_mesh.spec.model import Address, Product, Severity


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
    def executed(self) -> int:
        """Return how many checks ran to an answer."""
        return sum(result.outcome is not Outcome.ERRORED for result in self.results)

    @property
    def retryable(self) -> bool:
        """Tell whether the refusal is a fault of the machinery, never a verdict on the data."""
        return not self.published and not any(
            result.outcome is Outcome.FAILED and result.severity is Severity.ERROR
            for result in self.results
        )
