"""Collecting: what may go once the ledger has it, by what products and the workspace say."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from dataops_mesh.errors import StoreError
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.spec.model import Product
from dataops_mesh.store.collect import Collected, collect
from dataops_mesh.store.retention import Retention

_NO_ROOM = ("disk is full", "disk I/O error", "No space left")  # of SQLite and PostgreSQL


def collect_store(
    environment: Environment, products: Iterable[Product], *, dry_run: bool
) -> tuple[Collected, tuple[str, ...]]:
    """Delete what nobody reads and no product can be rolled back to.

    What will be deleted is put on record first, or stays. A full disk takes no record and is just
    where a collection is needed: there the record comes after it.

    Args:
        environment: the store and the settings.
        products: the declared ones; what they say of retention wins over what they said when
            they were published last.
        dry_run: only say what would be deleted.

    Returns:
        What was collected, and what kept more from being collected, one sentence each.
    """
    settings = environment.settings
    said = {p.qualified_name: p.keep_publications or settings.keep_publications for p in products}
    retention = Retention(settings.keep_publications, said)

    def collected(*, dry_run: bool) -> Collected:
        return collect(
            environment.store,
            keep_releases=1,
            grace_seconds=settings.grace,
            dry_run=dry_run,
            retention=retention,
        )

    notes: tuple[str, ...] = ()
    try:
        with open_record(environment):
            pass  # what is pending is on record now
        if dry_run:
            return collected(dry_run=True), ()
        _on_record(environment, collected(dry_run=True))
    except StoreError as error:
        what = error.problems[0].what
        notes = (f"no release was collected: {what}",)
        if not any(word in what for word in _NO_ROOM):
            return Collected((), (), (), ()), notes
    found = collected(dry_run=dry_run)
    if notes and not dry_run:
        with suppress(StoreError):  # the note says it
            _on_record(environment, found)
    return found, notes


def _on_record(environment: Environment, plan: Collected) -> None:
    if not (plan.releases or plan.gone or plan.litter or plan.tree or plan.captures):
        return
    record_operation(
        environment,
        "collect",
        [item.name for item in (*plan.gone, *plan.litter, *plan.captures)],
        releases=list(plan.releases),
        bytes=plan.bytes,
    )
