"""Policies for the way of classified values: a class is not lowered on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dataops_mesh.policy.model import Finding, Flow, Options, Origin, Policy, Surroundings
from dataops_mesh.spec.classes import CLASSES
from dataops_mesh.spec.mask import MaskKind
from dataops_mesh.spec.model import Column, OutputPort, Product, Severity

_ANOTHER = "make another value of it: sha256(...), an aggregate over groups, a bucket"


def _lowered(product: Product, options: Options, around: Surroundings) -> Iterator[Finding]:
    order = _words(options)
    flow = around.flows(product)
    for port, index, column in _columns(product):
        key = port.name, column.name
        known = (*flow.clear.get(key, ()), *flow.partly.get(key, ()))
        origins = () if _is_broken(port, column, flow) else known  # what stays, no mask changes
        higher = _higher(column, (*origins, *flow.stays.get(key, ())), order)
        if higher:
            what = f'"{column.name}" of {port.address} is {_said(column)}, and {_listed(higher)}'
            top = max(higher, key=lambda one: _rank(one.classification, order)).classification
            mends = " and ".join(dict.fromkeys(one.fix for one in higher if one.fix)) or _ANOTHER
            fix = f"classify it {top}, or {mends}; else ask for a waiver of classification_lineage"
            yield Finding(what, column.where, _key(index), fix)


def _unknown(product: Product, options: Options, around: Surroundings) -> Iterator[Finding]:
    order = _words(options)
    flow = around.flows(product)
    for port in product.outputs:
        found = [
            (column, higher)
            for _, _, column in _columns(product, port)
            if (port.name, column.name) not in flow.clear
            and not _is_broken(port, column, flow)
            # What is known of it is told by the other policy, and comes first.
            and not _higher(column, flow.partly.get((port.name, column.name), ()), order)
            and (higher := _higher(column, flow.inputs, order))
        ]
        if found:
            names = ", ".join(column.name for column, _ in found)
            sources = _listed(tuple(dict.fromkeys(o for _, higher in found for o in higher)))
            what = f"nobody can tell what {names} of {port.address} is made of, and {sources}"
            mends = dict.fromkeys(o.fix for _, higher in found for o in higher if o.fix)
            fix = (
                "say it with `transformSourceObjects` at every column, classify as high as the "
                f"inputs, {''.join(f'{one}, ' for one in mends)}"
                "or ask for a waiver of classification_known"
            )
            yield Finding(what, port.contract.where, "schema[0].properties", fix)


def _columns(
    product: Product, only: OutputPort | None = None
) -> Iterator[tuple[OutputPort, int, Column]]:
    for port in product.outputs if only is None else (only,):
        for index, column in enumerate(port.contract.columns):
            yield port, index, column


def _is_broken(port: OutputPort, column: Column, flow: Flow) -> bool:
    """Tell whether a mask leaves nothing of a value that could be told.

    A bucket of what was computed keeps what went in: of `pin * 10` a bucket of tens is the pin.
    """
    if column.mask is None or not column.mask.breaks:
        return False
    return column.mask.kind is not MaskKind.BUCKET or (port.name, column.name) in flow.as_is


def _words(options: Options) -> tuple[str, ...]:
    return tuple(word.lower() for word in options["order"])


def _higher(column: Column, origins: Sequence[Origin], order: tuple[str, ...]) -> list[Origin]:
    """Return the origins that are more secret than the column; those without a class are none."""
    own = _rank(column.classification or "", order)
    return [o for o in origins if o.classification and _rank(o.classification, order) > own]


def _rank(classification: str, order: tuple[str, ...]) -> int:
    """Return how secret a class is; a word that nobody ordered is above all, none is below.

    >>> [_rank(word, CLASSES) for word in ("", "public", "Restricted", "pii")]
    [-1, 0, 3, 4]
    """
    if not classification:
        return -1
    word = classification.lower()
    return order.index(word) if word in order else len(order)


def _said(column: Column) -> str:
    return column.classification or "not classified"


def _listed(origins: Sequence[Origin]) -> str:
    most = 5
    shown = [f"{o.address}.{o.column} {_is(o)}" for o in origins[:most]]
    more = len(origins) - most
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _is(origin: Origin) -> str:
    return origin.said or f"is {origin.classification}"


def _key(index: int) -> str:
    return f"schema[0].properties[{index}].classification"


FLOW = (
    Policy(
        "classification_lineage",
        "a value stays as secret as where it comes from",
        _lowered,
        severity=Severity.ERROR,
        options={"order": CLASSES},
        keeps_severity=True,
    ),
    Policy(
        "classification_known",
        "what nobody can follow may be anything that was read",
        _unknown,
        options={"order": CLASSES},
        keeps_severity=True,
    ),
)
