"""Monitoring: the contract's checks again, on what is published now.

The functional test of a candidate and the monitor of published data are the same code on another
relation. Nothing is rebuilt and nothing is published; dbt's own tests and what is unusual about a
build need a build and are left out. Checks of masked columns are judged on clear values where these
are kept for a role; else they were judged at publication, and the audit says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.catalog import catalogs
from dataops_mesh.engine.data import data_finder, data_scan
from dataops_mesh.engine.session import bind_release, seal
from dataops_mesh.engine.whole import whole_scan
from dataops_mesh.errors import CorruptError, NotPublishedError, Problem, StoreError
from dataops_mesh.ledger.trouble.incidents import DAMAGED, AuditRecord, record_audit
from dataops_mesh.quality.schema import as_published
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.audit import run_checks
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.bind import Inputs
from dataops_mesh.run.partition import table_schema
from dataops_mesh.run.record import open_record
from dataops_mesh.run.session import attempt_session
from dataops_mesh.spec.checks.check import Check, CheckResult, Outcome, Stage
from dataops_mesh.spec.checks.masked import masked_columns, reads_masked
from dataops_mesh.spec.checks.measures import ELSEWHERE, SetAside, TableSchema
from dataops_mesh.spec.model import Address, Product, Severity
from dataops_mesh.spec.partition import Partition, partition_of
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.store.log import Entry, Release, ports_of
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.store import Store
from dataops_mesh.transform.walls import walls_of

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class PublishedAudit:
    """One look at what consumers read.

    Args:
        publication: what was looked at.
        checks: those that ran; `results` has one for each.
        partition: of a partitioned product, the newest one, which the checks that do not read
            the whole table looked at.
        damage: which files are not what was published, one sentence each: then no check could
            say anything.
    """

    product: Product
    publication: int
    candidate: str
    checks: tuple[Check, ...]
    results: tuple[CheckResult, ...]
    started: datetime
    seconds: float
    partition: str = ""
    at_publication: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """Return the results that would have refused a candidate."""
        return tuple(result for result in self.results if _refuses(result))

    @property
    def outcome(self) -> Outcome:
        """Return the worst outcome that would have refused a candidate."""
        found = {result.outcome for result in self.failures}
        worst = (Outcome.FAILED, Outcome.ERRORED)
        return next((outcome for outcome in worst if outcome in found), Outcome.PASSED)

    @property
    def word(self) -> str:
        """Return how it ended, as people and the record have it."""
        return DAMAGED if self.damage else self.outcome.value


def audit_published(product: Product, environment: Environment) -> PublishedAudit:
    """Run the output checks of a product on its current publication, and put that on record.

    Raises:
        NotPublishedError: the product has no publication.
    """
    started = datetime.now(UTC)
    store, settings = environment.store, environment.settings
    with pinned(store) as release:
        entry = _entry(product, release)
        piece = _newest(product, entry, settings.clock())
        clear = _clear(product, store, _one_piece(product, piece, release))
        asked = [
            _of_any_age(check)
            for check in all_checks(product, walls_of(settings), piece)
            if check.stage is Stage.OUTPUT and not isinstance(check.measure, (*ELSEWHERE, SetAside))
        ]
        checks = tuple(check for check in asked if _can_judge(product, check, clear))
        nothing = Inputs(release, (), {}, opened=clear)
        attempt = Attempt(
            product, environment, "monitor", entry.candidate, started, nothing, checks, piece
        )
        damage: tuple[str, ...] = ()
        try:
            with _published(attempt) as connection:
                results = run_checks(attempt, connection, Stage.OUTPUT)
        except CorruptError as error:  # no check can say anything of such a file
            damage = _damage(attempt)
            why = error.problems[0].what
            results = tuple(_not_run(check, entry.candidate, why) for check in checks)
    if catalogs.changed(store):
        catalogs.refresh(store)
    audit = PublishedAudit(
        product=product,
        publication=entry.publication,
        candidate=entry.candidate,
        checks=checks,
        results=results,
        started=started,
        seconds=(datetime.now(UTC) - started).total_seconds(),
        partition=piece.key if piece else "",
        at_publication=tuple(f"{one.port} {one.name}" for one in asked if one not in checks),
        damage=damage,
    )
    with open_record(environment) as ledger:
        record_audit(ledger, _record(audit))
    return audit


def _damage(attempt: Attempt) -> tuple[str, ...]:
    """Return which of the product's own files are damaged: not those that its keys refer to."""
    found, shown = list[str](), attempt.inputs.release.ports
    for port in attempt.product.outputs:
        try:
            data_finder(attempt.environment.store)(port.address, shown[port.address])
        except CorruptError as error:
            found += [problem.what for problem in error.problems]
    return tuple(found)


