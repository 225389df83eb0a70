"""Holds: what a person, or a rollback, decided is not published until the hold ends.

They stand in the release, so that the same compare-and-swap that publishes looks at them. Here are
the records and what they mean: pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Address

HOLD, LIFT, ROLLBACK, WITHDRAWAL = "hold", "lift", "rollback", "withdrawal"
# What only a sandbox has: it begins, goes on with another base or lease, ends.
OPENED, REFRESHED, RENEWED, CLOSED = "opened", "refreshed", "renewed", "closed"
INPUTS = "inputs"
UNKNOWN = ""
PRODUCT, PORT = "product", "port"


@dataclass(frozen=True, slots=True)
class Hold:
    """One address, or one partition of it, is not published.

    Args:
        product: whose address it is.
        release: the number of the release since which it holds.
        kind: `hold`, which only a person lifts, `withdrawal` likewise, or `rollback`, which also
            ends by itself.
        partition: the only partition that is held; empty for all of the address.
        until: `inputs`: of a rollback, another content of what was read ends it too.
        code: of a rollback, the versions of the code that it took back; another one ends it.
        inputs: of a rollback, digests of what these had read.
        rows: of a rollback, digests of the rows that it took back: other code ends it, unless it
            brings the same rows again.
        erased: of a withdrawal, the bytes go too: all that the `product` ever had here, or those of
            the `port` alone.
    """

    product: str
    person: str
    reason: str
    release: int
    at: datetime
    kind: str = HOLD
    partition: str = ""
    until: str = ""
    code: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    erased: str = ""

    def __str__(self) -> str:
        """Return who, since when and why, for people."""
        how = {ROLLBACK: " by a rollback", WITHDRAWAL: " by a withdrawal"}.get(self.kind, "")
        return f"held{how} {held_words(self, 'since')}"


def held_words(hold: Hold, when: str = "on") -> str:
    """Return who decided it, when and why."""
    at = f"{hold.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, release {hold.release}"
    why = f": {hold.reason}" if hold.reason else ""
    return f"by {hold.person} {when} {at}{why}"


Holds = Mapping[Address, tuple[Hold, ...]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether a candidate is what is held; an empty text is not known.

    Args:
        partition: its key; empty for a whole product.
        code: the version of its declaration, contracts and transform.
        inputs: a digest of what it read; of a partition, of what is its own.
        rows: a digest of the rows of all its ports; not known before it is built.
    """

    partition: str = ""
    code: str = UNKNOWN
    inputs: str = UNKNOWN
    rows: str = UNKNOWN


def is_over(hold: Hold, facts: Facts) -> bool:
    """Tell whether a hold has ended by itself for a candidate; what is not known ends nothing.

    >>> at = datetime(2013, 1, 1, tzinfo=UTC)
    >>> hold = Hold("shop.orders", "ana", "", 4, at, ROLLBACK, code=("c1",))
    >>> is_over(hold, Facts(code="c1")), is_over(hold, Facts(code="c2"))
    (False, True)
    >>> is_over(replace(hold, rows=("r1",)), Facts(code="c2", rows="r1"))
    False
    """
    if hold.kind != ROLLBACK or (facts.rows and facts.rows in hold.rows):
        return False
    return _differs(facts.code, hold.code) or (
        hold.until == INPUTS and _differs(facts.inputs, hold.inputs)
    )


def held(
    holds: Holds, addresses: Iterable[Address], found: Iterable[Facts], *, whole: bool = False
) -> Hold | None:
    """Return the first hold that keeps candidates from being published, if any does.

    Args:
        holds: those of a release.
        addresses: the ports of the product.
        found: one for each candidate.
        whole: the candidates take the place of all partitions, held ones that they lack included.
    """
    facts = {one.partition: one for one in found}
    for address in addresses:
        for hold in holds.get(address, ()):
            if not hold.partition:
                asked = tuple(facts.values())
            elif hold.partition in facts:
                asked = (facts[hold.partition],)
            elif whole or "" in facts:  # what was read was not that partition's
                asked = tuple(replace(one, inputs=UNKNOWN) for one in facts.values())
            else:
                continue
            if not all(is_over(hold, one) for one in asked):
                return hold
    return None


def held_problem(hold: Hold) -> Problem:
    """Say what is held, by whom, why, since when, and how to lift it."""
    piece = f"partition {hold.partition} of " if hold.partition else ""
    ends = ""
    if hold.kind == ROLLBACK:
        inputs = " or the inputs" if hold.until == INPUTS else ""
        ends = f", or change the code{inputs}, so that other rows come of it"
    return Problem(f"{piece}{hold.product} is {hold}", next=f"{lift_command(hold)}{ends}")


def lift_command(hold: Hold) -> str:
    """Return the command that ends a hold."""
    piece = f" --partition {hold.partition}" if hold.partition else ""
    return f'mesh hold lift {hold.product}{piece} --reason "..."'


def with_hold(
    holds: Holds, addresses: Iterable[Address], hold: Hold
) -> dict[Address, tuple[Hold, ...]]:
    """Return the holds with one more on each address; it takes the place of its partition's.

    A rollback does not weaken what a person said, and adds to what earlier ones took back.
    """
    made = dict(holds)
    for address in addresses:
        mine, others = hold, []
        for one in holds.get(address, ()):
            if one.partition != hold.partition:
                others.append(one)
            elif hold.kind == ROLLBACK and one.kind != ROLLBACK:
                mine = one
            elif hold.kind == ROLLBACK:
                code = tuple(sorted({*one.code, *hold.code}))
                inputs = tuple(sorted({*one.inputs, *hold.inputs}))
                rows = tuple(sorted({*one.rows, *hold.rows}))
                mine = replace(hold, code=code, inputs=inputs, rows=rows)
        made[address] = tuple(sorted((*others, mine), key=lambda one: one.partition))
    return made


def without_holds(
    holds: Holds, addresses: Iterable[Address], partition: str | None = None
) -> dict[Address, tuple[Hold, ...]]:
    """Return the holds without those of the addresses, or of one partition of them.

    Args:
        holds: those of a release.
        addresses: the ports of a product.
        partition: only this one's; all if None. That of the whole address has an empty key.
    """
    made = dict(holds)
    for address in addresses:
        left = tuple(
            one
            for one in made.pop(address, ())
            if partition is not None and one.partition != partition
        )
        if left:
            made[address] = left
    return made


def _differs(mine: str, theirs: tuple[str, ...]) -> bool:
    return bool(mine) and bool(theirs) and UNKNOWN not in theirs and mine not in theirs
