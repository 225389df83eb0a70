"""`mesh withdraw --due`: end what was retired, outlived, removed, renamed or cut shorter."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from dataops_mesh.cli.copying import follow
from dataops_mesh.cli.examine import require_words
from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import open_workspace
from dataops_mesh.errors import Problem, UnknownNameError

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.run.word.ends import End
    from dataops_mesh.spec.model import Product

COLUMNS = ("port", "partition", "release", "why")
DUE = "mesh withdraw --due"


def withdraw_due(name: str, reason: str, output: Format, *, yes: bool) -> int:
    """Withdraw what has ended.

    Args:
        name: a product; what others still read of it is withdrawn too, because a person says so.
            Without one, only what nobody reads and nothing is missing for.
        reason: what the person adds to why it ended.
        output: for people or for machines.
        yes: do not ask.
    """
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.withdrawals import tell_withdrawals
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.word.ended import end, ended

    settings, mesh = open_workspace()
    environment = open_environment(settings)
    found = ended(mesh.domains, environment)
    named = [one for one in found if one.product == name and not one.waits]
    if name and not named:
        raise UnknownNameError(_nothing(name, found))
    chosen = named or [one for one in found if one.by_itself]
    require_words(mesh, {one.approval.where for one in chosen if one.approval}, settings)
    for one in chosen:
        say(f"takes {one.piece} away from consumers: {one.words}")
        for reader in one.readers:
            say(f"  {reader} reads it; it keeps its last publication")
    for one in found:
        if one not in chosen:
            say(f"not withdrawn: {ending_words(one)}")
    if chosen and not yes and sys.stdin.isatty() and not typer.confirm("withdraw it?", err=True):
        return REFUSED
    made = end(chosen, environment, reason)
    with open_instance(settings) as instance:
        for release in made:
            tell_withdrawals(instance, release)
    rows = [
        {
            "port": str(address),
            "partition": release.partition,
            "release": release.number,
            "why": release.reason,
        }
        for release in made
        for address in release.changed
    ]
    show(rows, output, columns=COLUMNS, empty="nothing has ended", wrap="why")
    ended_now = {one.product for one in chosen}
    follow([one for one in mesh.products if one.qualified_name in ended_now], settings)
    return 0


def living(
    products: Sequence[Product], names: Sequence[str], environment: Environment
) -> tuple[Product, ...]:
    """Return the products without those that have ended, unless these were named themselves."""
    from dataops_mesh.run.word.overdue import is_done
    from dataops_mesh.store.release import latest

    release, now = latest(environment.store), environment.settings.clock()
    done = [p for p in products if p.qualified_name not in names and is_done(p, release, now)]
    for product in done:
        say(f"not built: {product.qualified_name} is past its end and was withdrawn")
    return tuple(product for product in products if product not in done)


def ending_words(one: End) -> str:
    """Return what has ended, and what a person can do about it."""
    if one.by_itself:
        return f"{one.words}: {DUE}"
    if one.waits:
        then = "" if one.partitions else f"; or {_by_hand(one.product)}"
        return f"{one.words}; waits: {one.stopped}{then}"
    return f"{one.words}, and {one.stopped}: {DUE} {one.product}"


def _nothing(name: str, found: Iterable[End]) -> Problem:
    waiting = next((one for one in found if one.product == name), None)
    if waiting is not None:
        then = _by_hand(name, "KEY" if waiting.partitions else "")
        return Problem(f"{waiting.words}; waits: {waiting.stopped}", next=then)
    what = f"nothing of {name} has ended"
    known = tuple(dict.fromkeys(one.product for one in found))
    then = f"mesh status; of all of it: {_by_hand(name)}"
    return Problem(what, choices=known, next=then)


def _by_hand(name: str, partition: str = "") -> str:
    piece = f" --partition {partition}" if partition else ""
    return f'mesh withdraw {name}{piece} --reason "..."'
