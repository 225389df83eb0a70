"""`mesh run`: the command that changes what is published."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.copying import follow
from dataops_mesh.cli.environments import Ask, Place, by_place, environments, place_of
from dataops_mesh.cli.examine import require_sound, sound_products
from dataops_mesh.cli.near import open_near
from dataops_mesh.cli.output import REFUSED, WRONG, Format, say, say_problems, show
from dataops_mesh.cli.progress import progress
from dataops_mesh.cli.run.choosing import (
    only_changed,
    require_own,
    require_partitions,
    show_what_would_run,
    without_ghosts,
)
from dataops_mesh.cli.run.ending import living
from dataops_mesh.cli.warned import warned, warning_lines
from dataops_mesh.cli.wire import read_ended
from dataops_mesh.cli.workspace import (
    named,
    one,
    open_readable,
    require_readable,
    say_unreadable,
)
from dataops_mesh.errors import HeldError, Problem, SettingsError
from dataops_mesh.settings import Settings
from dataops_mesh.spec.mesh import order
from dataops_mesh.spec.model import Domain, Mesh, Product

if TYPE_CHECKING:
    from dataops_mesh.factory.runner import Ended
    from dataops_mesh.run.environment import Environment

COLUMNS = (
    *("product", "partition", "ended", "publication", "rows", "set_aside"),
    *("checks", "warnings", "seconds"),
)


def run_products(  # noqa: PLR0913 - what the command takes
    names: Sequence[str],
    output: Format,
    partitions: Sequence[str] = (),
    *,
    every: bool = False,
    full: bool = False,
    changed: bool = False,
    dry: bool = False,
) -> int:
    """Run the named products, show a table, return 1 if any was not published.

    Of several domains, those with a mistake in their declarations are left out, and said.

    Args:
        names: products and domains; all that are active if empty.
        output: for people or for machines.
        partitions: of partitioned products, only these; those that are due if empty.
        every: of partitioned products, every partition that has begun.
        full: without what the products themselves published last.
        changed: only what differs from what is published, and what reads it.
        dry: only show what would be built.
    """
    settings, mesh, _ = open_near(names)
    if names:
        require_readable(mesh, names)
    left_out = say_unreadable(mesh, names)
    products = order(tuple(named(mesh, names, runnable=True)))
    require_partitions(products, names, partitions, settings, every=every)
    require_own(products, full=full)
    if not dry:
        from dataops_mesh.run.process.client import start_gate

        start_gate(settings)  # it imports while we check and import ourselves
    with environments(settings) as ask:
        sound = sound_products(mesh, products, settings, ask)
        left_out = left_out or len(sound) < len(products)
        products = sound
        from dataops_mesh.run.environment import open_environment

        environment = open_environment(settings)
        products = living(products, names, environment)
        without = without_ghosts(mesh, products, environment)
        left_out, products = left_out or len(without) < len(products), without
        if changed:
            products = only_changed(products, environment)
        if dry:
            return show_what_would_run(products, environment, output, partitions, every=every)
        from dataops_mesh.factory.instance import bury_dead_runs, open_instance
        from dataops_mesh.factory.runner import Ending, run_batch, run_in_order

        pieces = partial(pieces_of, environment=environment, named=tuple(partitions), every=every)
        rows = []
        refused = False
        with open_instance(settings) as instance, progress(map(label_of, products)) as told:

            def run(domain: Domain, batch: Sequence[Product]) -> Iterator[Ended]:
                place = place_of(domain, settings)
                if place is None:
                    return run_batch(domain, batch, instance, pieces, full=full)
                asked = {"partitions": list(partitions), "every": every, "full": full}
                return run_there(ask, place, batch, asked)

            bury_dead_runs(instance)
            first, rest = held_first(products, environment)
            # What is held is refused, and keeps nobody from what is published of it.
            for ended in chain(*(run_in_order(mesh, ps, run) for ps in (*first, rest))):
                told.ended(ended)
                refused = refused or ended.ending is not Ending.PUBLISHED
                rows.append(row_of(ended, environment))
                if ended.ending is Ending.REFUSED and (look := _look(ended.product, rows[-1])):
                    told.line(f"    to look at it: {look}")
    say("")
    shown = [c for c in COLUMNS if c not in {"partition", "set_aside"} or _any(rows, c)]
    empty = "nothing changed, and nothing was built" if changed else "nothing was built"
    show(rows, output, columns=shown, empty=empty)
    if output is Format.TABLE and (lines := warning_lines(rows)):
        say("\n".join(["\nwarnings, which refuse nothing:", *lines]))
    follow(_published(products, rows), settings)
    if refused:
        say("\nWhat was not published is unchanged: consumers read what they read before.")
    if refused:
        return REFUSED
    return WRONG if left_out else 0


def _published(products: Sequence[Product], rows: Sequence[dict[str, Any]]) -> list[Product]:
    """Return the products of which something was published."""
    names = {row["product"] for row in rows if row["ended"] == "published"}
    return [product for product in products if product.qualified_name in names]


def rebuild(name: str, output: Format, *, full: bool = False) -> int:
    """Build every partition of a product again and publish all of them in one commit."""
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.reconcile import reconcile
    from dataops_mesh.run.checks import all_checks
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.process.client import gate_rebuild
    from dataops_mesh.run.rebuild import require_cut
    from dataops_mesh.transform.walls import walls_of

    settings, mesh = open_readable()
    product = one(mesh, name)
    require_cut(product, full=full)
    _require_here(mesh, product, settings)
    require_sound(mesh, [product], settings)
    environment = open_environment(settings)
    without_ghosts(mesh, [product], environment)
    with progress([name]):
        checks = all_checks(product, walls_of(settings))
        run_id = f"rebuild-{uuid.uuid4().hex[:12]}"
        try:
            reports = gate_rebuild(product, settings, checks, run_id=run_id, full=full)
        except HeldError as error:
            say_problems(error)
            return REFUSED
    with open_instance(settings) as instance:
        reconcile(instance, environment.store, product)
    if any(report.published for report in reports):
        follow([product], settings)
    rows = [
        {
            "product": name,
            "partition": report.partition,
            "ended": "published" if report.published else "refused",
            "publication": report.publication,
            "rows": report.rows,
            "reasons": list(getattr(report.decision, "reasons", ())),
        }
        for report in reports
    ]
    columns = ("product", "partition", "ended", "publication", "rows", "reasons")
    show(rows, output, columns=columns, empty="nothing was built: no partition has begun and come")
    return 0 if all(report.published for report in reports) else REFUSED


def run_there(
    ask: Ask, place: Place, products: Sequence[Product], asked: Mapping[str, Any]
) -> Iterator[Ended]:
    """Run products of one domain in their own environment."""
    names = [product.qualified_name for product in products]
    request = {"ask": "run", "products": names, **asked}
    for line in ask(place, request):
        yield read_ended(line["ended"], products)


def _require_here(mesh: Mesh, product: Product, settings: Settings) -> None:
    (place,) = by_place(mesh, [product], settings)
    if place is not None:
        what = f"{product.qualified_name} has an environment of its own"
        then = f"in {place.root}, with {place.python}: mesh run {product.qualified_name} --rebuild"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.locations", next=then))


def row_of(ended: Ended, environment: Environment) -> dict[str, Any]:
    """Return the facts of a product's run: the record's, where there is one."""
    from dataops_mesh.run.record import last_run

    facts = last_run(environment, ended.product.qualified_name, ended.dagster_run)
    return {
        "product": ended.product.qualified_name,
        "partition": ended.partition,
        "ended": ended.ending.value,
        "dagster_run": ended.dagster_run,
        "why": ended.why,
        **facts,
        "warned": warned(environment, facts["candidate"]) if facts.get("warnings") else [],
    }


def _look(product: Product, row: Mapping[str, Any]) -> str:
    """Return the command that shows a refused candidate."""
    from dataops_mesh.run.look import look_command

    if "candidate" not in row:
        return ""
    return look_command(product.outputs[0].address, row["candidate"], row["rows"])


def pieces_of(
    product: Product, environment: Environment, named: tuple[str, ...], *, every: bool
) -> tuple[str, ...]:
    """Return the partitions of a product that this run builds."""
    from dataops_mesh.run.due import all_partitions, partitions_and_holds
    from dataops_mesh.run.process.looking import have_looked

    if named:
        return named
    if every:
        return all_partitions(product, environment)
    for trouble in have_looked(product, environment):
        say(f"{product.qualified_name}: {trouble}")
    due = partitions_and_holds(product, environment)
    free = tuple(key for key, hold in due.items() if hold is None)
    for key, hold in due.items():
        if free and hold is not None:
            say(f"not built: partition {key} of {product.qualified_name} is {hold}")
    return free or tuple(due)  # where all is held, the refusal says so


def held_first(
    products: Sequence[Product], environment: Environment
) -> tuple[list[list[Product]], list[Product]]:
    """Return the products that are held, each alone, and the others in their order."""
    from dataops_mesh.run.word.held import hold_on_product

    held = [
        product
        for product in products
        if product.partitioning is None and hold_on_product(product, environment) is not None
    ]
    return [[product] for product in held], [one for one in products if one not in held]


def label_of(product: Product) -> str:
    """Return the longest name that the progress of the product shows."""
    return product.qualified_name + (" 0000-00-00" if product.partitioning else "")


def _any(rows: Sequence[dict[str, Any]], column: str) -> bool:
    return any(row.get(column) for row in rows)
