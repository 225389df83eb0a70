"""`mesh run PRODUCT --reproduce N`: is what was published still what comes of it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.environments import by_place
from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.progress import progress
from dataops_mesh.cli.workspace import one, open_readable
from dataops_mesh.errors import Problem, SettingsError, UnknownNameError

if TYPE_CHECKING:
    from dataops_mesh.run.reproduce.told import PortCompared, Reproduction

COLUMNS = ("port", "partition", "found", "rows", "again", "added", "removed", "changed")


def reproduce(name: str, number: int, output: Format, partitions: Sequence[str]) -> int:
    """Build a publication again and compare; exit 1 if other rows come of it, or it cannot be."""
    from dataops_mesh.run.checks import all_checks
    from dataops_mesh.run.process.again import gate_reproduce
    from dataops_mesh.transform.walls import walls_of

    settings, mesh = open_readable()
    product = one(mesh, name)
    (place,) = by_place(mesh, [product], settings)
    if place is not None:
        what = f"{name} has an environment of its own"
        then = f"in {place.root}, with {place.python}: mesh run {name} --reproduce {number}"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.locations", next=then))
    if partitions and product.partitioning is None:
        raise UnknownNameError(Problem(f"{name} is published whole", product.where))
    checks, found = all_checks(product, walls_of(settings)), list["Reproduction"]()
    with progress([name]):
        for key in partitions or [""]:
            found += gate_reproduce(product, settings, checks, number, partition=key)
    rows = [row for each in found for row in _rows(each)]
    shown = [name for name in COLUMNS if any(row.get(name) not in {None, ""} for row in rows)]
    show(rows, output, columns=shown)
    for each in found:
        for why in each.gone:
            say(f"{_label(each)} cannot be built again: {why}")
        if each.ports:
            say(f"{_label(each)} is {_verdict(each)}, built by {each.code}")
    return 0 if all(each.identical for each in found) else REFUSED


def _label(each: Reproduction) -> str:
    piece = f" ({each.partition})" if each.partition else ""
    return f"publication {each.publication} of {each.product}{piece}"


def _verdict(each: Reproduction) -> str:
    return "identical" if each.identical else "another one"


def _rows(each: Reproduction) -> Iterator[dict[str, Any]]:
    said = {"product": each.product, "publication": each.publication, "code": each.code}
    said |= {"partition": each.partition, "candidate": each.candidate}
    for port in each.ports:
        yield {**said, "port": str(port.address), **_compared(port), "gone": []}
    if not each.ports:
        yield {**said, "port": "", "found": "gone", "gone": list(each.gone)}


def _compared(port: PortCompared) -> dict[str, Any]:
    found: dict[str, Any] = {
        "found": "identical" if port.identical else "different",
        "rows": port.rows,
        "again": port.again,
    }
    if port.identical:
        return found
    differs = {"added": port.added, "removed": port.removed, "changed": port.changed}
    return {**found, **differs, "columns": list(port.schema)}
