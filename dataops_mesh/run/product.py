"""One product, once: pin, bind, check inputs, transform, audit, decide, record, commit.

Every effect before the commit is invisible to consumers, and the evidence is on the disk before
the commit. Killed at any instant, a run leaves the old release and some files to collect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine.manifest import (
    ERROR,
    PUBLISH,
    REFUSE,
    ContractUsed,
    Manifest,
    PortData,
    new_ref,
    write_manifest,
)
from dataops_mesh.engine.pins import building, pinned
from dataops_mesh.engine.release import ROLLBACK, Release, commit, entries_of, latest, latest_number
from dataops_mesh.engine.scratch import scratch_folder
from dataops_mesh.engine.session import seal, session
from dataops_mesh.engine.store import Store
from dataops_mesh.errors import ConflictError, MeshError, Problem, RunError
from dataops_mesh.gate import Decision, Publish, Refuse, decide
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.audit import run_checks
from dataops_mesh.run.bind import bind_candidate, bind_inputs, pin_inputs, require_unchanged
from dataops_mesh.run.build import build_candidate
from dataops_mesh.run.checks import all_checks, dbt_results
from dataops_mesh.run.environment import Environment, dbt_cache
from dataops_mesh.run.identity import (
    code_version,
    git_commit,
    person_or_user,
    transform_fingerprint,
)
from dataops_mesh.run.record import record_run
from dataops_mesh.run.redact import keep_full_text, safe_message
from dataops_mesh.run.report import Report
from dataops_mesh.spec.checks import Stage
from dataops_mesh.spec.derive import coverage
from dataops_mesh.spec.model import Address, Product

if TYPE_CHECKING:
    import duckdb

TRIES = 3
Progress = Callable[[str], None]


def run_product(
    product: Product,
    environment: Environment,
    *,
    run_id: str,
    progress: Progress = lambda _: None,
) -> Report:
    """Build a candidate, check it, and publish it or refuse it.

    Args:
        product: what to run.
        environment: the store and the settings.
        run_id: on record with the candidate; Dagster's run id where there is one.
        progress: told one line per stage.

    Returns:
        What was built, checked and decided. A refusal is a report, not an exception.

    Raises:
        NotPublishedError: an input port has no publication.
        SourceError: a source is missing or unreadable.
        TransformError: the transform raised or returned something unusable.
        ConflictError: the product was rolled back meanwhile, or other runs of it published
            first, three times in a row.
        StoreError: the store cannot be read or written.
        RunError: the machinery failed.
    """
    for attempt in range(1, TRIES + 1):
        since = latest_number(environment.store)
        try:
            return _run_once(product, environment, run_id, progress)
        except ConflictError:
            # A rollback is a person's decision: another try would take it back at once.
            if attempt == TRIES or _rolled_back(environment.store, product, since):
                raise
            progress("another run published first; building again from fresh inputs")
        except OSError as error:
            what = f"the run failed: {safe_message(error)}"
            raise RunError(Problem(what, next="check the disk of the store")) from error
    raise AssertionError  # the last try returned or raised


def _run_once(
    product: Product, environment: Environment, run_id: str, progress: Progress
) -> Report:
    started = datetime.now(UTC)
    settings, store = environment.settings, environment.store
    checks = all_checks(product, dbt_cache(settings))
    ref = new_ref(product.domain, product.name, started)
    with pinned(store) as release, building(store, ref) as target:
        inputs = pin_inputs(store, product, release)
        attempt = Attempt(product, environment, run_id, ref, started, inputs, checks)
        failure: MeshError | None = None
        try:
            attempt = _build_and_audit(attempt, progress)
        except Exception as error:  # noqa: BLE001 - told to people as a MeshError
            failure = _tell(error, target / "error.txt")
        if failure is not None:
            # Raised out here, so that no traceback has the error with its values as context.
            with suppress(OSError):  # a full disk takes no record either
                _write_record(attempt, ERROR, (str(failure),))
            record_run(environment)
            raise failure
        decision = _decide(attempt)
        verdict = PUBLISH if isinstance(decision, Publish) else REFUSE
        reasons = decision.reasons if isinstance(decision, Refuse) else ()
        manifest = _write_record(attempt, verdict, reasons)
        published = _commit(attempt, manifest) if isinstance(decision, Publish) else None
    notes = record_run(environment)
    progress(f"published as {published.number}" if published else "refused")
    return Report(
        product=product,
        candidate=ref,
        decision=decision,
        checks=checks,
        results=attempt.results,
        publication=published.number if published else None,
        coverage=coverage(product),
        ports=attempt.ports,
        reads=inputs.reads,
        changed=_changed(attempt.ports, release),
        code_version=manifest.code_version,
        git_commit=manifest.git_commit,
        started=started,
        finished=datetime.now(UTC),
        notes=notes,
    )


def _rolled_back(store: Store, product: Product, since: int) -> bool:
    """Tell whether the product was rolled back after a release."""
    release = latest(store)
    entries = [release.ports.get(port.address) for port in product.outputs]
    return any(e is not None and e.kind == ROLLBACK and e.publication > since for e in entries)


def _tell(error: Exception, private: Path) -> MeshError:
    """Return the error as people may see it: no value of the data, and where the rest is."""
    with suppress(OSError):  # a full disk must not hide what went wrong
        keep_full_text(error, private)
    rest = f"the whole text, which may repeat data, is in {private}"
    if not isinstance(error, MeshError):
        return RunError(Problem(f"the run failed: {safe_message(error)}", next=rest))
    return type(error)(
        problem if problem.next or problem.choices else replace(problem, next=rest)
        for problem in error.problems
    )


def _build_and_audit(attempt: Attempt, progress: Progress) -> Attempt:
    """Check the inputs, build the candidate, check the candidate."""
    environment, product = attempt.environment, attempt.product
    with scratch_folder(environment.store) as scratch:
        with _connection(environment) as connection:
            bind_inputs(connection, environment.store, product, attempt.inputs)
            progress("checking what comes in")
            attempt = replace(attempt, results=run_checks(attempt, connection, Stage.INPUT))
            if _incoming_refused(attempt):
                return attempt
            progress(f"building with {product.transform.kind}")
            ports, tests = build_candidate(attempt, connection, scratch)
            require_unchanged(environment.store, product, attempt.inputs)
        results = dbt_results(attempt.ref, attempt.checks, tests)
        with _connection(environment) as connection:
            bind_candidate(connection, environment.store, attempt.ref, ports)
            seal(connection, [attempt.folder])
            progress("checking the candidate")
            results = (*attempt.results, *results, *run_checks(attempt, connection, Stage.OUTPUT))
    return replace(attempt, results=results, ports=ports)


def _incoming_refused(attempt: Attempt) -> bool:
    """Tell whether the checks on incoming data refuse the run before anything is built."""
    return isinstance(_decide_incoming(attempt), Refuse)


def _decide_incoming(attempt: Attempt) -> Decision:
    incoming = [check for check in attempt.checks if check.stage is Stage.INPUT]
    return decide(attempt.ref, (), incoming, attempt.results)


def _decide(attempt: Attempt) -> Decision:
    """Decide on the whole candidate, or say why nothing was built."""
    if not attempt.ports:
        early = _decide_incoming(attempt)
        return early if isinstance(early, Refuse) else Refuse(("nothing was built",))
    ports = [port.address for port in attempt.product.outputs]
    return decide(attempt.ref, ports, attempt.checks, attempt.results)


def _write_record(attempt: Attempt, verdict: str, reasons: tuple[str, ...]) -> Manifest:
    """Put the evidence on the disk; it comes before the commit."""
    manifest = _manifest(attempt, verdict, reasons)
    write_manifest(attempt.environment.store, manifest)
    return manifest


def _manifest(attempt: Attempt, verdict: str, reasons: tuple[str, ...]) -> Manifest:
    product, settings = attempt.product, attempt.environment.settings
    rules = coverage(product)
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
        git_commit=git_commit(product.folder),
        inputs=attempt.inputs.reads,
        ports=attempt.ports,
        checks_declared=len(attempt.checks),
        coverage=rules.executable / rules.declared if rules.declared else None,
        results=attempt.results,
    )


def _commit(attempt: Attempt, manifest: Manifest) -> Release:
    """Switch all ports at once; the release is the publication."""
    return commit(
        attempt.environment.store,
        attempt.inputs.release,
        entries_of(manifest),
        run_id=attempt.run_id,
        person=manifest.person,
        at=manifest.finished,
    )


def _changed(ports: tuple[PortData, ...], before: Release) -> tuple[Address, ...]:
    """Return the ports whose content is not that of the publication before."""
    return tuple(
        port.address
        for port in ports
        if port.address not in before.ports
        or before.ports[port.address].fingerprint != port.fingerprint
    )


@contextmanager
def _connection(environment: Environment) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = environment.settings
    with session(
        environment.store,
        memory_limit=settings.memory_limit,
        threads=environment.threads,
        now=settings.clock(),
    ) as connection:
        yield connection
