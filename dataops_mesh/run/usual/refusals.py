"""Whether more of a product's builds are refused than usual.

A day counts by the share of its builds that were refused, so that ten tries of one morning are no
more than one. A week is compared with the thirteen before it by a beta-binomial distribution: with
what chance so many of its days are refused, where a day is refused as often as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import exp, lgamma

from dataops_mesh.ledger.days import Day
from dataops_mesh.run.usual.bounds import LEAST, MOST, Bounds
from dataops_mesh.run.usual.remark import Remark

WEEK = 7
DAYS = MOST + WEEK
KIND = "refusals"
_CHANCE = 0.002  # that a week is like the others, and is told
_HALF = 0.5  # of a refusal, and of a publication: what is known before anything is built


def refusals(days: Sequence[Day]) -> Iterator[Remark]:
    """Yield what is unusual about how many builds were refused in the last week, if anything is.

    Args:
        days: how many builds were published and refused on each of the last days, oldest first.
    """
    before, now = _shares(days[-DAYS:-WEEK]), _shares(days[-WEEK:])
    if len(before) < LEAST or not now:
        return
    usual = usual_share(sum(before), len(before), len(now))
    share = sum(now) / len(now)
    if not usual.holds(share):
        weeks = [days[end - WEEK : end] for end in range(len(days), 0, -WEEK) if end >= WEEK]
        points = tuple(
            (date.fromisoformat(week[-1].day), sum(told) / len(told))
            for week in reversed(weeks)
            if (told := _shares(week))
        )
        said = f"{100 * share:.3g} % of a day's builds were refused in the last {WEEK} days"
        said += f"; 0 to {100 * usual.high:.3g} % would be usual"
        yield Remark("", KIND, "", "", said, points, usual)


def usual_share(refused: float, of: int, days: int) -> Bounds:
    """Return which shares of a number of days are usual.

    Args:
        refused: how many of the days before were, as a sum of shares.
        of: how many days these were.
        days: in question.

    >>> f"{usual_share(2, 91, 7).high:.2f}"
    '0.36'
    """
    likely = refused + _HALF, of - refused + _HALF
    tail, most = 1.0, days + 1
    for count in range(days + 1):
        if tail <= _CHANCE:
            most = count
            break
        tail -= _chance(count, days, *likely)
    # Half of a day more than what is usual is not yet one.
    return Bounds(0.0, refused / of, (most - _HALF) / days)


def _chance(count: int, of: int, refused: float, published: float) -> float:
    """Return the chance that so many of some days are refused."""
    ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    these = _log_beta(count + refused, of - count + published)
    return exp(ways + these - _log_beta(refused, published))


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)


def _shares(days: Sequence[Day]) -> list[float]:
    """Return of each day with builds which share of them was refused."""
    built = ((day.refused, day.refused + day.published) for day in days)
    return [refused / all_of_it for refused, all_of_it in built if all_of_it]
