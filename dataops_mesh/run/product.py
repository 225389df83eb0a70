"""One product, once: pin, bind, check inputs, transform, audit, decide, record, commit.

Every effect before the commit is invisible to consumers, and the evidence is on the disk before
the commit. Killed at any instant, a run leaves the old release and some files to collect.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.disk import disk_problem
from dataops_mesh.errors import ConflictError, HeldError, MeshError, Problem, RunError
from dataops_mesh.gate import Decision, Publish, Refuse, decide
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.declaration import declaration_texts, spend_approval
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.evidence import write_evidence
from dataops_mesh.run.guards.beforehand import reasons_beforehand
from dataops_mesh.run.guards.classes import plain_of
from dataops_mesh.run.guards.former import Building
from dataops_mesh.run.guards.personal import with_personal
from dataops_mesh.run.guards.roles import opened_to, settled
from dataops_mesh.run.inputs.bind import Inputs, pin_inputs
from dataops_mesh.run.inputs.fetching import Fetching, leaving_nothing
from dataops_mesh.run.inputs.own import own_reasons
from dataops_mesh.run.inputs.parameters import of_line
from dataops_mesh.run.inputs.state import pin_state
from dataops_mesh.run.judged import require_own_record
from dataops_mesh.run.partition import chosen, cut_reasons, schema_reasons
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.owners import publisher_of, require_may_publish
from dataops_mesh.run.report import Report, report_of
from dataops_mesh.run.stages import build_and_audit, decide_incoming, hold_on_attempt
from dataops_mesh.run.word.held import hold_reason
from dataops_mesh.spec.checks.derive import serializes
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import Partition
from dataops_mesh.store import files
from dataops_mesh.store.manifest import ERROR, PUBLISH, REFUSE, Manifest, new_ref
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import ROLLBACK, Release, commit, entries_of, latest, latest_number
from dataops_mesh.store.restricted import remove
from dataops_mesh.store.store import Store
from dataops_mesh.transform.redact import interruption, keep_full_text, safe_message
from dataops_mesh.transform.told import as_told
from dataops_mesh.transform.walls import walls_of

TRIES = 3
Progress = Callable[[str], None]


def run_product(  # noqa: PLR0913 - keywords, each a fact of the request
    product: Product,
    environment: Environment,
    *,
    run_id: str,
    partition: str | None = None,
    full: bool = False,
    progress: Progress = lambda _: None,
) -> Report:
    """Build a candidate, check it, and publish it or refuse it.

    Args:
        product: what to run.
        environment: the store and the settings.
        run_id: on record with the candidate; Dagster's run id where there is one.
        partition: the key of the partition to build; needed by a partitioned product only.
        full: build without what the product itself published last.
        progress: told one line per stage.

    Returns:
        What was built, checked and decided. A refusal is a report, not an exception.

    Raises:
        UnknownNameError: there is no such partition, or the product needs one.
        NotPublishedError: an input port has no publication.
        SourceError: a source is missing or unreadable.
        TransformError: the transform raised or returned something unusable.
        HeldError: it was held again and again while it was built.
        ConflictError: the product was rolled back meanwhile, or other runs of it published
            first, three times in a row.
        OwnershipError: its domain belongs to another repository.
        StoreError: the store cannot be read or written.
        RunError: the machinery failed.
    """
    product = of_line(product, environment)
    piece = chosen(product, partition, environment.settings.clock())
    require_may_publish(product, environment)
    require_own_record(product, environment.settings)
    for attempt in range(1, TRIES + 1):
        since = latest_number(environment.store)
        try:
            return _run_once(product, environment, run_id, piece, progress, full=full)
        except ConflictError:
            # A rollback is a person's decision: another try would take it back at once.
            if attempt == TRIES or _rolled_back(environment.store, product, since):
                raise
            progress("another run published first; building again from fresh inputs")
        except HeldError:
            # Somebody held it while it was built: the next try says so, and puts it on record.
            if attempt == TRIES:
                raise
        except OSError as error:
            what = f"the run failed: {safe_message(error)}"
            if not error.errno:
                raise RunError(Problem(what, next="check the disk of the store")) from error
            found = disk_problem(error)
            raise RunError(Problem(f"{what}: {found.what}", next=found.next)) from error
    raise AssertionError  # the last try returned or raised


def _run_once(  # noqa: PLR0913 - the same facts
    product: Product,
    environment: Environment,
    run_id: str,
    piece: Partition | None,
    progress: Progress,
    *,
    full: bool,
) -> Report:
    started = datetime.now(UTC)
    settings, store = environment.settings, environment.store
    checks = all_checks(product, walls_of(settings), piece)
    ref = new_ref(product.domain, product.name, started)
    heard = latest_number(store.production)  # what was erased until now it has not read
    key, secrets = piece.key if piece else "", settings.secret_paths
    with (
        pinned(store) as release,
        building(store, ref) as target,
        leaving_nothing(product, store, (key,)),
    ):
        none = Inputs(release, (), {})
        attempt = Attempt(product, environment.stopped, run_id, ref, started, none, checks, piece)
        declared = declaration_texts(product, settings)  # an edit from now on is the next run's
        attempt = replace(attempt, heard=heard, declared=declared)
        failure: MeshError | None = None
        known: tuple[str, ...] = ()
        try:
            inputs = pin_inputs(
                store,
                product,
                release,
                key,
                full=full,
                secrets=secrets,
                fetching=Fetching.of(environment, progress),
            )
            inputs = pin_state(product, walls_of(settings), inputs)
            attempt = replace(attempt, inputs=inputs)
            built = Building.one(key, full=full)
            known = reasons_beforehand(product, environment, release, built)
            known = (*known, *cut_reasons(product, release))
            known = (*known, *own_reasons(store, product, release, key, full=full))
            if (hold := hold_on_attempt(attempt)) is not None:
                known = (hold_reason(hold), *known)
                attempt = replace(attempt, inputs=none)  # once it is lifted, it has seen nothing
            if not known:  # what no data can change is said before anything is built
                opened = opened_to(product, store, release)
                attempt = replace(attempt, inputs=replace(inputs, opened=opened))
                attempt = build_and_audit(attempt, progress)
        except Exception as error:  # noqa: BLE001 - told to people as a MeshError
            if (stopped := interruption(error)) is not None:
                raise stopped from None
            failure = _tell(error, attempt, target / "error.txt")
        if failure is not None:
            # Raised out here, so that no traceback has the error with its values as context.
            remove(store, ref)
            _discard(target)
            files.reopen(target)
            with suppress(OSError):  # a full disk takes no record either
                write_evidence(attempt, ERROR, (str(failure),))
            record_run(environment)
            raise failure
        decision = Refuse(known) if known else _decide(attempt)
        verdict = PUBLISH if isinstance(decision, Publish) else REFUSE
        reasons = decision.reasons if isinstance(decision, Refuse) else ()
        attempt = settled(attempt, published=verdict == PUBLISH)
        manifest = write_evidence(attempt, verdict, reasons)
        if isinstance(decision, Publish):
            spend_approval(product, environment, release, ref)
        published = _commit(attempt, manifest) if isinstance(decision, Publish) else None
    notes = record_run(environment)
    progress(f"published as {published.number}" if published else "refused")
    return report_of(attempt, decision, manifest, published, notes)


def _rolled_back(store: Store, product: Product, since: int) -> bool:
    """Tell whether the product was rolled back after a release."""
    release = latest(store)
    entries = [release.ports.get(port.address) for port in product.outputs]
    return any(e is not None and e.kind == ROLLBACK and e.publication > since for e in entries)


def _discard(target: Path) -> None:
    """Delete the data of a candidate that no verdict is about: it may be what fills the disk."""
    for path in target.iterdir():
        if path.is_dir():
            files.remove_tree(path)


def _tell(error: Exception, attempt: Attempt, private: Path) -> MeshError:
    """Return the error as people may see it: no value of the data, and where the rest is."""
    product = attempt.product
    if is_private(product):
        rest = "its whole text is not kept, for it may repeat what is masked: try it in a test"
    else:
        with suppress(OSError):  # a full disk must not hide what went wrong
            keep_full_text(error, private)
        rest = f"the whole text, which may repeat data, is in {private}"
    if not isinstance(error, MeshError):
        failed = [Problem(f"the run failed: {safe_message(error)}")]
        (problem,) = as_told(failed, product, product.transform.files[0], plain_of(attempt))
        return RunError(replace(problem, next=rest))
    return type(error)(
        problem if problem.next or problem.choices else replace(problem, next=rest)
        for problem in error.problems
    )


def _decide(attempt: Attempt) -> Decision:
    """Decide on the whole candidate, or say why nothing was built."""
    if not attempt.ports:
        early = decide_incoming(attempt)
        return early if isinstance(early, Refuse) else Refuse(("nothing was built",))
    ports = [port.address for port in attempt.product.outputs]
    decision = decide(attempt.ref, ports, attempt.checks, attempt.results)
    hold = hold_on_attempt(attempt)  # other code ends a rollback, unless the same rows come of it
    others = (*schema_reasons(attempt), *([hold_reason(hold)] if hold else []))
    return with_personal(attempt, decision, others)


def _commit(attempt: Attempt, manifest: Manifest) -> Release:
    """Switch all ports at once; the release is the publication."""
    return commit(
        attempt.environment.store,
        attempt.inputs.release,
        entries_of(manifest),
        run_id=attempt.run_id,
        person=manifest.person,
        publisher=publisher_of(attempt.environment),
        at=manifest.finished,
        serial=any(serializes(check) for check in attempt.checks),
    )
