"""`mesh sandbox promote`: publish what was built in a sandbox, and tell Dagster."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.cli.copying import follow
from dataops_mesh.cli.output import Format, say, show
from dataops_mesh.cli.workspace import named, open_readable, require_readable
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.sandbox.promotion import promote, target_of
from dataops_mesh.spec.model import Product
from dataops_mesh.store.line.known import find

_COLUMNS = ("port", "partition", "publication", "candidate")


def promote_from(name: str, names: Sequence[str], reason: str, output: Format) -> None:
    """Promote what was built in a sandbox to the line that it was opened from."""
    settings, mesh = open_readable()
    environment = open_environment(settings)
    store = find(environment.store, name)
    require_readable(mesh, names)
    chosen = {one.qualified_name for one in named(mesh, names)} if names else set[str]()
    products = {product.qualified_name: product for product in mesh.products}
    promoted = promote(store, environment, products, chosen, reason)
    target = target_of(store, environment)
    _tell_dagster(target, [products[one] for one in promoted.products])
    rows = [
        {
            "port": str(address),
            "partition": key,
            "publication": promoted.release.number,
            "candidate": ref,
        }
        for (address, key), ref in sorted(promoted.plan.refs.items())
    ]
    shown = [c for c in _COLUMNS if c != "partition" or any(row["partition"] for row in rows)]
    show(rows, output, columns=shown)
    where = target.store.sandbox or "production"
    say(f"{name} was promoted to {where}, by {promoted.release.person}; nothing was built again")
    follow([products[one] for one in promoted.products], target.settings)


def _tell_dagster(target: Environment, products: Sequence[Product]) -> None:
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.reconcile import reconcile

    with open_instance(target.settings) as instance:
        for product in products:
            reconcile(instance, target.store, product)
