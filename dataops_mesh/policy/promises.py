"""Policies for what a product promises about time and change, and how it is built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.policy.place import at_contract, at_product
from dataops_mesh.spec.model import Product, TransformKind

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
_TIMELY = frozenset({"freshness", "frequency"})


def _freshness(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    yield from _missing_sla(product, _TIMELY, "how fresh it is", "property: freshness")


def _retention(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    retention = frozenset({"retention"})
    yield from _missing_sla(product, retention, "how long it is kept", "property: retention")


def _missing_sla(
    product: Product, wanted: frozenset[str], about: str, example: str
) -> Iterator[Finding]:
    for port in product.outputs:
        if not any(sla.property in wanted for sla in port.contract.slas):
            where = at_contract(port.contract, "slaProperties")
            fix = f"add `{{{example}, value: 1, unit: d}}` to slaProperties"
            yield Finding(f"{port.address} does not promise {about}", where, "slaProperties", fix)


def _version(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    fix = "write MAJOR.MINOR.PATCH, for example 1.0.0"
    if not _SEMVER.fullmatch(product.version) or _is_absent(product):
        where = at_product(product, "version")
        given = f'"{product.version}"' if not _is_absent(product) else "no version"
        yield Finding(f"the product has {given}, not a semantic version", where, "version", fix)
    for port in product.outputs:
        if not _SEMVER.fullmatch(port.contract.version):
            where = at_contract(port.contract, "version")
            what = f'the contract of {port.address} has "{port.contract.version}"'
            yield Finding(f"{what}, not a semantic version", where, "version", fix)


def _is_absent(product: Product) -> bool:
    return product.document is not None and "version" not in product.document.data


def _engines(product: Product, options: Options, _around: Surroundings) -> Iterator[Finding]:
    allowed = tuple(options["engines"])
    kind = product.transform.kind.value
    if kind not in allowed:
        what = f"the transform is {kind}, which is not one of the allowed engines"
        where = at_product(product, "customProperties")
        yield Finding(what, where, "customProperties", f"build it with {' or '.join(allowed)}")


def _network(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    if product.network:
        what = "the transform may open connections to other machines and to this one"
        where = at_product(product, "customProperties")
        fix = "deliver what it fetches as a source, and remove `network`"
        yield Finding(what, where, "customProperties", fix)


PROMISES = (
    Policy("freshness", "consumers must know when data is late", _freshness),
    Policy("retention", "data without an end is kept for ever or deleted by surprise", _retention),
    Policy("semantic_version", "the version tells consumers what a change does to them", _version),
    Policy(
        "allowed_engines",
        "the platform can only operate what it knows",
        _engines,
        options={"engines": tuple(kind.value for kind in TransformKind)},
    ),
    Policy("closed_network", "what can reach a network can carry data away", _network),
)
