"""Rebuilding a partitioned product: a shadow of all partitions, published in one commit.

What a change of the schema needs that older partitions cannot follow. Nothing is visible before
the last partition has passed the gate; if one is refused, none is published.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.gate import Decision, Publish, Refuse, decide
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.audit import run_checks
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.declaration import declaration_texts, spend_approval
from dataops_mesh.run.due import is_delivered
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.evidence import write_evidence
from dataops_mesh.run.guards.beforehand import reasons_beforehand
from dataops_mesh.run.guards.former import Building
from dataops_mesh.run.guards.personal import with_personal
from dataops_mesh.run.identity import require_same_code, transform_fingerprint
from dataops_mesh.run.inputs.bind import Inputs, pin_inputs
from dataops_mesh.run.inputs.fetching import Fetching, leaving_nothing
from dataops_mesh.run.inputs.own import FULL
from dataops_mesh.run.inputs.parameters import of_line
from dataops_mesh.run.judged import require_own_record
from dataops_mesh.run.partition import bind_whole
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.owners import publisher_of, require_may_publish
from dataops_mesh.run.report import Report, report_of
from dataops_mesh.run.session import attempt_session
from dataops_mesh.run.stages import build_and_audit, hold_on_attempt
from dataops_mesh.run.word.held import hold_reason
from dataops_mesh.spec.checks.check import Stage
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.spec.partition import Partition, Partitioning, partitions_until
from dataops_mesh.store.log import Entry, Release, entries_of, joined, latest_number
from dataops_mesh.store.manifest import PUBLISH, REFUSE, Manifest, new_ref
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import commit
from dataops_mesh.transform.walls import walls_of

Progress = Callable[[str], None]


def rebuild_product(
    product: Product,
    environment: Environment,
    *,
    run_id: str,
    full: bool = False,
    progress: Progress = lambda _: None,
) -> tuple[Report, ...]:
    """Build every partition that has begun and publish all of them, or none.

    Returns:
        One report per partition; if one is refused, none of them is published.

    Raises:
        UnknownNameError: the product is not partitioned, or reads itself and nobody said `full`.
        ConflictError: a partition was published meanwhile; run it again.
        OwnershipError: its domain belongs to another repository.
    """
    product = of_line(product, environment)
    cut, store = require_cut(product, full=full), environment.store
    require_may_publish(product, environment)
    require_own_record(product, environment.settings)
    code, heard = transform_fingerprint(product), latest_number(store.production)
    secrets, stopped = environment.settings.secret_paths, environment.stopped
    declared = declaration_texts(product, environment.settings)
    with ExitStack() as stack:
        release = stack.enter_context(pinned(store))
        attempts = []
        pieces = partitions_until(cut, environment.settings.clock())
        keys = [piece.key for piece in pieces]
        stack.enter_context(leaving_nothing(product, store, keys))
        fetching = Fetching.of(stopped, progress)
        for piece in pieces:
            fetching.look_all(product, piece.key)
        for piece in (one for one in pieces if is_delivered(product, one, release, store)):
            inputs = pin_inputs(
                store,
                product,
                release,
                piece.key,
                full=full,
                secrets=secrets,
                fetching=fetching,
            )
            attempt = _attempt(product, stopped, run_id, inputs, piece)
            attempt = replace(attempt, heard=heard, declared=declared)
            stack.enter_context(building(store, attempt.ref))
            attempts.append(attempt)
        held = _held(attempts)
        known = reasons_beforehand(product, environment, release, Building())
        if not held and not known:  # nothing is built of what cannot be published
            attempts = [_build(attempt, progress) for attempt in attempts]
            attempts = _with_table_results(attempts)
            require_same_code(product, code)
        decisions = [_decide(attempt, held, known) for attempt in attempts]
        manifests = [
            _write(attempt, decision) for attempt, decision in zip(attempts, decisions, strict=True)
        ]
        refused = any(isinstance(decision, Refuse) for decision in decisions)
        if manifests and not refused:
            spend_approval(product, environment, release, manifests[-1].candidate)
        published = None if refused or not manifests else _commit(environment, release, manifests)
    notes = record_run(environment)
    return tuple(
        report_of(attempt, decision, manifest, published, notes)
        for attempt, decision, manifest in zip(attempts, decisions, manifests, strict=True)
    )


def require_cut(product: Product, *, full: bool = False) -> Partitioning:
    """Return how the product is cut.

    Raises:
        UnknownNameError: it is published whole; or it reads what it published last, which a
            rebuild leaves out, so somebody has to say that he knows.
    """
    if product.partitioning is None:
        what = f"{product.qualified_name} is published whole; there is nothing to rebuild"
        then = f"mesh run {product.qualified_name}"
        raise UnknownNameError(Problem(what, product.where, next=then))
    if product.own and not full:
        what = f"{product.qualified_name} reads itself, and a rebuild begins from nothing"
        then = f"mesh run {product.qualified_name} --rebuild {FULL}"
        raise UnknownNameError(Problem(what, product.own[0].where, next=then))
    return product.partitioning


def _attempt(
    product: Product, environment: Environment, run_id: str, inputs: Inputs, piece: Partition
) -> Attempt:
    started = datetime.now(UTC)
    ref = new_ref(product.domain, product.name, started)
    checks = all_checks(product, walls_of(environment.settings), piece)
    return Attempt(product, environment, run_id, ref, started, inputs, checks, piece)


def _build(attempt: Attempt, progress: Progress) -> Attempt:
    progress(f"partition {attempt.key}")
    return build_and_audit(attempt, progress, tables=False)


def _with_table_results(attempts: list[Attempt]) -> list[Attempt]:
    """Run the checks that read all partitions once, and give each attempt their results."""
    if not attempts:
        return []
    first = attempts[0]
    with attempt_session(first) as connection:
        bind_whole(connection, attempts)
        found = run_checks(first, connection, Stage.OUTPUT, (True,))
    return [
        replace(a, results=(*a.results, *(replace(r, candidate=a.ref) for r in found)))
        for a in attempts
    ]


def _held(attempts: list[Attempt]) -> dict[str, str]:
    """Return the partitions that are held, and why: all are published together, or none."""
    found = {attempt.key: hold_on_attempt(attempt) for attempt in attempts}
    return {key: hold_reason(hold) for key, hold in found.items() if hold is not None}


def _decide(attempt: Attempt, held: dict[str, str], known: tuple[str, ...]) -> Decision:
    if held:
        together = f"all partitions are published together, and {', '.join(sorted(held))} is held"
        return Refuse((held.get(attempt.key, together),))
    if known:
        return Refuse(known)
    ports = [port.address for port in attempt.product.outputs]
    if not attempt.ports:
        return Refuse(("nothing was built: a check on incoming data failed",))
    return with_personal(attempt, decide(attempt.ref, ports, attempt.checks, attempt.results))


def _write(attempt: Attempt, decision: Decision) -> Manifest:
    if isinstance(decision, Publish):
        return write_evidence(attempt, PUBLISH, ())
    return write_evidence(attempt, REFUSE, decision.reasons)


def _commit(environment: Environment, base: Release, manifests: list[Manifest]) -> Release:
    found: dict[Address, list[Entry]] = {}
    for manifest in manifests:
        for address, entry in entries_of(manifest).items():
            found.setdefault(address, []).append(entry)
    changes = {address: joined(entries) for address, entries in found.items()}
    last = manifests[-1]
    return commit(
        environment.store,
        base,
        changes,
        run_id=last.run_id,
        person=last.person,
        publisher=publisher_of(environment),
        reason="rebuilt all partitions",
        at=last.finished,
        whole=True,
    )
