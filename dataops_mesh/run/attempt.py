"""One attempt at a product: the data that the stages of a run hand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.bind import Inputs
from dataops_mesh.spec.checks.check import Check, CheckResult
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.spec.partition import Partition
from dataops_mesh.store.described import (
    ClearKept,
    ColumnProfile,
    File,
    MaskApplied,
    PersonalFound,
    PortData,
    Quarantine,
)
from dataops_mesh.store.manifest import folder


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt has brought so far; each stage returns the next.

    Args:
        modules: the files that a Python transform's process said it had imported.
        quarantines: the rows that were set aside.
        state: what dbt's next build goes on from.
        heard: the newest release of production before it began.
        masks: the columns of which the candidate has the masked form alone.
        clear: the values of these that roles read, in the restricted folder.
        personal: the columns that look like personal data and do not say so.
        profile: how many nulls each column has, and its mean.
        unnamed: by port, columns whose names may be values, and what is told in their place.
        declared: the text of each file of the declaration, before anything was built.
    """

    product: Product
    environment: Environment
    run_id: str
    ref: str
    started: datetime
    inputs: Inputs
    checks: tuple[Check, ...]
    partition: Partition | None = None
    results: tuple[CheckResult, ...] = ()
    ports: tuple[PortData, ...] = ()
    modules: tuple[str, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    state: tuple[File, ...] = ()
    heard: int = 0
    masks: tuple[MaskApplied, ...] = ()
    clear: tuple[ClearKept, ...] = ()
    personal: tuple[PersonalFound, ...] = ()
    profile: tuple[ColumnProfile, ...] = ()
    unnamed: Mapping[Address, Mapping[str, str]] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the key of the partition; empty for a whole product."""
        return self.partition.key if self.partition else ""

    @property
    def folder(self) -> Path:
        """Return the candidate's folder."""
        return folder(self.environment.store, self.ref)
