"""`mesh sandbox test`: build what changed and all that reads it, and say what that does to data."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from dataops_mesh.cli.environments import Ask, environments, place_of
from dataops_mesh.cli.examine import sound_products
from dataops_mesh.cli.output import REFUSED, WRONG, Format, say, show
from dataops_mesh.cli.planning import PlanFormat, plan_of
from dataops_mesh.cli.progress import progress
from dataops_mesh.cli.run.running import label_of, pieces_of, row_of, run_there
from dataops_mesh.cli.sandbox.entering import enter
from dataops_mesh.cli.workspace import RUNNABLE, named, open_readable, say_unreadable
from dataops_mesh.run.registry.elsewhere import find_elsewhere
from dataops_mesh.sandbox.impact import Impact, port_impacts, with_readers
from dataops_mesh.sandbox.render import (
    ELSEWHERE,
    PUBLISHED,
    as_data,
    as_markdown,
    as_rows,
    key_lines,
)
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.mesh import order
from dataops_mesh.spec.model import Domain, Mesh, Product

if TYPE_CHECKING:
    from dataops_mesh.factory.runner import Ended
    from dataops_mesh.run.environment import Environment

COLUMNS = ("product", "why", "ended", "port", "rows", "data", "seconds")
PIECES = 12  # partitions of an edited product, the newest


def show_impact(  # noqa: PLR0913 - what the command takes
    names: Sequence[str],
    against: str,
    output: PlanFormat,
    *,
    samples: int,
    every: bool,
    keep: str,
) -> int:
    """Build in a sandbox of its own what changed and all that reads it, and compare.

    Args:
        names: products that count as changed; what differs from `against` if empty.
        against: `published`, or a git ref.
        output: for people, for machines, or for a pull request.
        samples: how many keys of changed rows to show of each port.
        every: all partitions of what changed, not only the newest.
        keep: the name of the sandbox, if it is to stay.
    """
    settings, mesh = open_readable()
    left_out = say_unreadable(mesh, names)
    edited, elsewhere = _edited(settings, mesh, names, against, keep)
    products = [
        one
        for one in with_readers(order(mesh.products), edited)
        if one.status in RUNNABLE or one.qualified_name in names
    ]
    impacts: list[Impact] = []
    if products:
        with _sandbox(settings, keep):
            inside = load_settings(settings.root)  # as every process that is started reads them
            with environments(inside) as ask:
                products = list(sound_products(mesh, products, inside, ask))
                found = _impacts(mesh, products, inside, ask, edited, samples, every=every)
                impacts += found
    impacts += [Impact(name, False, ELSEWHERE, (where,)) for name, where in elsewhere]
    _print(impacts, output)
    if any(one.ended not in {PUBLISHED, ELSEWHERE} for one in impacts):
        return REFUSED
    return WRONG if left_out else 0


def _edited(
    settings: Settings, mesh: Mesh, names: Sequence[str], against: str, keep: str
) -> tuple[frozenset[str], list[tuple[str, str]]]:
    """Return what changed, and who reads it in repositories that are not joined to this one."""
    if names:
        found = frozenset(one.qualified_name for one in named(mesh, names))
    else:
        plan = plan_of(settings, mesh, (), against)
        found = frozenset(one.product for one in plan.products if one.state != "removed")
    built = with_readers(order(mesh.products), found)
    return found, _readers_elsewhere(settings, mesh, built, keep) if found else []


def _readers_elsewhere(
    settings: Settings, mesh: Mesh, built: Sequence[Product], keep: str
) -> list[tuple[str, str]]:
    """Return who reads it in other repositories, and what to do there: its code is not here."""
    others = find_elsewhere(settings, mesh).registrations
    wanted = {str(port.address) for product in built for port in product.outputs}
    reading: dict[str, str] = {}
    while more := {
        name: one
        for name, one in others.items()
        if name not in reading and any(use.address in wanted for use in one.inputs)
    }:
        for name, one in more.items():
            what = f"mesh sandbox run {keep} {name}" if keep else "--keep NAME, then build it there"
            reading[name] = f"{what}, in {one.repository}"
        wanted |= {offer.address for one in more.values() for offer in one.outputs}
    return sorted(reading.items())


@contextmanager
def _sandbox(settings: Settings, keep: str) -> Iterator[None]:
    """Work in a sandbox of our own, and take it down unless it is to be looked at."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.sandbox.asked import asked_by
    from dataops_mesh.store.line.opening import close, open_sandbox

    environment = open_environment(settings)
    name = keep or f"test-{secrets.token_hex(4)}"
    asked = asked_by(environment, "mesh sandbox test")
    until = datetime.now(UTC) + timedelta(days=7 if keep else 1)
    line, _ = open_sandbox(environment.store, name, asked, until)
    try:
        enter(name)
        yield
    finally:
        enter("production")
        if keep:
            say(f"it stays: mesh sandbox diff {name}, promote {name}, down {name}")
            say("what is in no commit yet: commit it, run it there again, then promote it")
        else:
            close(line, asked)