def _not_run(check: Check, candidate: str, why: str) -> CheckResult:
    return CheckResult(
        check.name,
        check.port,
        candidate,
        check.fingerprint,
        Outcome.ERRORED,
        check.severity,
        reason=why,
    )


def _of_any_age(check: Check) -> Check:
    """Return the check as it holds for a publication of an earlier version of the library."""
    if not isinstance(check.measure, TableSchema):
        return check
    return replace(check, measure=as_published(check.measure))


def _refuses(result: CheckResult) -> bool:
    failed = result.outcome is Outcome.FAILED and result.severity is Severity.ERROR
    return failed or result.outcome is Outcome.ERRORED


def _record(audit: PublishedAudit) -> AuditRecord:
    failed = tuple(
        (str(result.port), result.check, result.severity.value, result.reason)
        for result in audit.results
        if result.outcome is not Outcome.PASSED
    )
    if audit.damage:
        failed = (("", DAMAGED, Severity.ERROR.value, "\n".join(audit.damage)),)
    return AuditRecord(
        product=audit.product.qualified_name,
        at=audit.started,
        publication=audit.publication,
        candidate=audit.candidate,
        outcome=audit.word,
        checks=len(audit.checks),
        failed=failed,
        seconds=audit.seconds,
    )


def _entry(product: Product, release: Release) -> Entry:
    missing = [port for port in product.outputs if port.address not in release.ports]
    if missing:
        what = f"{missing[0].address} has no publication"
        then = f"mesh run {product.qualified_name}"
        raise NotPublishedError(Problem(what, missing[0].where, next=then))
    return release.ports[product.outputs[0].address]


def _newest(product: Product, entry: Entry, now: datetime) -> Partition | None:
    if product.partitioning is None or not entry.parts:
        return None
    return partition_of(product.partitioning, max(part.key for part in entry.parts), now)


@contextmanager
def _published(attempt: Attempt) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session that reads the ports as an audit of a candidate would."""
    environment = attempt.environment
    with attempt_session(attempt) as connection:
        own = [port.address for port in attempt.product.outputs]
        release = attempt.inputs.release
        files = [*_bind_others(connection, attempt, own)]
        piece = _one_piece(attempt.product, attempt.partition, release)
        files += bind_release(connection, environment.store, piece, own, attempt.inputs.opened)
        if attempt.partition is not None:
            for address in own:
                files += _bind_whole(connection, attempt, address)
        seal(connection, files)
        yield connection


def _bind_others(
    connection: duckdb.DuckDBPyConnection, attempt: Attempt, own: list[Address]
) -> list[Path]:
    """Bind what foreign keys refer to."""
    release = attempt.inputs.release
    others = [a for a in referenced(attempt.product) if a not in own and a in release.ports]
    return list(bind_release(connection, attempt.environment.store, release, others))


def _clear(product: Product, store: Store, release: Release) -> dict[Address, tuple[str, ...]]:
    """Return the masked columns of each port of which all clear values are here to be read."""
    found = {}
    for port in product.outputs:
        masked, address = tuple(sorted(masked_columns(port.contract))), port.address
        if masked and store.restricted is not None:
            with suppress(StoreError, OSError):
                whole_scan(store, address, release.ports[address], masked)
                found[address] = masked
    return found


def _can_judge(product: Product, check: Check, clear: Mapping[Address, object]) -> bool:
    return not reads_masked(product, check) or check.relation in {str(one) for one in clear}


def _one_piece(product: Product, partition: Partition | None, release: Release) -> Release:
    """Return the release with only the newest partition of the product's ports."""
    if partition is None:
        return release
    key, instead = partition.key, dict[Address, Entry | None]()
    for port in product.outputs:
        entry = release.ports[port.address]
        part = entry.part(key)
        instead[port.address] = replace(entry, parts=(part,) if part else ())
    return replace(release, ports=ports_of(release).seen(instead))


def _bind_whole(
    connection: duckdb.DuckDBPyConnection, attempt: Attempt, address: Address
) -> list[Path]:
    store, entry = attempt.environment.store, attempt.inputs.release.ports[address]
    found = data_finder(store)(address, entry)
    schema = sql.identifier(table_schema(address.domain))
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    view = f"{schema}.{sql.identifier(address.port)}"
    connection.execute(f"CREATE VIEW {view} AS FROM {data_scan(entry, found)}")
    return list(found)
