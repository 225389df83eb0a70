"""The account of what people do: every operation is on record before it takes effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from dataops_mesh.ledger.decisions import is_decided
from dataops_mesh.ledger.look import published
from dataops_mesh.ledger.operations import Operation, add_operation, operations
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.run.record import open_ledger_of, open_record
from dataops_mesh.run.registry.declared import repository_of
from dataops_mesh.store.hold import WITHDRAWAL
from dataops_mesh.store.log import latest_number

APPROVAL, READ_UNMASKED = "approval", "read unmasked"


def record_operation(
    environment: Environment,
    operation: str,
    subjects: Iterable[str] = (),
    *,
    reason: str = "",
    **details: Any,
) -> Operation:
    """Put on record what a person is about to do; do it only after this has returned.

    Args:
        environment: the store and the settings.
        operation: its name, as the command's: `rollback`, `collect`, `assign`.
        subjects: what it is about: products, ports, domains, candidates.
        reason: what the person said.
        details: what else there is to say, as JSON can. Never a value of the data.

    Raises:
        StoreError: it cannot be put on record.
    """
    settings = environment.settings
    said = Operation(
        at=datetime.now(UTC),
        person=person_or_user(settings.person),
        repository=repository_of(settings),
        operation=operation,
        subjects=tuple(subjects),
        reason=reason,
        release=latest_number(environment.store),
        details=details,
    )
    with open_ledger_of(environment) as ledger:
        add_operation(ledger, said)
    return said


def operations_of(
    environment: Environment, since: datetime | None = None, until: datetime | None = None
) -> tuple[Operation, ...]:
    """Return what people did with the store, oldest first."""
    with open_ledger_of(environment) as ledger:
        return operations(ledger, since, until)


def approvals_spent(environment: Environment, product: str) -> Callable[[str], int]:
    """Return how often changes of a digest were approved and then published; each serves once."""

    @cache
    def spent() -> Counter[str]:
        with open_record(environment) as ledger:
            said = [one for one in operations(ledger, named=APPROVAL) if product in one.subjects]
            done = published(ledger, [one.details["candidate"] for one in said])
            gone = [  # what ended by an approval: a withdrawal builds no candidate
                one.details["changes"]
                for one in operations(ledger, named=WITHDRAWAL)
                if product in one.subjects
                and "changes" in one.details
                and is_decided(ledger, one.details["run_id"])
            ]
        built = [one.details["changes"] for one in said if one.details["candidate"] in done]
        return Counter([*built, *gone])

    return lambda digest: spent()[digest]
