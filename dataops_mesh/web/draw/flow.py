"""The map of a small mesh: a lane for each domain, time from left to right.

Sources stand left of what reads them, readers outside the mesh at the right; a product stands right
of everything that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dataops_mesh.web.catalogue import Catalogue
from dataops_mesh.web.facts.standing import WRONG, Standing

WIDTH, HEIGHT = 168, 44
_COLUMN, _ROW, _HEAD, _PAD, _LEFT = 236, 56, 34, 14, 20
_PAGE, _WIDEST = 1144, 330  # a drawing of few columns is as wide as its page
_SOURCES = 25  # products: of more, sources are not drawn
_LONGEST = 21


@dataclass(frozen=True, slots=True)
class Node:
    """A box: a product, a source, or what reads a product outside the mesh."""

    kind: str
    name: str
    label: str
    level: str
    word: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from what is read to who reads it."""

    title: str
    path: str
    hurt: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """The strip of a domain."""

    domain: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A drawing."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class _Box:
    kind: str
    name: str
    label: str
    lane: str
    column: int
    level: str = "off"
    word: str = ""


def flow_of(catalogue: Catalogue, every: Iterable[Standing]) -> Flow | None:
    """Return the map of some products; None if there is none."""
    standing = {one.product: one for one in every}
    if not standing:
        return None
    columns = _columns(catalogue, standing)
    boxes = [_box(one, columns[name]) for name, one in standing.items()]
    lines = [
        (read, name) for name in standing for read in catalogue.feeds[name] if read in standing
    ]
    if len(standing) <= _SOURCES:
        outside, more = _outside(catalogue, standing, columns)
        boxes += outside
        lines += more
    return _placed(boxes, lines)


def _box(one: Standing, column: int) -> _Box:
    name = one.product.partition(".")[2]
    return _Box("product", one.product, _short(name), one.domain, column, one.level, one.word)


def _columns(catalogue: Catalogue, standing: Mapping[str, Standing]) -> dict[str, int]:
    """Return how far right each product stands: one further than what it reads."""
    found: dict[str, int] = {}

    def column(name: str, above: frozenset[str]) -> int:
        if name not in found:
            product = catalogue.products[name]
            start = 1 if any(port.source for port in product.inputs) else 0
            read = [one for one in catalogue.feeds[name] if one in standing and one not in above]
            deep = (column(one, above | {name}) + 1 for one in read)
            found[name] = max([start, *deep])
        return found[name]

    for name in standing:
        column(name, frozenset())
    return found


def _outside(
    catalogue: Catalogue, standing: Mapping[str, Standing], columns: Mapping[str, int]
) -> tuple[list[_Box], list[tuple[str, str]]]:
    """Return the sources of products and their readers outside the mesh, with their lines."""
    boxes: dict[str, _Box] = {}
    lines = []
    for name, one in standing.items():
        for port in catalogue.products[name].inputs:
            if port.source is not None:
                key = f"source {name} {port.name}"
                label = _short(port.name)
                boxes[key] = _Box("source", key, label, one.domain, columns[name] - 1)
                lines.append((key, name))
        for reader in catalogue.exposures.get(name, ()):
            key = f"{reader.kind} {reader.name}"
            column = max(columns[name] + 1, boxes[key].column if key in boxes else 0)
            lane = boxes[key].lane if key in boxes else one.domain
            boxes[key] = _Box("exposure", key, _short(reader.name), lane, column)
            lines.append((name, key))
    return list(boxes.values()), lines


def _placed(boxes: list[_Box], lines: list[tuple[str, str]]) -> Flow:
    """Give every box a place: its lane, its column, and below what is there already."""
    depth: dict[str, list[int]] = {}
    for box in boxes:
        if box.kind == "product":
            depth.setdefault(box.lane, []).append(box.column)
    order = sorted(depth, key=lambda lane: (sum(depth[lane]) / len(depth[lane]), lane))
    first = min(box.column for box in boxes)
    steps = max(max(box.column for box in boxes) - first, 1)
    step = min(max(_COLUMN, (_PAGE - WIDTH - 2 * _LEFT) // steps), _WIDEST)
    nodes: dict[str, Node] = {}
    lanes, top = [], 0
    for lane in order:
        taken: dict[int, int] = {}
        for box in sorted((b for b in boxes if b.lane == lane), key=lambda b: (b.column, b.name)):
            row = taken.get(box.column, 0)
            taken[box.column] = row + 1
            x = _LEFT + (box.column - first) * step
            y = top + _HEAD + row * _ROW
            nodes[box.name] = Node(box.kind, box.name, box.label, box.level, box.word, x, y)
        height = _HEAD + max(taken.values()) * _ROW + _PAD - (_ROW - HEIGHT)
        lanes.append(Lane(lane, top, height))
        top += height + _PAD
    width = max(node.x for node in nodes.values()) + WIDTH + _LEFT
    edges = tuple(_edge(nodes[a], nodes[b]) for a, b in lines if a in nodes and b in nodes)
    return Flow(width, top - _PAD, tuple(lanes), tuple(nodes.values()), edges)


def _edge(read: Node, reader: Node) -> Edge:
    x0, y0 = read.x + WIDTH, read.y + HEIGHT // 2
    x1, y1 = reader.x, reader.y + HEIGHT // 2
    bend = max((x1 - x0) // 2, 30)
    path = f"M{x0} {y0}C{x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"
    hurt = read.level == WRONG
    return Edge(f"{reader.label} reads {read.label}", path, hurt)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
