"""`mesh export`, and what follows of each command that changes what consumers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.output import REFUSED, Format, say, say_problems, show
from dataops_mesh.cli.workspace import named, open_readable
from dataops_mesh.errors import MeshError
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product

if TYPE_CHECKING:
    from dataops_mesh.run.exporting import Exported

_COLUMNS = ("product", "target", "outcome", "release", "rows", "seconds")
_EMPTY = "nothing is exported: no contract has a server with the setting `export` (docs/exports.md)"


def export_products(names: Sequence[str], output: Format) -> int:
    """Bring the copies of products to what the log says; return 1 if one could not be."""
    settings, mesh = open_readable()
    rows = [
        one
        for product in _copied(named(mesh, names), settings)
        for one in _export(product, settings)
    ]
    show([_row(one) for one in rows], output, columns=_COLUMNS, empty=_EMPTY)
    failed = [one for one in rows if one.outcome == "failed"]
    for one in failed:
        say(f"error: {one.product} to {one.target}: {one.why}")
    return REFUSED if failed else 0


def follow(products: Sequence[Product], settings: Settings) -> None:
    """Bring copies to what was published, or taken back, a moment ago; say what came of it.

    A failure changes nothing of that: it is said, on record, and tried again.
    """
    if settings.sandbox:
        return
    try:
        for product in _copied(products, settings):
            for one in _export(product, settings):
                _tell(one)
    except MeshError as error:
        say_problems(error)


def _tell(one: Exported) -> None:
    if one.outcome == "failed":
        say(f"{one.product} was not exported to {one.target}, which is as it was: {one.why}")
    elif one.outcome != "unchanged":
        count = f"{one.rows:,} rows, " if one.rows else ""
        say(f"{one.product} {one.outcome}: {one.target} ({count}{one.seconds:.1f} s)")


def _copied(products: Sequence[Product], settings: Settings) -> list[Product]:
    """Return the products that have copies, or have had some."""
    from dataops_mesh.export.wanted import targets
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.exporting import known_exports

    names = [product.qualified_name for product in products]
    known = {name for name, _ in known_exports(names, open_environment(settings))}
    return [one for one in products if one.qualified_name in known or targets(one)]


def _export(product: Product, settings: Settings) -> tuple[Exported, ...]:
    from dataops_mesh.run.process.copying import gate_export

    return gate_export(product, settings)


def _row(one: Exported) -> dict[str, Any]:
    return {**asdict(one), "seconds": round(one.seconds, 2)}
