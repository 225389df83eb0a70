"""What a verdict tells without refusing: warnings, and the state of the waivers."""

from __future__ import annotations

from dataops_mesh.errors import Problem
from dataops_mesh.policy.model import Verdict, Waiver
from dataops_mesh.spec.model import Severity

Note = tuple[str, Problem]


def notes_of(verdict: Verdict) -> tuple[Note, ...]:
    """Return what to tell, each with its level: `warning` or `info`."""
    levels = (Severity.WARNING, Severity.INFO)
    notes = [(level.value, v.problem()) for level in levels for v in verdict.of(level)]
    notes += [("warning", _problem(w, f"ends on {w.until}")) for w in verdict.expiring]
    notes += [("info", _problem(w, "covers nothing any more: remove it")) for w in verdict.unused]
    for waiver in dict.fromkeys(waiver for _, waiver in verdict.waived):
        if waiver not in verdict.expiring:
            why = f"holds until {waiver.until}: {waiver.why} ({waiver.who})"
            notes.append(("info", _problem(waiver, why)))
    return tuple(notes)


def _problem(waiver: Waiver, state: str) -> Problem:
    return Problem(f"the waiver of {waiver.rule} for {waiver.product} {state}", waiver.where)
