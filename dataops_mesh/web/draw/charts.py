"""Sparklines and bars: results and days -> points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataops_mesh.ledger.days import Day
from dataops_mesh.web.facts.checks import Result

_STEP, _HIGH, _MARGIN = 6, 22, 4


@dataclass(frozen=True, slots=True)
class Spark:
    """The last results of a check.

    Args:
        line: the numbers as points of a line; empty where there are none to show.
        marks: for each result where it stands and how it ended.
        words: the same for whoever does not see it.
    """

    width: int
    height: int
    line: str
    marks: tuple[tuple[float, float, str], ...]
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: where it stands, and how high each part is."""

    x: float
    published: float
    refused: float
    words: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a small chart."""

    x: int
    y: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A small chart: a column for each period."""

    width: int
    height: int
    columns: tuple[Column, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The days of a month, as high as the most runs of one day."""

    width: int
    height: int
    most: int
    bars: tuple[Bar, ...]
    words: str


def spark(before: Sequence[Result], limit: float | None = None) -> Spark | None:
    """Return a sparkline of results, oldest first; None if there is none.

    Args:
        before: the results.
        limit: a number that the scale must reach.
    """
    if not before:
        return None
    numbers = [one.observed for one in before if one.observed is not None]
    top = max([*numbers, limit or 0], default=0)
    low = min([*numbers, 0], default=0)
    whole = len(numbers) == len(before) and top > low
    places = []
    for index, one in enumerate(before):
        share = (one.observed - low) / (top - low) if whole and one.observed is not None else 0.5
        y = _HIGH - _MARGIN - share * (_HIGH - 2 * _MARGIN)
        places.append((_MARGIN + index * _STEP, round(y, 1), one.outcome))
    line = " ".join(f"{x},{y}" for x, y, _ in places) if whole and len(places) > 1 else ""
    failed = sum(one.outcome != "passed" for one in before)
    words = f"{len(before)} results, {failed} not passed"
    if numbers:
        words += f"; between {min(numbers):,.4g} and {max(numbers):,.4g}, last {numbers[-1]:,.4g}"
    return Spark(len(before) * _STEP + _MARGIN, _HIGH, line, tuple(places), words)


def bars(days: Sequence[Day], width: int = 600, height: int = 96) -> Bars:
    """Return how the runs of each day ended, as bars."""
    most = max((one.published + one.refused + one.failed for one in days), default=0)
    step = width / max(len(days), 1)
    found = []
    for index, one in enumerate(days):
        wrong = one.refused + one.failed
        scale = height / most if most else 0.0
        good, bad = round(one.published * scale, 1), round(wrong * scale, 1)
        words = f"{one.day}: {one.published} published, {one.refused} refused, {one.failed} failed"
        found.append(Bar(round(index * step, 1), good, bad, words))
    published, refused, failed = (
        sum(getattr(one, name) for one in days) for name in ("published", "refused", "failed")
    )
    first, last = (days[0].day, days[-1].day) if days else ("", "")
    words = f"{first} to {last}: {published} published, {refused} refused, {failed} failed"
    return Bars(width, height, most, tuple(found), words)


def columns(
    numbers: Sequence[tuple[str, float | None]],
    said: Callable[[float], str] = "{:,.3g}".format,
    height: int = 56,
) -> Columns:
    """Return a small chart of numbers over time, as high as the highest of them.

    Args:
        numbers: when, and how much; None where there is nothing to measure.
        said: a number as people say it.
        height: of the drawing.
    """
    most = max((number for _, number in numbers if number is not None), default=0.0)
    found = []
    for index, (when, number) in enumerate(numbers):
        if number is not None:
            high = round(max(number / most * height, 1.0), 1) if most else 1.0
            found.append(Column(index * 20, height - high, high, f"{when}: {said(number)}"))
    known = [number for _, number in numbers if number is not None]
    words = f"at most {said(most)}, last {said(known[-1])}" if known else "nothing to measure"
    return Columns(len(numbers) * 20, height, tuple(found), words)
