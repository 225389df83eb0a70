"""`mesh report pii`: where what is about people comes in, lives and goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataops_mesh.cli.output import Format, say, show
from dataops_mesh.cli.workspace import open_workspace
from dataops_mesh.policy.model import Flow, Flows
from dataops_mesh.spec.classes import OPEN, is_pii, says_personal
from dataops_mesh.spec.model import Address, Column, Mesh, Product
from dataops_mesh.spec.roles import opened_by

Row = dict[str, Any]
COLUMNS = ("column", "says", "consumers_see", "made_of", "read_by")


def report_pii(output: Format) -> int:
    """Print every column that is about people, and the products that nobody can follow."""
    from dataops_mesh.run.guards.flow import flows_in

    settings, mesh = open_workspace()
    flows = flows_in(mesh, settings, whole=True)
    rows = [*_sources(mesh), *_columns(mesh, flows)]
    unknown = [row for row in rows if row["made_of"] == UNKNOWN]
    empty = "no contract says of a column that it is about people"
    show(rows, output, columns=COLUMNS, empty=empty)
    if unknown and output is Format.TABLE:
        names = ", ".join(sorted({row["product"] for row in unknown}))
        say(f"\nnobody can tell what {names} makes its columns of: they may be about people too;")
        say("say it with `transformSourceObjects` at every column (docs/policies.md)")
    return 0


UNKNOWN = "unknown"


def _sources(mesh: Mesh) -> Iterator[Row]:
    """Yield the columns of sources that are about people: where it comes in."""
    for product in mesh.products:
        for port in product.inputs:
            for column in port.contract.columns if port.contract else ():
                if _is_personal(column):
                    name = f"{port.name}.{column.name} of {product.qualified_name}"
                    yield _row(name, product, column, "the source", [product.qualified_name])


def _columns(mesh: Mesh, flows: Flows) -> Iterator[Row]:
    readers: dict[Address, list[str]] = {}
    for product in mesh.products:
        for read in product.inputs:
            if read.address is not None:
                how = f" by {read.role}" if read.role else ""
                readers.setdefault(read.address, []).append(product.qualified_name + how)
    held = _held(mesh, flows)
    for product in mesh.products:
        flow = flows(product)
        seen = {(address, c.name) for address, p in flow.read.items() for c in p.contract.columns}
        closed = frozenset(seen & (held | _opened(product, flow)))
        for port in product.outputs:
            for column in port.contract.columns:
                origins = _origins(flow, port.name, column, closed)
                if origins or _is_personal(column):
                    name = f"{port.address}.{column.name}"
                    yield _row(name, product, column, origins, readers.get(port.address, []))


def _held(mesh: Mesh, flows: Flows) -> set[tuple[Address, str]]:
    """Return the columns that hold values of people, however often they were handed on."""
    found = [flows(product) for product in mesh.products]
    ports = {port.address: port for flow in found for port in flow.read.values()}
    ports |= {port.address: port for product in mesh.products for port in product.outputs}
    ended = {
        (address, column.name)
        for address, port in ports.items()
        for column in port.contract.columns
        if column.impersonal or _is_unreadable(column)
    }
    held = {
        (address, column.name)
        for address, port in ports.items()
        for column in port.contract.columns
        if _is_personal(column)
    } - ended
    more = held
    while more:
        more = {
            (port.address, column)
            for product, flow in zip(mesh.products, found, strict=True)
            for port in product.outputs
            for (name, column), origins in flow.clear.items()
            if name == port.name
            and (held | _opened(product, flow)) & {(one.address, one.column) for one in origins}
        }
        more -= held | ended
        held |= more
    return held


def _opened(product: Product, flow: Flow) -> set[tuple[Address, str]]:
    """Return the columns that a product reads as they are, by a role."""
    return {
        (address, name)
        for read in product.inputs
        if read.role and (address := read.address) and address in flow.read
        for name in opened_by(flow.read[address].contract, read.role)
    }


def _is_unreadable(column: Column) -> bool:
    """Tell whether a mask has ended what the column says: it is not classified any more."""
    masked = column.mask is not None and column.mask.breaks
    return masked and (column.classification or "").lower() in OPEN


def _origins(flow: Flow, port: str, column: Column, closed: frozenset[tuple[Address, str]]) -> str:
    """Return what is still in a column of what is closed; `unknown` where nobody can tell."""
    if not closed:
        return ""
    if (port, column.name) not in flow.clear:
        return UNKNOWN
    found = (one for one in flow.clear[port, column.name] if (one.address, one.column) in closed)
    return ", ".join(f"{one.address}.{one.column}" for one in found)


def _row(name: str, product: Product, column: Column, origins: str, readers: list[str]) -> Row:
    said = [column.classification or "", *filter(is_pii, column.tags)]
    return {
        "column": name,
        "product": product.qualified_name,
        "says": ", ".join(filter(None, said)) or "nothing",
        "consumers_see": f"{column.mask.kind}" if column.mask else "its values",
        "made_of": origins,
        "read_by": ", ".join(sorted(set(readers))),
    }


def _is_personal(column: Column) -> bool:
    return says_personal(column) and not column.impersonal
