"""The policies that hold in a workspace, each with its severity and options."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.policy.builtin import ALWAYS
from dataops_mesh.policy.model import Options, Policy
from dataops_mesh.spec.model import Severity
from dataops_mesh.spec.read.node import Node

LONGEST_WAIVER = 90
_OWN = frozenset({"severity", "reason"})
_CHOICES = (*Severity, "off")
_OFF = ("off", False)  # YAML 1.1 reads a bare off as false


@dataclass(frozen=True, slots=True)
class Policies:
    """What holds in a workspace.

    Args:
        rules: the policies that are on; their severity and options are those of the workspace.
        off: the policies that are off, with the reason.
        longest: the most days from today on for which a waiver holds.
        unwaivable: the policies that no waiver covers.
    """

    rules: tuple[Policy, ...]
    off: tuple[tuple[Policy, str], ...] = ()
    longest: int = LONGEST_WAIVER
    unwaivable: frozenset[str] = frozenset()

    @property
    def known(self) -> tuple[str, ...]:
        """Return the ids of all policies, also of those that are off."""
        return tuple(sorted(policy.id for policy in (*self.rules, *(p for p, _ in self.off))))


def configure(
    policies: tuple[Policy, ...], rules: Node | None, default: Severity, problems: list[Problem]
) -> Policies:
    """Return the policies as the file's `rules` set them; `problems` receives what is wrong."""
    known = {policy.id: policy for policy in policies}
    if rules is not None:
        problems += [
            _unknown(rules.child(name) or rules, name, tuple(known))
            for name in rules.value
            if name not in known
        ]
    kept: list[Policy] = []
    off: list[tuple[Policy, str]] = []
    for policy in policies:
        entry = rules.child(policy.id) if rules else None
        if entry is None and policy.off:
            off.append((policy, "it holds only where the policies file names it"))
            continue
        usual = policy.severity if policy.keeps_severity else default
        severity, options = _setting(entry, policy, usual, problems)
        if severity is not None:
            kept.append(replace(policy, severity=severity, options=options))
        else:
            reason = entry.text("reason") if entry else None
            off.append((policy, reason or ""))
    return Policies(tuple(kept), tuple(off))


def _unknown(entry: Node, name: str, known: tuple[str, ...]) -> Problem:
    if name in ALWAYS:
        return entry.problem(f"{name} always holds, as an error: {ALWAYS[name]}", then="remove it")
    return entry.problem(f'there is no policy "{name}"{did_you_mean(name, known)}', sorted(known))


def _setting(
    entry: Node | None, policy: Policy, default: Severity, problems: list[Problem]
) -> tuple[Severity | None, Options]:
    if entry is None:
        return default, policy.options
    if not isinstance(entry.value, dict):
        if entry.value in _OFF:
            what = f"{policy.id} may only be off with a reason"
            then = f"write {policy.id}: {{severity: off, reason: ...}}"
            problems.append(entry.problem(what, then=then))
            return None, policy.options
        return _severity(entry, default, problems), policy.options
    options = dict(policy.options)
    for name in entry.value:
        child = entry.child(name) or entry
        if name in options:
            options[name] = _option(child, options[name], problems)
        elif name not in _OWN:
            known = sorted({*options, *_OWN})
            what = f"{policy.id} has no option {name}{did_you_mean(name, known)}"
            problems.append(child.problem(what, known))
    given = entry.value.get("severity")
    if given in _OFF and given is not None:
        if not entry.text("reason"):
            problems.append(entry.problem(f"{policy.id} is off: say why", then="add `reason`"))
        return None, options
    return _severity(entry.child("severity"), default, problems), options


def _severity(node: Node | None, default: Severity, problems: list[Problem]) -> Severity:
    if node is None:
        return default
    if isinstance(node.value, str) and node.value in tuple(Severity):
        return Severity(node.value)
    what = f'"{node.value}" is not a severity{did_you_mean(str(node.value), _CHOICES)}'
    problems.append(node.problem(what, _CHOICES))
    return default


def _option(node: Node, default: Any, problems: list[Problem]) -> Any:
    """Return an option's value: a list of texts or, where the default is one, a pattern."""
    value = node.value
    if isinstance(default, re.Pattern):
        try:
            return re.compile(value)
        except (re.error, TypeError, RecursionError) as error:
            problems.append(node.problem(f"is not a regular expression: {error}"))
            return default
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    problems.append(node.problem("must be a list of texts"))
    return default
