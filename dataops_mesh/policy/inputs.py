"""Policies for what a product reads; unknown, retired and circular inputs are never allowed."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.policy.place import at_product
from dataops_mesh.spec.model import Product

_DAILY = frozenset({"active", "deprecated"})


def _active(product: Product, _options: Options, around: Surroundings) -> Iterator[Finding]:
    if product.status not in _DAILY:
        return  # a draft may read drafts
    for index, wanted in enumerate(product.inputs):
        found = around.ports.get(wanted.address) if wanted.address else None
        if found is None:
            continue
        states = {found[0].status, found[1].contract.status}
        unready = sorted(states - _DAILY - {"retired"})
        if unready:
            what = f"{wanted.address} is {unready[0]}, and {product.qualified_name} is not"
            where = at_product(product, "inputPorts", index)
            fix = f"wait until {found[0].qualified_name} is active ({found[0].where})"
            yield Finding(what, where, f"inputPorts[{index}]", fix)


def _versioned(product: Product, _options: Options, around: Surroundings) -> Iterator[Finding]:
    for index, wanted in enumerate(product.inputs):
        if wanted.address is None or wanted.version:
            continue
        found = around.ports.get(wanted.address)
        given = found[1].version if found else "1.0.0"
        what = f"does not say for which version of {wanted.address} it was written"
        where = at_product(product, "inputPorts", index)
        yield Finding(what, where, f"inputPorts[{index}].version", f"add `version: {given}`")


INPUTS = (
    Policy("active_inputs", "what is published must not rest on a draft", _active),
    Policy(
        "input_versions", "a breaking change can only be told to who says what he needs", _versioned
    ),
)
