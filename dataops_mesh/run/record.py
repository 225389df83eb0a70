"""After the commit: bring the ledger and the catalogs up to the log.

Both are derived. Nothing that fails here can take a publication back; it is told as a note and
repaired by the next run or `mesh status`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from dataops_mesh.engine.catalog import catalogs
from dataops_mesh.errors import CorruptError, MeshError, UnknownNameError
from dataops_mesh.ledger import (
    Change,
    Event,
    Ledger,
    changes,
    history,
    known_candidates,
    last_reads,
    last_release,
    open_ledger,
    record_candidate,
    record_owners,
    record_release,
    results_of,
)
from dataops_mesh.ledger.told.log import Log, Tell, nobody
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.openlineage import tell_openlineage
from dataops_mesh.store.log import Release, all_numbers, as_it_was, facts_of_release, latest_number
from dataops_mesh.store.manifest import mark_recorded, pending_refs, read_manifest
from dataops_mesh.store.owners import all_owners
from dataops_mesh.store.record import plain
from dataops_mesh.store.refs import all_refs


def record_run(environment: Environment) -> tuple[str, ...]:
    """Record every candidate and release that the ledger lacks, and refresh the catalogs.

    Returns:
        What could not be done, one sentence each.
    """
    notes: list[str] = []
    try:
        with open_ledger_of(environment) as ledger:
            notes += _catch_up(environment, ledger)
    except MeshError as error:
        notes.append(f"the ledger is behind: {error.problems[0].what}")
    if environment.store.sandbox:  # `mesh query` and `connect` show it; a file of views would leak
        return tuple(notes)
    try:
        notes += [
            f"catalogs/{wrong.name} was not what was written here; it is written again"
            for wrong in catalogs.refresh(environment.store)
        ]
    except Exception as error:  # noqa: BLE001 - derived: whatever happens, the publication stands
        notes.append(f"the catalogs are behind: {type(error).__name__}")
    return tuple(notes)


def product_history(environment: Environment, product: str, limit: int) -> tuple[Event, ...]:
    """Return what happened to a product, newest first."""
    with _caught_up(environment) as ledger:
        return history(ledger, product, limit)


def product_changes(
    environment: Environment, product: str, numbers: Iterable[int]
) -> dict[int, tuple[Change, ...]]:
    """Return what each of these publications of a product changed."""
    with open_ledger_of(environment) as ledger:
        return changes(ledger, product, numbers)


def reads_of_last_runs(
    environment: Environment, products: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return, for each product that ever ran, the fingerprint of every input it read last."""
    with _caught_up(environment) as ledger:
        return last_reads(ledger, products)


def last_run(environment: Environment, product: str, run_id: str) -> dict[str, Any]:
    """Return the facts of a product's part of a run, as a table shows them."""
    with _caught_up(environment) as ledger:
        events = [e for e in history(ledger, product, limit=5) if e.run_id == run_id and run_id]
        events = [event for event in events if event.candidate]
        if not events:
            return {}
        event = events[0]
        results = results_of(ledger, event.candidate)
    aside = 0
    with suppress(MeshError):  # it was collected since
        manifest = read_manifest(environment.store, event.candidate)
        aside = sum(one.rows for one in manifest.quarantines)
    failed = [row for row in results if row["outcome"] != "passed"]
    return {
        "publication": event.publication,
        "rows": event.rows,
        "set_aside": aside,
        "checks": len(results),
        "warnings": sum(row["severity"] != "error" for row in failed),
        "seconds": event.seconds,
        "reasons": list(event.reasons),
        "candidate": event.candidate,
    }


@contextmanager
def open_record(environment: Environment) -> Iterator[Ledger]:
    """Open the ledger with everything on record that the log knows."""
    with _caught_up(environment) as ledger:
        yield ledger


@contextmanager
def _caught_up(environment: Environment) -> Iterator[Ledger]:
    with open_ledger_of(environment) as ledger:
        _catch_up(environment, ledger)
        yield ledger


@contextmanager
def open_ledger_of(environment: Environment) -> Iterator[Ledger]:
    """Open the ledger as it is."""
    ledger = open_ledger(environment.ledger_url, _log(environment))
    try:
        yield ledger
    finally:
        ledger.close()


def _log(environment: Environment) -> Tell:
    """Return who is told of what comes on record, as the setting `log` says."""
    from dataops_mesh.run.registry.declared import repository_of  # it records, too

    settings = environment.settings
    if not settings.log:
        return nobody
    always = {"repository": repository_of(settings), "sandbox": environment.store.sandbox}
    file = None if settings.log == "-" else settings.root / settings.log
    return Log(file, {name: value for name, value in always.items() if value})


def record_missing(environment: Environment, ledger: Ledger) -> None:
    """Bring an open ledger up to date with the log."""
    _catch_up(environment, ledger)


def _catch_up(environment: Environment, ledger: Ledger) -> list[str]:
    """Record what a crash kept from the ledger: pending candidates, then releases.

    Returns:
        What is damaged and stays without a record, one sentence each; `mesh store verify`
        says more.
    """
    if not ledger.writable:
        return []
    store, notes = environment.store, []
    recorded = last_release(ledger)
    # Candidates come before releases: a ledger without any release may lack any candidate.
    lost = set[str]()
    if not recorded and not store.sandbox:
        lost = set(all_refs(store)) - known_candidates(ledger)
    first = recorded or min(all_numbers(store), default=1) - 1  # a sandbox begins anywhere
    pending = set(pending_refs(store))
    for ref in sorted({*pending, *lost}):
        try:
            found = read_manifest(store, ref)
            if ref in lost - pending and found.line != store.line:
                continue  # tried in another line
            manifest = plain(found)
        except CorruptError as error:
            notes.append(f"not on record: {error.problems[0].what}")
            continue
        if record_candidate(ledger, manifest) and not store.sandbox:
            tell_openlineage(environment.settings, manifest)
        mark_recorded(store, ref)
    for number in range(first + 1, latest_number(store) + 1):
        try:
            release = as_it_was(store, number)
        except UnknownNameError:  # collected by an older version
            continue
        except CorruptError as error:
            notes.append(f"not on record: {error.problems[0].what}")
            continue
        for ref in _refs(release) if release.promoted else ():  # on record in a sandbox alone
            manifest = plain(read_manifest(store, ref))
            if record_candidate(ledger, manifest):
                tell_openlineage(environment.settings, manifest)
        record_release(ledger, facts_of_release(release))
    record_owners(ledger, [plain(owner) for owner in all_owners(store)])
    return notes


def _refs(release: Release) -> tuple[str, ...]:
    """Return the candidates that a release switched to."""
    found = [ref for one in release.switches for ref in (one.candidate, *(p[1] for p in one.parts))]
    return tuple(dict.fromkeys(ref for ref in found if ref))