def _impacts(  # noqa: PLR0913, PLR0917 - what the command takes
    mesh: Mesh,
    products: Sequence[Product],
    settings: Settings,
    ask: Ask,
    edited: frozenset[str],
    samples: int,
    *,
    every: bool,
) -> Iterator[Impact]:
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.runner import run_batch, run_in_order
    from dataops_mesh.run.environment import open_environment

    environment = open_environment(settings)
    pieces = partial(_pieces, environment=environment, edited=edited, every=every)
    ended: dict[str, list[tuple[Ended, float, tuple[str, ...]]]] = {}
    with open_instance(settings) as instance, progress(map(label_of, products)) as told:

        def run(domain: Domain, batch: Sequence[Product]) -> Iterator[Ended]:
            place = place_of(domain, settings)
            if place is None:
                yield from run_batch(domain, batch, instance, pieces)
                return
            for product in batch:
                keys = pieces(product) if product.partitioning else ()
                asked = {"partitions": list(keys), "every": False, "full": False}
                yield from run_there(ask, place, [product], asked)

        for one in run_in_order(mesh, products, run):
            told.ended(one)
            row = row_of(one, environment)
            facts = (one, row.get("seconds") or 0.0, tuple(row.get("reasons") or ()))
            ended.setdefault(one.product.qualified_name, []).append(facts)
    for product in products:
        yield _impact(product, ended.get(product.qualified_name, []), environment, edited, samples)


def _impact(
    product: Product,
    runs: Sequence[tuple[Ended, float, tuple[str, ...]]],
    environment: Environment,
    edited: frozenset[str],
    samples: int,
) -> Impact:
    bad = [(one, reasons) for one, _, reasons in runs if one.ending.value != PUBLISHED]
    why = [reason for one, reasons in bad for reason in (reasons or (one.why,))]
    return Impact(
        product.qualified_name,
        product.qualified_name in edited,
        bad[0][0].ending.value if bad else PUBLISHED,
        tuple(dict.fromkeys(why)),
        round(sum(seconds for _, seconds, _ in runs), 3),
        port_impacts(product, environment, samples),
    )


def _pieces(
    product: Product, environment: Environment, edited: frozenset[str], *, every: bool
) -> tuple[str, ...]:
    """Return the partitions to build: of what changed, those that are published; else those due."""
    from dataops_mesh.store.log import latest

    if product.qualified_name not in edited:
        return pieces_of(product, environment, (), every=False)
    release = latest(environment.store)
    entry = release.ports.get(product.outputs[0].address)
    keys = tuple(part.key for part in entry.parts) if entry else ()
    if not keys:
        keys = pieces_of(product, environment, (), every=True)
    return keys if every else keys[-PIECES:]


def _print(impacts: Sequence[Impact], output: PlanFormat) -> None:
    match output:
        case PlanFormat.JSON:
            print(json.dumps(as_data(impacts), indent=1, default=str))  # noqa: T201 - the output
        case PlanFormat.MARKDOWN:
            print(as_markdown(impacts))  # noqa: T201 - the output
        case PlanFormat.TABLE:
            empty = "nothing that is built has changed"
            show(as_rows(impacts), Format.TABLE, columns=COLUMNS, empty=empty, wrap="data")
            for line in key_lines(impacts):
                say(line)
