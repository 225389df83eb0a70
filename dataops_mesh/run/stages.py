"""The stages of an attempt before the decision: incoming checks, transform, audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dataops_mesh.engine.session import bind_release, seal
from dataops_mesh.gate import Decision, Refuse, decide
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.audit import run_checks
from dataops_mesh.run.build import build_candidate
from dataops_mesh.run.checks import dbt_results
from dataops_mesh.run.due import own_content
from dataops_mesh.run.guards.masks import mask_candidate
from dataops_mesh.run.guards.names import columns_read, told, told_profile, unnamed
from dataops_mesh.run.guards.personal import find_personal
from dataops_mesh.run.identity import require_same_code, transform_fingerprint
from dataops_mesh.run.inputs.bind import bind_candidate, bind_inputs, require_unchanged
from dataops_mesh.run.inputs.capture import with_captures
from dataops_mesh.run.inputs.resource import keep_states
from dataops_mesh.run.partition import bind_tables
from dataops_mesh.run.profile import profile_of
from dataops_mesh.run.quarantine import bind_quarantines
from dataops_mesh.run.session import attempt_session
from dataops_mesh.run.usual.judging import usual_results
from dataops_mesh.run.word.held import hold_on
from dataops_mesh.spec.checks.check import Stage
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.store import files
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.holding import inputs_digest, rows_digest
from dataops_mesh.store.scratch import scratch_folder

Progress = Callable[[str], None]


def build_and_audit(attempt: Attempt, progress: Progress, *, tables: bool = True) -> Attempt:
    """Check the inputs, build the candidate, check the candidate, mask the candidate.

    Args:
        attempt: what to build.
        progress: told one line per stage.
        tables: also run the checks that read all partitions.
    """
    environment, product = attempt.environment, attempt.product
    code = transform_fingerprint(product)
    if is_private(product):  # until nothing but the masked form is left, or it is published
        files.shut(attempt.folder)
    attempt = with_captures(attempt)
    with scratch_folder(environment.store) as scratch:
        with attempt_session(attempt) as connection:
            bind_inputs(connection, environment.store, product, attempt.inputs, attempt.key)
            read = columns_read(connection)
            progress("checking what comes in")
            attempt = replace(attempt, results=run_checks(attempt, connection, Stage.INPUT))
            if isinstance(decide_incoming(attempt), Refuse):
                return attempt
            progress(f"building with {product.transform.kind}")
            built = build_candidate(attempt, connection, scratch)
            require_unchanged(environment.store, product, attempt.inputs, attempt.key)
        results, ports = dbt_results(attempt.ref, attempt.checks, built.tests), built.ports
        attempt = replace(
            attempt,
            modules=built.modules,
            quarantines=built.quarantines,
            state=(*built.state, *keep_states(attempt.folder, attempt.inputs.states)),
            unnamed=unnamed(product, ports, read),
        )
        with attempt_session(attempt) as connection:
            bind_candidate(connection, environment.store, attempt.ref, ports)
            bind_quarantines(connection, attempt)
            keys = referenced(product)  # of the release that the run pinned, as its inputs are
            found = bind_release(connection, environment.store, attempt.inputs.release, keys)
            others = bind_tables(connection, attempt, ports) if tables else []
            seal(connection, [attempt.folder, *found, *others])
            progress("checking the candidate")
            scopes = (True, False) if tables else (False,)
            audited = run_checks(attempt, connection, Stage.OUTPUT, scopes)
            results = (*attempt.results, *results, *audited)
            found_here = find_personal(attempt, connection)
            profile = told_profile(profile_of(attempt, connection), attempt.unnamed)
            attempt = replace(attempt, personal=found_here, profile=profile)
    attempt = replace(attempt, ports=ports)
    results = (*results, *usual_results(attempt))
    require_same_code(product, code)
    judged = tuple(check for check in attempt.checks if tables or not check.table_wide)
    attempt = mask_candidate(replace(attempt, results=results), judged)
    ports, hidden = told(attempt.ports, attempt.unnamed), attempt.unnamed
    return replace(attempt, ports=ports, quarantines=told(attempt.quarantines, hidden))


def decide_incoming(attempt: Attempt) -> Decision:
    """Decide on the checks of incoming data alone; a refusal ends the run before the build."""
    incoming = [check for check in attempt.checks if check.stage is Stage.INPUT]
    return decide(attempt.ref, (), incoming, attempt.results)


def hold_on_attempt(attempt: Attempt) -> Hold | None:
    """Return what keeps the attempt from being published; once it is built, by its rows too."""
    product, store, piece = attempt.product, attempt.environment.store, attempt.partition
    release = attempt.inputs.release

    def digest() -> str:
        read = attempt.inputs.sources
        own = own_content(product, piece, release, store, read) if piece else ""
        return own or inputs_digest(attempt.inputs.reads)

    return hold_on(product, release, attempt.key, digest, rows_digest(attempt.ports))
