"""Compares quality rules, foreign keys and service levels of two contracts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from dataops_mesh.errors import Location
from dataops_mesh.plan.change import Change
from dataops_mesh.plan.columns import renames
from dataops_mesh.plan.queries import meaning
from dataops_mesh.plan.table import change, gone
from dataops_mesh.plan.thresholds import Promise, quarantine_words, relate, relate_quarantine
from dataops_mesh.spec.model import (
    Address,
    Contract,
    Relationship,
    Rule,
    RuleKind,
    Severity,
    Sla,
    Threshold,
)
from dataops_mesh.spec.read.sla import DATES, DURATIONS, hours

_BY_PROMISE = {Promise.WEAKER: "rule_looser", Promise.STRONGER: "rule_tighter"}
_WORD = re.compile(r"\w+")
_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
_MORE_IS_BETTER = frozenset({"availability", "throughput", "retention"})


def compare_rules(before: Contract, after: Contract, port: Address) -> Iterator[Change]:
    """Yield the differences between the quality rules."""
    renamed = renames(before, after)
    old, new = _rules(before), _rules(after)
    # A rule that only got another name is the same rule.
    for key in [key for key in old if key not in new]:
        same = [k for k in new if k not in old and _bare(new[k]) == _bare(old[key], renamed)]
        if same:
            yield change("rule_note", f'rule "{key}" renamed to "{same[0]}"', new[same[0]].where)
            old[same[0]] = old.pop(key)
    for name in [*old, *(name for name in new if name not in old)]:
        yield from _compare_rule(name, old.get(name), new.get(name), renamed, port)


def _compare_rule(
    name: str, old: Rule | None, new: Rule | None, renamed: dict[str, str], port: Address
) -> Iterator[Change]:
    if old is None and new is not None:
        kind = "rule_added" if _decides(new) else "rule_note"
        yield change(kind, f'rule "{name}" added{_unexecuted(new)}', new.where, port)
        if aside := relate_quarantine(None, new.quarantine):
            what = f'rule "{name}": {quarantine_words(None, new.quarantine)}'
            yield change(aside, what, new.where, port)
    elif new is None and old is not None:
        kind = "rule_removed" if _decides(old) else "rule_note"
        yield gone(kind, f'rule "{name}" removed', old.where, port, _about(old))
    elif old is not None and new is not None:
        columns, where = _about(old), new.where
        if aside := relate_quarantine(old.quarantine, new.quarantine):
            what = f'rule "{name}": {quarantine_words(old.quarantine, new.quarantine)}'
            yield change(aside, what, where, port, columns)
        if not _decides(old) and not _decides(new):
            if replace(old, where=new.where) != new:
                what = f'rule "{name}" changed{_unexecuted(new)}'
                yield change("rule_note", what, where, port)
            return
        if old.severity is not new.severity:
            lower = _RANKS[new.severity] < _RANKS[old.severity]
            what = f'rule "{name}": severity {old.severity} to {new.severity}'
            yield change(
                "severity_lower" if lower else "severity_higher", what, where, port, columns
            )
        if not _decides(old):
            return  # it decides from now on: whatever it says is more than nothing
        kind = _rule_kind(old, new, renamed)
        if kind:
            what = f'rule "{name}": {old.threshold} to {new.threshold}'
            if kind == "rule_other" or old.threshold == new.threshold:
                what = f'rule "{name}" changed{_unexecuted(new)}'
            yield change(kind, what, where, port, columns)


def _rule_kind(old: Rule, new: Rule, renamed: dict[str, str]) -> str:
    """Return the kind of a change in what a rule measures and compares, or nothing."""
    if _bare(old, renamed) == _bare(new):
        words = [(rule.description, rule.dimension, rule.schedule) for rule in (old, new)]
        wording = words[0] != words[1]
        return "rule_note" if wording else ""
    kinds = {_set_kind(old, new)}
    measured = [
        replace(_bare(rule, names), threshold=None, valid_values=(), missing_values=())
        for rule, names in ((old, renamed), (new, {}))
    ]
    if measured[0] != measured[1] or (old.threshold is None) != (new.threshold is None):
        return "rule_other"
    kinds.add(_threshold_kind(old.threshold, new.threshold))
    kinds.discard("")
    return kinds.pop() if len(kinds) == 1 else "rule_other"


def _set_kind(old: Rule, new: Rule) -> str:
    """Return what other lists of values mean; fewer are valid, more are missing: tighter."""
    found = set()
    for was, now in (
        (set(map(repr, old.valid_values)), set(map(repr, new.valid_values))),
        (set(map(repr, new.missing_values)), set(map(repr, old.missing_values))),
    ):
        if was != now:
            found.add("rule_looser" if now > was else "rule_tighter" if now < was else "rule_other")
    return found.pop() if len(found) == 1 else "rule_other" if found else ""


def _threshold_kind(old: Threshold | None, new: Threshold | None) -> str:
    if old is None or new is None:
        return ""
    promise = relate(old, new)
    return "" if promise is Promise.SAME else _BY_PROMISE.get(promise, "rule_other")


def _rules(contract: Contract) -> dict[str, Rule]:
    own = (rule for column in contract.columns for rule in column.rules)
    return {rule.name: rule for rule in (*contract.rules, *own)}


def _bare(rule: Rule, renamed: dict[str, str] | None = None) -> Rule:
    """Return what a rule decides, without its name and wording."""
    names = renamed or {}
    return replace(
        rule,
        name="",
        where=Location("", 0),
        description="",
        dimension=None,
        quarantine=None,
        column=names.get(rule.column, rule.column) if rule.column else None,
        properties=tuple(names.get(name, name) for name in rule.properties),
        query=meaning(_WORD.sub(lambda w: names.get(w[0], w[0]), rule.query))
        if rule.query
        else None,
        severity=Severity.ERROR,
        schedule="",
    )


def _query(query: str, names: dict[str, str]) -> str:
    return meaning(_WORD.sub(lambda word: names.get(word[0], word[0]), query))


def _decides(rule: Rule) -> bool:
    runs = rule.kind is not RuleKind.TEXT and not rule.foreign
    return rule.severity is Severity.ERROR and runs


def _unexecuted(rule: Rule) -> str:
    return f", not executed: {rule.unexecuted}" if rule.unexecuted else ""


def _about(rule: Rule) -> tuple[str, ...]:
    return (rule.column,) if rule.column else rule.properties


def compare_references(before: Contract, after: Contract, port: Address) -> Iterator[Change]:
    """Yield the differences between the foreign keys."""
    old = {_reference(one): one for one in before.relationships}
    new = {_reference(one): one for one in after.relationships}
    for key, one in old.items():
        what = f"{', '.join(one.columns)} refers to {one.relation}"
        now = new.get(key)
        if now is None:
            yield gone("reference_removed", f"no longer: {what}", one.where, port, one.columns)
            continue
        decides = (one.severity is Severity.ERROR, now.severity is Severity.ERROR)
        if one.severity is not now.severity and any(decides):
            kind = "severity_lower" if decides[0] else "severity_higher"
            said = f"{what}: severity {one.severity} to {now.severity}"
            yield change(kind, said, now.where, port, one.columns)
        kind = _threshold_kind(one.threshold, now.threshold) if decides[0] else ""
        if kind:
            said = f"{what}: {one.threshold} to {now.threshold}"
            yield change(kind, said, now.where, port, one.columns)
    for key, one in new.items():
        if key not in old:
            what = f"{', '.join(one.columns)} refers to {one.relation}"
            yield change("reference_added", what, one.where, port)


def _reference(one: Relationship) -> tuple[object, ...]:
    return (one.columns, str(one.address or one.relation), one.to)


def compare_slas(before: Contract, after: Contract, port: Address) -> Iterator[Change]:
    """Yield the differences between the service levels."""
    old, new = _levels(before), _levels(after)
    for key in [*old, *(key for key in new if key not in old)]:
        was, now = old.get(key), new.get(key)
        kind = _sla_kind(was, now)
        here = now or was
        if kind and here is not None:
            element = f" of {here.element}" if here.element else ""
            what = f"{here.property}{element}: {_value(was)} to {_value(now)}"
            said = gone if now is None else change
            whose = [here.driver] if key[2] else None  # where several drivers say it
            yield said(kind, what, here.where, port, extent=whose)


def _levels(contract: Contract) -> dict[tuple[object, ...], Sla]:
    """Return the service levels by what they are of; by whose, where several say it."""
    count = Counter((sla.property, sla.element) for sla in contract.slas)
    return {
        (
            sla.property,
            sla.element,
            sla.driver if count[sla.property, sla.element] > 1 else None,
        ): sla
        for sla in contract.slas
    }


def _value(sla: Sla | None) -> str:
    return "none" if sla is None else f"{sla.value} {sla.unit or ''}".strip()


def _sla_kind(was: Sla | None, now: Sla | None) -> str:
    name = (now or was).property if now or was else ""  # type: ignore[union-attr]  # asked before
    if name == "generalAvailability":
        return "" if _value(was) == _value(now) else "sla_note"
    if name in DATES:
        return _end_kind(was, now)
    worse, better = "sla_looser", "sla_tighter"
    if name == "retention":
        worse, better = "retention_cut", "retention_longer"
    if was is None or now is None:
        return better if was is None else worse
    old, new = _measure(was), _measure(now)
    if old is None or new is None:
        same = (was.value, was.unit) == (now.value, now.unit)
        return _note(was, now) if same else "sla_other"
    if old == new:
        return _note(was, now)
    return better if (new > old) == (name in _MORE_IS_BETTER) else worse


def _end_kind(was: Sla | None, now: Sla | None) -> str:
    if was is None or now is None:
        return "end_later"
    old, new = _day(was), _day(now)
    if old == new:
        return _note(was, now)
    return "end_sooner" if new < old else "end_later"


def _day(sla: Sla) -> str:
    try:
        return date.fromisoformat(str(sla.value)[:10]).isoformat()
    except ValueError:
        return str(sla.value)


def _measure(sla: Sla) -> float | None:
    if sla.property in DURATIONS:
        return hours(sla)
    value = sla.value
    return None if isinstance(value, str | bool) or value is None else float(value)


def _note(was: Sla, now: Sla) -> str:
    return (
        "" if replace(was, where=now.where, value=now.value, unit=now.unit) == now else "sla_note"
    )
