"""Evaluates policies on a mesh: the same function in `mesh check`, in CI and at load."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.policy.builtin import ALWAYS
from dataops_mesh.policy.decisions import WORDS
from dataops_mesh.policy.model import (
    Answers,
    Decisions,
    Finding,
    Flows,
    Policy,
    Surroundings,
    Verdict,
    Violation,
    Waiver,
    ask_anew,
    no_decisions,
    no_flow,
)
from dataops_mesh.policy.rules import Policies
from dataops_mesh.spec.model import Mesh, Product

SOON = timedelta(days=30)
RETIRED = "retired"


def evaluate(  # noqa: PLR0913 - what is judged, by what, and what is known of it
    mesh: Mesh,
    policies: Policies,
    waivers: tuple[Waiver, ...],
    today: date,
    only: Collection[str] | None = None,
    *,
    former: Iterable[Product] = (),
    flows: Flows = no_flow,
    decisions: Decisions = no_decisions,
    answers: Answers = ask_anew,
    tested: bool = True,
    examples: frozenset[str] = frozenset(),
    counted_from: date | None = None,
) -> Verdict:
    """Return what the policies say of a mesh.

    Args:
        mesh: the mesh, or the domains that are known here.
        policies: what holds in the workspace.
        waivers: those to look at.
        today: the day on which waivers are read.
        only: the products to judge; all if absent.
        former: what is declared no more: whose word its end is, is asked all the same.
        flows: tells what a product's columns are made of.
        decisions: tells who committed approvals and waivers, where git can be asked.
        answers: remembers what expressions said.
        tested: the workspace has tests.
        examples: the products that have examples beside them.
        counted_from: the day from which a waiver's longest term counts, where it is not today: a
            replay of the past reads waivers that were made after it.
    """
    since = counted_from or today
    around = Surroundings.of(mesh, flows, decisions)
    around = replace(around, tested=tested, examples=examples, answers=answers)
    names = {product.qualified_name for product in mesh.products}
    asked = names if only is None else only
    judged = [p for p in mesh.products if p.qualified_name in asked]
    ending = tuple(rule for rule in policies.rules if rule.id in WORDS)
    valid = in_force(waivers, policies, today, since)
    counted: list[Violation] = []
    waived: list[tuple[Violation, Waiver]] = []
    for product in (*judged, *former):
        rules = ending if product.status == RETIRED else policies.rules
        for violation in _violations(product, rules, around):
            covers = (waiver for waiver in valid if waiver.covers(violation))
            cover = None if violation.finding.broken else next(covers, None)
            if cover is None:
                counted.append(violation)
            else:
                waived.append((violation, cover))
    used = {id(waiver) for _, waiver in waived}
    days = today, since
    wrong = {id(waiver): tuple(_problems(waiver, policies, names, days)) for waiver in waivers}
    return Verdict(
        violations=tuple(counted),
        waived=tuple(waived),
        expiring=tuple(w for w in valid if id(w) in used and w.until - today <= SOON),
        problems=tuple(problem for problems in wrong.values() for problem in problems),
        unused=tuple(w for w in valid if id(w) not in used and not wrong[id(w)]),
    )


def in_force(
    waivers: Iterable[Waiver], policies: Policies, today: date, since: date
) -> list[Waiver]:
    """Return the waivers that hold: not ended, not for too long, of a policy that may be waived.

    Args:
        waivers: those to look at.
        policies: what holds in the workspace.
        today: the day on which they are read.
        since: the day from which their longest term counts.
    """
    return [
        waiver
        for waiver in waivers
        if waiver.until >= today
        and (waiver.until - since).days <= policies.longest
        and waiver.rule not in policies.unwaivable | WORDS
    ]


def _violations(
    product: Product, rules: tuple[Policy, ...], around: Surroundings
) -> Iterator[Violation]:
    name = product.qualified_name
    for rule in rules:
        try:
            findings = tuple(rule.check(product, rule.options, around))
        except Exception as error:  # noqa: BLE001 - a rule of another package may raise anything
            what = f"the policy raised {type(error).__name__}: {error}"
            fix = "mend the package that brings it"
            findings = (Finding(what, product.where, fix=fix, broken=True),)
        for finding in findings:
            severity = finding.weighed(rule.severity)
            yield Violation(rule.id, severity, name, finding, rule.rationale)


def _problems(
    waiver: Waiver, policies: Policies, names: set[str], days: tuple[date, date]
) -> Iterator[Problem]:
    today, since = days
    if waiver.rule in ALWAYS:
        what = f"{waiver.rule} cannot be waived: {ALWAYS[waiver.rule]}"
        yield Problem(what, waiver.where, "rule")
    elif waiver.rule in WORDS:
        what = f"{waiver.rule} cannot be waived: it says whose word a waiver is"
        yield Problem(what, waiver.where, "rule", next=f"have {waiver.who} commit what it finds")
    elif waiver.rule not in policies.known:
        what = f'there is no policy "{waiver.rule}"{did_you_mean(waiver.rule, policies.known)}'
        yield Problem(what, waiver.where, "rule", policies.known)
    elif waiver.rule in policies.unwaivable:
        what = f"{waiver.rule} cannot be waived here: the policies file says so"
        yield Problem(what, waiver.where, "rule", next=f"mend {waiver.product}")
    if waiver.product not in names:
        what = f'there is no product "{waiver.product}"{did_you_mean(waiver.product, names)}'
        yield Problem(what, waiver.where, "product", tuple(sorted(names)))
    if (waiver.until - since).days > policies.longest:
        what = (
            f"the waiver of {waiver.rule} for {waiver.product} would hold until {waiver.until}; "
            f"the longest is {policies.longest} days"
        )
        last = since + timedelta(days=policies.longest)
        yield Problem(what, waiver.where, "until", next=f"until {last}, and decide again then")
    if waiver.until < today:
        what = f"the waiver of {waiver.rule} for {waiver.product} expired on {waiver.until}"
        then = f"mend the product, or have {waiver.who} decide again"
        yield Problem(what, waiver.where, "until", next=then)
