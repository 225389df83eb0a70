"""Reads the mask of a column, and refuses one under which the contract would not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataops_mesh.errors import Problem
from dataops_mesh.spec.mask import Mask, MaskKind
from dataops_mesh.spec.model import Column
from dataops_mesh.spec.read.column.values import fits
from dataops_mesh.spec.read.node import Node

SETTING = "masking"
_HASH_LENGTH = 64
_UNITS = ("hour", "day", "week", "month", "quarter", "year", "decade")
_TIMES = {"date": _UNITS[1:], "timestamp": _UNITS}
_NUMBERS = frozenset({"integer", "number"})
_WORDS = {
    MaskKind.CONSTANT: ("value",),
    MaskKind.PARTIAL: ("keepFirst", "keepLast"),
    MaskKind.BUCKET: ("width", "unit"),
    MaskKind.HASH: ("secret",),
}
_SHOWN = {
    MaskKind.CONSTANT: '{method: constant, value: "-"}',
    MaskKind.PARTIAL: "{method: partial, keepLast: 4}",
    MaskKind.BUCKET: "{method: bucket, width: 10}, or {method: bucket, unit: month}",
    MaskKind.HASH: "{method: hash, secret: NAME}, whose key the gate is given as MESH_SECRET_NAME",
}


def read_mask(
    setting: Node | None, column: Column, problems: list[Problem], *, source: bool = False
) -> Mask | None:
    """Return the mask of a column, if it has one.

    Args:
        setting: our custom property `masking`, which its schema has judged.
        column: what the contract says of the column.
        problems: receives what is wrong.
        source: the contract is that of a source.
    """
    if setting is None or not isinstance(setting.value, dict):
        return None
    if source:
        problems.append(setting.problem(f"{SETTING} is a setting of an output port's contract"))
        return None
    said = setting.value
    kind = MaskKind(said["method"])
    if wrong := _words_problem(kind, said):
        problems.append(setting.problem(wrong[0], then=wrong[1]))
        return None
    mask = Mask(
        kind,
        constant=said.get("value"),
        first=int(said.get("keepFirst", 0)),
        last=int(said.get("keepLast", 0)),
        bucket=said.get("width", said.get("unit", "")),
        secret=said.get("secret", ""),
    )
    for what, then in (_type_problem(mask, column), _promise_problem(mask, column)):
        if what:
            problems.append(setting.problem(what, then=then))
    return mask


def _words_problem(kind: MaskKind, said: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with the words beside `method`, and what to do."""
    given = said.keys() - {"method"}
    if "unmaskedRoles" in given:
        what = "`unmaskedRoles` is not supported yet: a role itself says which columns it reads"
        return what, "give the role the setting `unmasked` (docs/roles.md)"
    if str(said.get("secret", "")).endswith("_for"):
        return "the name of a secret does not end in _for", "that says whose the other one is"
    takes = _WORDS[kind]
    if others := given - {*takes}:
        what = f"{kind} does not take {', '.join(sorted(others))}"
        return what, f"it takes {' or '.join(takes)}"
    needed = len(given) if kind is MaskKind.PARTIAL else len(given) == 1
    return None if needed else (f"{kind} needs {' or '.join(takes)}", _SHOWN[kind])


def _type_problem(mask: Mask, column: Column) -> tuple[str, str]:
    """Return why the mask cannot be applied to values of the column's type, and what to do."""
    logical = column.logical_type
    other = logical == "string" and column.physical_type not in {None, "VARCHAR"}
    if other and not mask.makes_nulls:
        return f"a mask of text makes VARCHAR, and this is {column.physical_type}", ""
    match mask.kind:
        case MaskKind.CONSTANT:
            if mask.constant is not None and not fits(mask.constant, logical):
                return f"the column is {logical}, and the constant is not", ""
        case MaskKind.PARTIAL:
            if logical != "string":
                return f"partial is of text, and the column is {logical}", "use bucket, or constant"
        case MaskKind.BUCKET:
            units = _TIMES.get(logical, ())
            if logical not in _NUMBERS and not units:
                what = f"a bucket is of numbers and dates, and the column is {logical}"
                return what, ""
            if units and mask.bucket not in units:
                return (
                    f"a bucket of {logical} is a unit of time",
                    f"unit: one of {', '.join(units)}",
                )
            if not units and isinstance(mask.bucket, str):
                return f"a bucket of {logical} is a number", "width: 10"
            if logical == "integer" and not isinstance(mask.bucket, int):
                return "a bucket of integer is a whole number", "width: 10"
        case MaskKind.HASH:
            longest = column.options.max_length
            if logical != "string":
                return f"hash makes text, and the column is {logical}", "make the column a string"
            if longest is not None and longest < _HASH_LENGTH:
                return f"hash makes {_HASH_LENGTH} characters, and maxLength is {longest}", ""
    return "", ""


def _promise_problem(mask: Mask, column: Column) -> tuple[str, str]:
    """Return what the contract promises of the column that would not hold of its masked form."""
    key = column.key_position is not None
    if (column.unique or key) and not mask.keeps_apart:
        what = "a key" if key else "unique"
        return f"the column is {what}, and {mask.kind} makes values the same", _SHOWN[MaskKind.HASH]
    if column.required and mask.makes_nulls:
        return "the column is required, and the mask makes nulls", "use another constant"
    if column.partition_position is not None:
        return "the column says which partition a row is of", "mask another one, or none"
    return "", ""
