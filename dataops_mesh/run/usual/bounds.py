"""From where to where a number is usual: by what it was before, on such a day of the week.

Medians and median deviations, so that yesterday's accident is not what is usual tomorrow. The
numbers below were chosen on the flights out of New York in 2013; docs/unusual.md has the figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, expm1, inf, log, log1p
from statistics import median

LEAST, MOST = 28, 91  # builds: of fewer nothing is said, and older ones do not count
_RECENT = 28  # builds: what the level is told by
_SAME_DAY = 4  # builds on the same day of the week, before that day is a kind of its own
_SIGMA = 1.4826  # of a normal distribution, the standard deviation by the median deviation
_BEYOND = 1.3  # times what was seen before: so much is unusual again

Point = tuple[date, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of number is looked at.

    Args:
        name: `rows`, `nulls`, `distinct`, `mean` or `seconds`.
        sigmas: how many robust standard deviations are usual.
        least: how large a difference is at least, to be worth a word; as a share of the level
            where `relative`.
        skewed: what was seen is not unusual again, however far from the rest.
        there: to the scale on which differences are told, and back.
    """

    name: str
    sigmas: float
    least: float
    relative: bool = False
    skewed: bool = False
    there: Callable[[float], float] = float
    back: Callable[[float], float] = float


ROWS = Kind("rows", 10, 0.57, there=log1p, back=expm1)  # 0.57: 43 % less, or 77 % more
NULLS = Kind("nulls", 10, 0.185)  # of all rows
DISTINCT = Kind("distinct", 5, 0.41, skewed=True, there=log1p, back=expm1)  # one or two: no word
PER_ROW = Kind("per row", 5, 0.41, skewed=True, there=log, back=exp)  # how many different ones
MEAN = Kind("mean", 6, 0.3, relative=True, skewed=True)
# A third, or three times as long; of what takes seconds, ten of them are worth no word.
SECONDS = Kind("seconds", 10, 1.1, there=lambda s: log(10 + s), back=lambda one: exp(one) - 10)


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where to where a number is usual."""

    low: float
    middle: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether a number is usual."""
        return self.low <= value <= self.high


def bounds(before: Sequence[Point], day: date, kind: Kind) -> Bounds:
    """Return from where to where a number is usual on a day.

    Args:
        before: what it was, oldest first.
        day: the day in question.
        kind: of number.
    """
    last = [(at.weekday(), kind.there(value)) for at, value in before[-MOST:]]
    if len(last) < LEAST:
        return Bounds(-inf, 0.0, inf)
    effects = _effects(last)
    rest = [value - effects.get(weekday, 0.0) for weekday, value in last]
    level = median(rest[-_RECENT:])
    away = sorted(value - level for value in rest)
    sigma = _SIGMA * median(abs(one - median(away)) for one in away)
    least = kind.least * abs(level) if kind.relative else kind.least
    if kind.name == "nulls" and not any(value for _, value in last):
        least = 0.01  # one that never was null
    middle, usual = level + effects.get(day.weekday(), 0.0), max(kind.sigmas * sigma, least)
    above = max(usual, _BEYOND * away[-1]) if kind.skewed else usual
    below = max(usual, -_BEYOND * away[0]) if kind.skewed else usual
    return Bounds(kind.back(middle - below), kind.back(middle), kind.back(middle + above))


def _effects(last: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Return by how much each day of the week differs from the others."""
    by_day: dict[int, list[float]] = defaultdict(list)
    for weekday, value in last:
        by_day[weekday].append(value)
    level = median(value for _, value in last)
    return {
        weekday: median(values) - level
        for weekday, values in by_day.items()
        if len(values) >= _SAME_DAY
    }
