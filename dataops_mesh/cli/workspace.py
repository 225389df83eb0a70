"""The workspace that a command works on: its settings, its mesh, and what was named."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Mesh, Product

RUNNABLE = frozenset({"active", "deprecated"})


def open_workspace() -> tuple[Settings, Mesh]:
    """Return the settings and the declarations around the working folder."""
    settings = load_settings()
    return settings, load_mesh(settings.root, settings.domains)


def named(mesh: Mesh, names: Sequence[str], *, runnable: bool = False) -> list[Product]:
    """Return the products that were named, each once, in the order of the mesh.

    Args:
        mesh: all domains.
        names: `domain` or `domain.product`; empty means all.
        runnable: leave out what is not active, unless the product itself was named.

    Raises:
        UnknownNameError: a name matches nothing, or matches nothing that can run.
    """
    domains = {domain.name for domain in mesh.domains}
    products = {product.qualified_name: product for product in mesh.products}
    known = (*sorted(domains), *sorted(products))
    problems = [
        Problem(
            f'no domain or product "{name}"{did_you_mean(name, known)}',
            choices=known,
            next="mesh status",
        )
        for name in names
        if name not in domains and name not in products
    ]
    problems += [
        Problem(f"{name} is retired and does not run any more", products[name].where, key="status")
        for name in names
        if runnable and name in products and products[name].status == "retired"
    ]
    if problems:
        raise UnknownNameError(problems)
    found = [
        product
        for name, product in products.items()
        if name in names
        or ((not names or product.domain in names) and (not runnable or _active(product)))
    ]
    if not found:
        raise UnknownNameError(
            Problem("no product matches", choices=known, next="add one below domains/")
        )
    return found


def one(mesh: Mesh, name: str) -> Product:
    """Return the one product of that name, or say which there are."""
    found = {product.qualified_name: product for product in mesh.products}
    if name not in found:
        raise UnknownNameError(
            Problem(f'no product "{name}"{did_you_mean(name, found)}', choices=tuple(sorted(found)))
        )
    return found[name]


def _active(product: Product) -> bool:
    return product.status in RUNNABLE
