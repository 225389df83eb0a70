"""The evidence of an attempt, on the disk before anything is published."""

from __future__ import annotations

from datetime import UTC, datetime

from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.declaration import keep_declaration
from dataops_mesh.run.due import is_over, own_content
from dataops_mesh.run.identity import (
    code_version,
    git_commit,
    person_or_user,
    transform_fingerprint,
)
from dataops_mesh.run.judged import keep_code, keep_judgement
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.model import TransformKind
from dataops_mesh.spec.parameters import said_of
from dataops_mesh.store.described import ContractUsed
from dataops_mesh.store.manifest import PUBLISH, Manifest, write_manifest
from dataops_mesh.transform.walls import described


def write_evidence(attempt: Attempt, verdict: str, reasons: tuple[str, ...]) -> Manifest:
    """Put the evidence of an attempt on the disk and return it; it comes before the commit."""
    manifest = manifest_of(attempt, verdict, reasons)
    write_manifest(attempt.environment.store, manifest)
    return manifest


def manifest_of(attempt: Attempt, verdict: str, reasons: tuple[str, ...]) -> Manifest:
    """Return everything on record about an attempt."""
    product, settings = attempt.product, attempt.environment.settings
    rules = coverage(product)
    sql = product.transform.kind is TransformKind.SQL
    asked = any(port.resource for port in product.inputs)
    code, files = keep_code(product, attempt.environment, attempt.modules)
    return Manifest(
        candidate=attempt.ref,
        product=product.qualified_name,
        product_version=product.version,
        verdict=verdict,
        run_id=attempt.run_id,
        person=person_or_user(settings.person),
        started=attempt.started,
        finished=datetime.now(UTC),
        now=settings.clock(),
        base=attempt.inputs.release.number,
        reasons=reasons,
        contracts=tuple(
            ContractUsed(
                port.address,
                port.contract.id,
                port.contract.version,
                port.contract.fingerprint,
            )
            for port in product.outputs
        ),
        transform_fingerprint=transform_fingerprint(product),
        code_version=code_version(product),
        git_commit=git_commit(product.folder, settings.root, (*files.values(), *product.included)),
        inputs=attempt.inputs.reads,
        ports=attempt.ports,
        checks_declared=len(attempt.checks),
        checks=tuple(check.declared for check in attempt.checks),
        coverage=rules.executable / rules.declared if rules.declared else None,
        results=attempt.results,
        partition=attempt.key,
        own=_own(attempt),
        open=_is_open(attempt),
        cut=product.partitioning.cut if product.partitioning else "",
        declaration=_declaration(attempt) if verdict == PUBLISH else "",
        keep_publications=product.keep_publications,
        listed=max(product.keep_publications, settings.keep_publications),
        confined="" if sql and not asked else described(network=product.network),
        code=code,
        judged=keep_judgement(product, attempt.environment),
        events=product.events,
        unexecuted=rules.unexecuted,
        quarantines=attempt.quarantines,
        state=attempt.state,
        line=attempt.environment.store.line,
        heard=attempt.heard if attempt.environment.store.sandbox else 0,
        masks=attempt.masks,
        clear=attempt.clear,
        personal=attempt.personal,
        profile=attempt.profile,
        full=attempt.inputs.full,
        parameters=said_of(product),
        subset=release.base.subset if (release := attempt.inputs.release).base else "",
    )


def _own(attempt: Attempt) -> str:
    product, store = attempt.product, attempt.environment.store
    if attempt.partition is None:
        return ""
    read = attempt.inputs.sources
    return own_content(product, attempt.partition, attempt.inputs.release, store, read)


def _is_open(attempt: Attempt) -> bool:
    piece = attempt.partition
    return piece is not None and not is_over(piece, attempt.environment)


def _declaration(attempt: Attempt) -> str:
    release = attempt.inputs.release
    texts = dict(attempt.declared)
    return keep_declaration(attempt.product, attempt.environment, release, texts)
