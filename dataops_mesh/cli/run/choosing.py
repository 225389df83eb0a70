"""`mesh run --changed` and `--dry-run`: what would be built, and why."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.cli.output import Format, say, say_problems, show
from dataops_mesh.errors import DeclarationError, Problem, UnknownNameError
from dataops_mesh.run.changed import why_changed
from dataops_mesh.run.due import all_partitions, partitions_and_holds
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.own import FULL, own_reasons
from dataops_mesh.run.partition import chosen, cut_reasons
from dataops_mesh.run.word.held import hold_on_product, hold_reason
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Mesh, Product
from dataops_mesh.store.log import latest
from dataops_mesh.transform.dbt.project import is_dbt


def require_partitions(
    products: Sequence[Product],
    names: Sequence[str],
    partitions: Sequence[str],
    settings: Settings,
    *,
    every: bool,
) -> None:
    """Make sure, before anything runs, that there are the partitions that were asked for.

    Raises:
        UnknownNameError: a product has not one of them, or a product that was named has none.
    """
    none = not any(product.partitioning for product in products)
    for key in partitions:
        for product in products:
            if product.partitioning or none or product.qualified_name in names:
                chosen(product, key, settings.clock())
    for product in products if every else ():
        if not product.partitioning and product.qualified_name in names:
            what = f"{product.qualified_name} is published whole and has no partitions"
            raise UnknownNameError(Problem(what, product.where, "--all-partitions"))


def require_own(products: Sequence[Product], *, full: bool) -> None:
    """Make sure that `--full` leaves something out.

    Raises:
        UnknownNameError: none of the products reads what it published last.
    """
    if full and not any(product.own or is_dbt(product) for product in products):
        names = ", ".join(product.qualified_name for product in products)
        what = f"{names}: nothing of it reads what it published last"
        raise UnknownNameError(Problem(what, key=FULL, next="run it without --full"))


def only_changed(products: Sequence[Product], environment: Environment) -> tuple[Product, ...]:
    """Return the products that differ from what is published, or read one that does."""
    changed = why_changed(products, environment)
    return tuple(product for product in products if product.qualified_name in changed)


def show_what_would_run(
    products: Sequence[Product],
    environment: Environment,
    output: Format,
    named: Sequence[str] = (),
    *,
    every: bool = False,
) -> int:
    """Print what a run would build, in its order, and why; build nothing.

    Args:
        products: inputs first.
        environment: the store and the settings.
        output: for people or for machines.
        named: of partitioned products, the partitions that were asked for; empty means those due.
        every: of partitioned products, every partition that has begun.
    """
    changed = why_changed(products, environment)
    rows = []
    for product in products:
        due = partitions_and_holds(product, environment) if product.partitioning else {}
        hold = None if product.partitioning else hold_on_product(product, environment)
        why = changed.get(product.qualified_name, "nothing changed: built again")
        free = [key for key, held in due.items() if held is None]
        if product.partitioning and (named or every):
            free = list(named) or list(all_partitions(product, environment))
            why = "asked for"
        elif product.partitioning and not due:
            why = "no partition is due"
        elif wrong := _unfit(product, environment):
            why = wrong[0]
        rows.append(
            {
                "product": product.qualified_name,
                "partitions": free,
                "why": why,
                "held": hold_reason(hold) if hold else "",
            }
        )
    shown = [
        name
        for name in ("product", "partitions", "why", "held")
        if name in {"product", "why"} or any(row[name] for row in rows)
    ]
    show(rows, output, columns=shown, empty="nothing would be built", wrap="why")
    return 0


def _unfit(product: Product, environment: Environment) -> tuple[str, ...]:
    """Return why a run would be refused, whatever the data are."""
    release = latest(environment.store)
    if product.partitioning is not None:
        return cut_reasons(product, release)
    return own_reasons(environment.store, product, release, "", full=False)


def without_ghosts(
    mesh: Mesh, products: Sequence[Product], environment: Environment
) -> tuple[Product, ...]:
    """Return the products without those that read what nobody declares any more, and say these.

    Raises:
        DeclarationError: all of them do.
    """
    from dataops_mesh.run.word.gone import ghosts
    from dataops_mesh.store.log import latest

    found = tuple(ghosts(products, mesh, environment, latest(environment.store)))
    if not found:
        return tuple(products)
    error = DeclarationError([problem for _, problem in found])
    reading = {product.qualified_name for product, _ in found}
    rest = tuple(product for product in products if product.qualified_name not in reading)
    if not rest:
        raise error
    say_problems(error)
    say(f"note: {', '.join(sorted(reading))} is not built until that is mended; the rest goes on")
    return rest
