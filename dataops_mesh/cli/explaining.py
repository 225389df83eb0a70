"""What a policy says, and all that it found; the notes of `mesh check`, a few of each policy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from dataops_mesh.cli.output import Format, say, show
from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.policy.builtin import ALWAYS
from dataops_mesh.policy.load import load_policies
from dataops_mesh.policy.model import Policy
from dataops_mesh.policy.notes import Note
from dataops_mesh.policy.rules import Policies
from dataops_mesh.settings import load_settings

FEW = 3
_POLICY = re.compile(r" \(policy (\w+): ")


def say_notes(notes: Sequence[Note]) -> None:
    """Print the first notes of each policy, and how many more there are."""
    said = Counter[str]()
    more = Counter[tuple[str, str]]()
    for level, problem in notes:
        rule = rule_of(problem)
        said[rule] += bool(rule)
        if said[rule] <= FEW:
            say(f"{level}: {problem}")
        else:
            more[level, rule] += 1
    for (level, rule), count in more.items():
        say(f"{level}: {count} more of policy {rule}: mesh check --explain {rule}")


def rule_of(problem: Problem) -> str:
    """Return the policy that a problem is of; empty if it is of none."""
    found = _POLICY.search(problem.what)
    return found[1] if found else ""


def explain_rule(rule: str, names: Sequence[str], output: Format) -> int:
    """Print what one policy asks and why, what it means here, and all that it found.

    Raises:
        UnknownNameError: there is no such policy.
    """
    settings = load_settings()
    policies = load_policies(settings.policies_file, settings.root)
    facts = _facts(rule, policies)
    found = [problem for _, problem in _found(names) if rule_of(problem) == rule]
    if output is Format.JSON:
        places = [str(problem.where) for problem in found]
        show([{**facts, "found": places}], output, columns=())
        return 0
    for name, value in facts.items():
        say(f"{name}: {value}" if name != "policy" else f"{value}")
    say(f"\nfound: {len(found)}" if found else "\nfound: nothing")
    for problem in found:
        say(str(problem))
    return 0


def _found(names: Sequence[str]) -> Iterable[Note]:
    from dataops_mesh.cli.examine import examine_all
    from dataops_mesh.cli.workspace import load_workspace, readable

    settings = load_settings()
    mesh = load_workspace(settings)
    products, _ = readable(mesh, names)
    problems, notes = examine_all(mesh, products, settings)
    return [*(("error", problem) for problem in problems), *notes]


def _facts(rule: str, policies: Policies) -> dict[str, Any]:
    """Return what there is to say of a policy: why, how severe, its options, who may go without."""
    if rule in ALWAYS:
        return {"policy": rule, "asks that": ALWAYS[rule], "severity": "error, always"}
    off = {policy.id: (policy, why) for policy, why in policies.off}
    on = {policy.id: policy for policy in policies.rules}
    known = sorted({*on, *off, *ALWAYS})
    if rule not in known:
        what = f'there is no policy "{rule}"{did_you_mean(rule, known)}'
        raise UnknownNameError(
            Problem(what, choices=tuple(known), next="mesh check --explain RULE")
        )
    policy = on[rule] if rule in on else off[rule][0]
    severity = policy.severity.value if rule in on else f"off: {off[rule][1] or 'no reason given'}"
    facts = {"policy": rule, "because": policy.rationale, "severity": severity}
    if policy.options:
        facts["options"] = ", ".join(f"{name}: {_text(policy, name)}" for name in policy.options)
    waiver = "no waiver covers it" if rule in policies.unwaivable else "waivers.yaml of the product"
    return {**facts, "set in": "policies.yaml, rules", "to go without for a time": waiver}


def _text(policy: Policy, name: str) -> str:
    value = policy.options[name]
    if isinstance(value, re.Pattern):
        return str(value.pattern)
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
