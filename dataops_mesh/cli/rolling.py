"""`mesh rollback` of a product; of several, to one moment: the plan is shown, then done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from dataops_mesh.cli.copying import follow
from dataops_mesh.cli.near import open_near
from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import named, one, open_readable, require_readable
from dataops_mesh.errors import Problem, UnknownNameError

if TYPE_CHECKING:
    from dataops_mesh.run.word.together import Plan
    from dataops_mesh.settings import Settings
    from dataops_mesh.spec.model import Product
    from dataops_mesh.store.release import Release
    from dataops_mesh.store.store import Store

_COLUMNS = ("port", "publication", "rows", "schema", "readers")


def roll_back(  # noqa: PLR0913 - what the command takes
    name: str,
    to: int | None,
    reason: str,
    output: Format,
    *,
    partition: str | None = None,
    until: str = "",
) -> int:
    """Publish an earlier publication again, and tell Dagster."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.record import product_changes
    from dataops_mesh.run.word.rollback import rollback_product

    settings, mesh, _ = open_near([name])
    product = one(mesh, name, of_domain=f"a whole domain: mesh rollback {name} --at TIME")
    environment = open_environment(settings)
    release = rollback_product(product, environment, to, reason, partition, until, say)
    _tell_dagster(settings, environment.store, [product])
    rows = [
        {
            "port": str(port.address),
            "publication": release.number,
            "candidate": release.ports[port.address].candidate,
            "rows": release.ports[port.address].rows,
        }
        for port in product.outputs
    ]
    show(rows, output, columns=("port", "publication", "rows", "candidate"))
    for change in product_changes(environment, name, [release.number]).get(release.number, ()):
        say(change.what)
    _say_holds(release)
    follow([product], settings)
    return 0


def roll_back_several(  # noqa: PLR0913 - what the command takes
    names: Sequence[str],
    to: int | None,
    at: str,
    reason: str,
    output: Format,
    *,
    until: str = "",
    yes: bool = False,
) -> int:
    """Let products be read as at one moment: show what that switches, then do it at once.

    Args:
        names: products and domains; all that are declared here if empty.
        to: the release; or else
        at: a moment.
        reason: why, for the record.
        output: for people or for machines.
        until: `inputs`: other inputs end the holds too.
        yes: do not ask.
    """
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.word import together

    settings, mesh = open_readable()
    require_readable(mesh, names)
    environment = open_environment(settings)
    store = environment.store
    if to is not None:
        together.require_release(store, to)
    number = to if to is not None else together.release_at(store, moment(at))
    products = named(mesh, names)
    plan = together.planned(products, environment, number, mesh.products)
    say(f"as in release {number}, of {plan.release.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC:")
    empty, sentences = "nothing is read otherwise than then", ("schema", "readers")
    show(list(_rows(plan)), output, columns=_COLUMNS, empty=empty, wrap=sentences)
    for line in _notes(plan):
        say(line)
    if not plan.changes:
        return 0
    many = len({entry.product for entry in plan.changes.values()})
    question = f"roll back {many} product{'s' * (many != 1)}, at once?"
    if not yes and not (sys.stdin.isatty() and typer.confirm(question, err=True)):
        say("nothing was switched; --yes does it")
        return REFUSED
    release = together.roll_back_together(plan, environment, reason, until)
    switched = {entry.product for entry in plan.changes.values()}
    back = [one for one in products if one.qualified_name in switched]
    _tell_dagster(settings, store, back)
    say(f"release {release.number} switched {len(plan.changes)} ports; nothing was built")
    _say_holds(release)
    follow(back, settings)
    return 0


def moment(text: str) -> datetime:
    """Return a moment that a person names; without a time zone it is UTC.

    Raises:
        UnknownNameError: it is none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        what = f'"{text}" is no time'
        choices = ("2013-01-31T12:00", "2013-01-31T12:00+01:00")
        raise UnknownNameError(Problem(what, choices=choices)) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _rows(plan: Plan) -> Iterator[dict[str, Any]]:
    for back in plan.backs:
        before, after = back.publication
        yield {
            "port": str(back.address),
            "publication": f"{before} -> {after}",
            "rows": f"{back.rows[0]:,} -> {back.rows[1]:,}",
            "schema": "; ".join(back.schema) or "the same",
            "readers": ", ".join(back.readers),
        }


def _notes(plan: Plan) -> Iterator[str]:
    from dataops_mesh.run.word.together import THE_SAME

    for back in plan.backs:
        for newer in back.newer:
            yield f"{back.address} was built from {newer}: roll that back too, or it does not fit"
    for why in plan.away.values():
        yield why
    for product, why in sorted(plan.stays.items()):
        if why != THE_SAME:
            yield f"{product} {why}"


def _tell_dagster(settings: Settings, store: Store, products: Sequence[Product]) -> None:
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.reconcile import reconcile

    with open_instance(settings) as instance:
        for product in products:
            reconcile(instance, store, product)


def _say_holds(release: Release) -> None:
    from dataops_mesh.run.word.held import holds_by_product
    from dataops_mesh.store.hold import held_problem, lift_command

    for hold in holds_by_product({a: release.holds.get(a, ()) for a in release.changed}):
        if hold.release == release.number:
            say(f"held from now on: {held_problem(hold).what}; to lift it: {lift_command(hold)}")
