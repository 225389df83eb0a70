"""Policies for a person's word in a file: it is theirs, and not of who made the change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.spec.model import Product

_ABOUT = timedelta(days=31)  # between what a file says and its commit


def _committed(product: Product, _options: Options, around: Surroundings) -> Iterator[Finding]:
    for one in around.decisions(product):
        said = f'the {one.kind} in the name of "{one.who}"'
        if one.author is None:
            what = f"{said} is not committed: nobody stands for it"
            fix = f"have {one.who} commit it; a shallow clone has to be fetched whole"
            yield Finding(what, one.where, fix=fix)
        elif not one.author.is_called(one.who):
            what = f"{said} was committed by {one.author}"
            yield Finding(what, one.where, fix=f"have {one.who} commit it")
        elif one.day is not None and abs(one.author.day - one.day) > _ABOUT:
            what = f"{said} says {one.day} and was committed on {one.author.day}"
            yield Finding(what, one.where, fix="write the day of the decision")


def _four_eyes(product: Product, _options: Options, around: Surroundings) -> Iterator[Finding]:
    for one in around.decisions(product):
        same = {author.email.casefold() for author in one.changed}
        if one.author is not None and one.author.email.casefold() in same:
            what = f"the {one.kind} is by {one.author}, who changed the product too"
            yield Finding(what, one.where, fix="have somebody else decide")


DECISIONS = (
    Policy(
        "decided_by_committer",
        "a name in a file is only a word, until its owner commits it",
        _committed,
    ),
    Policy(
        "four_eyes",
        "nobody approves a change of their own",
        _four_eyes,
        off=True,
    ),
)
WORDS = frozenset(policy.id for policy in DECISIONS)  # whose word a waiver is, no waiver says
