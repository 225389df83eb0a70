"""Compares the columns of two contracts of one port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from dataops_mesh.errors import Location
from dataops_mesh.plan.change import Change
from dataops_mesh.plan.classes import protection
from dataops_mesh.plan.table import change, gone
from dataops_mesh.plan.thresholds import quarantine_words, relate_quarantine
from dataops_mesh.spec.classes import is_pii
from dataops_mesh.spec.model import Address, Column, ColumnOptions, Contract, Scalar

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
_LADDERS = (
    _INTEGERS,
    _UNSIGNED,
    ("FLOAT", "DOUBLE"),
    ("DATE", "TIMESTAMP"),
    ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS"),
    ("TIME", "TIME_NS"),
)
# Judged by name below; a field of a later version is judged by what it was set to.
_JUDGED = frozenset({
    "name", "where", "id", "description", "critical", "tags", "rules", "enum", "options",
    "logical_type", "physical_type", "required", "unique", "key_position", "partition_position",
    "classification", "masking", "mask", "impersonal", "transform_sources", "shape", "quarantine",
    "inside",
})  # fmt: skip


def compare_columns(before: Contract, after: Contract, port: Address) -> Iterator[Change]:
    """Yield the differences between the columns; rules are compared elsewhere."""
    pairs = matched(before, after)
    kept = {new.name for _, new in pairs}
    names = {old.name: new.name for old, new in pairs}
    for old in before.columns:
        if old.name not in names:
            what = f'column "{old.name}" removed'
            yield gone("column_removed", what, old.where, port, (old.name,))
    for new in after.columns:
        if new.name not in kept:
            yield change("column_added", f'column "{new.name}" added', new.where, port)
            if aside := relate_quarantine(None, new.quarantine):
                what = f"{new.name}: {quarantine_words(None, new.quarantine)}"
                yield change(aside, what, new.where, port)
    for old, new in pairs:
        if old.name != new.name:
            what = f'column "{old.name}" renamed to "{new.name}"'
            yield change("column_renamed", what, new.where, port, (old.name,))
        for kind, what, where in compare_column(old, new):
            yield change(kind, f"{new.name}: {what}", where, port, (old.name,))
    yield from _compare_keys(before, after, names, port)
    if [names[c.name] for c in before.columns if c.name in names] != [
        c.name for c in after.columns if c.name in kept
    ]:
        yield change("columns_reordered", "columns in another order", after.where, port)


def matched(before: Contract, after: Contract) -> list[tuple[Column, Column]]:
    """Return the columns that are in both, by name, and what is left by their ids."""
    new = {column.name: column for column in after.columns}
    pairs = [(old, new[old.name]) for old in before.columns if old.name in new]
    taken = {old.name for old, _ in pairs}
    ids = {c.id: c for c in after.columns if c.id and c.name not in taken}
    for old in before.columns:
        if old.name not in taken and old.id and (found := ids.pop(old.id, None)) is not None:
            pairs += [(old, found)]
    return pairs


def renames(before: Contract, after: Contract) -> dict[str, str]:
    """Return the new name of each column, as far as one can tell.

    A column that differs from a new one in nothing but its name is taken for it where only
    wording depends on it (the text of a rule); it is still judged as removed.
    """
    names = {old.name: new.name for old, new in matched(before, after)}
    fresh = [new for new in after.columns if new.name not in names.values()]
    for old in before.columns:
        alike = [new for new in fresh if _alike(old, new)]
        if old.name not in names and len(alike) == 1:
            names[old.name] = alike[0].name
            fresh.remove(alike[0])
    return names


def _alike(old: Column, new: Column) -> bool:
    return replace(old, name=new.name, where=new.where, rules=()) == replace(new, rules=())


def compare_column(old: Column, new: Column) -> Iterator[tuple[str, str, Location]]:
    """Yield kind, sentence and place of each difference between two columns."""
    for kind, what in (
        *_types(old, new),
        *_flags(old, new),
        *protection(old, new),
        *_enums(old.enum, new.enum),
        *_options(old.options, new.options),
        *_aside(old, new),
        *_inside(old, new),
        *_rest(old, new, _JUDGED),
    ):
        yield kind, what, new.where
    words = ("description", "critical", "id", "partition_position", "transform_sources",
             "impersonal")  # fmt: skip
    tags = {t for t in old.tags if not is_pii(t)} != {t for t in new.tags if not is_pii(t)}
    if tags or any(getattr(old, word) != getattr(new, word) for word in words):
        yield "documentation", "described otherwise", new.where


def _types(old: Column, new: Column) -> Iterator[tuple[str, str]]:
    if old.shape != new.shape and old.logical_type == new.logical_type:
        yield "type_changed", f"type {old.shape} to {new.shape}"
    if old.logical_type != new.logical_type:
        special = (old.logical_type, new.logical_type) == ("number", "integer")
        what = f"logical type {old.logical_type} to {new.logical_type}"
        yield ("type_special" if special else "type_changed"), what
    before, after = old.physical_type, new.physical_type
    if before == after:
        return
    if before is None:
        yield "type_declared", f"physical type {after} declared"
    elif after is None:
        yield "type_undeclared", f"physical type {before} no longer declared"
    else:
        yield physical_kind(before, after), f"physical type {before} to {after}"


def physical_kind(before: str, after: str) -> str:
    """Return how one physical type relates to another.

    >>> physical_kind("INTEGER", "BIGINT"), physical_kind("DECIMAL(18,4)", "DECIMAL(18,2)")
    ('type_wider', 'type_narrower')
    """
    old, new = _DECIMAL.fullmatch(before), _DECIMAL.fullmatch(after)
    if old and new:
        whole = [int(m[1]) - int(m[2]) for m in (old, new)]
        digits = [int(m[2]) for m in (old, new)]
        wider = whole[1] >= whole[0] and digits[1] >= digits[0]
        return "type_wider" if wider else "type_narrower"
    if "DECIMAL" in (before, after) and (old or new):
        return "type_narrower" if new else "type_wider"
    for ladder in _LADDERS:
        if before in ladder and after in ladder:
            wider = ladder.index(after) > ladder.index(before)
            return "type_wider" if wider else "type_narrower"
    numbers = (*_INTEGERS, *_UNSIGNED)
    if before in {"FLOAT", "DOUBLE"} and (after in numbers or new or after == "DECIMAL"):
        return "type_narrower"
    return "type_other"


def _flags(old: Column, new: Column) -> Iterator[tuple[str, str]]:
    was, now = _never_null(old), _never_null(new)
    if was and not now:
        yield "optional", "may be null"
    if now and not was:
        yield "required", "is never null"
    if old.unique and not new.unique:
        yield "not_unique", "may repeat values"
    if new.unique and not old.unique:
        yield "unique", "does not repeat values"


def _never_null(column: Column) -> bool:
    return column.required or column.key_position is not None


def _enums(old: Sequence[Scalar], new: Sequence[Scalar]) -> Iterator[tuple[str, str]]:
    was, now = {_typed(v) for v in old}, {_typed(v) for v in new}
    if was == now:
        return
    if not old:
        yield "enum_narrower", "values are listed"
    elif not new:
        yield "enum_wider", "values are no longer listed"
    else:
        if now - was:
            yield "enum_wider", f"values added: {_listed(now - was)}"
        if was - now:
            yield "enum_narrower", f"values removed: {_listed(was - now)}"


def _typed(value: Scalar) -> tuple[str, str]:
    return (type(value).__name__, str(value))


def _listed(values: set[tuple[str, str]]) -> str:
    return ", ".join(text for _, text in sorted(values))


def _options(old: ColumnOptions, new: ColumnOptions) -> Iterator[tuple[str, str]]:
    for option in fields(ColumnOptions):
        was, now = getattr(old, option.name), getattr(new, option.name)
        if was == now:
            continue
        what = f"{option.name} {_said(was)} to {_said(now)}"
        if option.name == "timezone":
            yield "zone_changed", what
        else:
            yield _option_kind(option.name, was, now), what


def _aside(old: Column, new: Column) -> Iterator[tuple[str, str]]:
    if kind := relate_quarantine(old.quarantine, new.quarantine):
        yield kind, quarantine_words(old.quarantine, new.quarantine)


def _inside(old: Column, new: Column) -> Iterator[tuple[str, str]]:
    """Yield what is demanded otherwise of the parts of a nested column."""
    was, now = set(old.inside), set(new.inside)
    if was - now:
        yield "option_wider", f"no longer: {', '.join(sorted(one.told for one in was - now))}"
    if now - was:
        yield "option_narrower", f"from now on: {', '.join(sorted(one.told for one in now - was))}"


def _option_kind(name: str, was: Any, now: Any) -> str:
    if was is None or now is None:
        return "option_narrower" if was is None else "option_wider"
    low = name in {"minimum", "exclusive_minimum", "min_length", "min_items", "unique_items"}
    high = name in {"maximum", "exclusive_maximum", "max_length", "max_items", "digits"}
    try:
        tighter = (low and now > was) or (high and now < was)
    except (TypeError, ArithmeticError):  # of two kinds, or no number: nobody can say
        tighter = True
    return "option_narrower" if tighter else "option_wider"


def _rest(old: Column, new: Column, judged: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield fields that nobody has put into the table yet: never ignored in silence."""
    for one in fields(Column):
        if one.name not in judged and getattr(old, one.name) != getattr(new, one.name):
            yield "setting_other", f"{one.name} changed"


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def _compare_keys(
    before: Contract, after: Contract, names: dict[str, str], port: Address
) -> Iterator[Change]:
    was = tuple(names.get(name, name) for name in before.key)
    now = after.key
    if was == now:
        return
    what = f"key ({', '.join(before.key) or 'none'}) to ({', '.join(now) or 'none'})"
    columns = tuple(c.name for c in before.columns)
    if not was:
        yield change("key_added", what, after.where, port)
    elif set(was) == set(now):
        yield change("key_reordered", what, after.where, port)
    else:
        exact = [list(before.key), list(now)]
        unclear = any("," in name for names in exact for name in names)
        yield change(
            "key_changed", what, after.where, port, columns, extent=exact if unclear else None
        )
