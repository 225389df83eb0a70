"""Policies for columns: described, classified, protected, named alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.policy.place import at_contract
from dataops_mesh.spec.mask import MaskKind
from dataops_mesh.spec.model import Column, OutputPort, Product

_FIXES = {
    "mask": "mask it (docs/masks.md)",
    **{kind.value: f"mask it: `masking: {{method: {kind}, ...}}`" for kind in MaskKind},
    "elsewhere": "say its `encryptedName`",
    "role": "add `roles: [{role: ..., access: read}]` to the contract",
}


def _columns(product: Product) -> Iterator[tuple[OutputPort, int, Column]]:
    for port in product.outputs:
        for index, column in enumerate(port.contract.columns):
            yield port, index, column


def _key(index: int, name: str) -> str:
    return f"schema[0].properties[{index}].{name}"


def _described(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    for port, index, column in _columns(product):
        if not column.description.strip():
            what = f'the column "{column.name}" of {port.address} has no description'
            yield Finding(what, column.where, _key(index, "description"), "add `description`")


def _classified(product: Product, options: Options, _around: Surroundings) -> Iterator[Finding]:
    known = tuple(options["classifications"])
    for port, index, column in _columns(product):
        given, key = column.classification, _key(index, "classification")
        if not given:
            what = f'the column "{column.name}" of {port.address} is not classified'
            fix = f"add `classification`: {', '.join(known)}" if known else "add `classification`"
            yield Finding(what, column.where, key, fix)
        elif known and given not in known:
            keys = ("schema", 0, "properties", index, "classification")
            what = f'"{given}" is not one of the classifications'
            yield Finding(what, at_contract(port.contract, *keys), key, f"use {', '.join(known)}")


def _protected(product: Product, options: Options, _around: Surroundings) -> Iterator[Finding]:
    sensitive = {word.lower() for word in options["sensitive"]}
    enough = tuple(options["by"])
    for port, index, column in _columns(product):
        words = {(column.classification or "").lower(), *(tag.lower() for tag in column.tags)}
        found = sorted(words & sensitive)
        if found and not _protections(port, column) & {*enough}:
            what = (
                f'the column "{column.name}" of {port.address} is {found[0]}, and is protected by '
                f"none of: {', '.join(enough)}"
            )
            fix = " or ".join(_FIXES[one] for one in enough if one in _FIXES)
            fix = f"{fix}, or leave the column out" if fix else "leave the column out"
            yield Finding(what, column.where, _key(index, "classification"), fix)


def _protections(port: OutputPort, column: Column) -> frozenset[str]:
    """Return what the contract says that protects a column, in the words of the option `by`."""
    return frozenset(
        word
        for word, here in (
            ("mask", column.mask is not None),
            (column.mask.kind.value if column.mask else "", True),
            ("elsewhere", bool(column.masking) and column.mask is None),
            ("role", any(role.role and role.access for role in port.contract.roles)),
        )
        if here
    )


def _named(product: Product, options: Options, _around: Surroundings) -> Iterator[Finding]:
    pattern: re.Pattern[str] = options["columns"]
    for port, index, column in _columns(product):
        if not pattern.fullmatch(column.name):
            what = f'the name "{column.name}" in {port.address} does not match {pattern.pattern}'
            yield Finding(what, column.where, _key(index, "name"), "rename the column")


COLUMNS = (
    Policy("columns_described", "a name alone is guessed at", _described),
    Policy(
        "columns_classified",
        "what is not classified cannot be protected, and counts as classified",
        _classified,
        options={"classifications": ()},
    ),
    Policy(
        "sensitive_protected",
        "sensitive values are masked, or read only by those with a role",
        _protected,
        options={"sensitive": ("pii", "restricted"), "by": ("mask", "elsewhere", "role")},
    ),
    Policy(
        "naming",
        "consumers guess names, so names follow one rule",
        _named,
        options={"columns": re.compile("[a-z][a-z0-9_]*")},
    ),
)
