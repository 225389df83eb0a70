"""Whether a product comes later than usual: by when it came on such days before.

Each day counts by its first publication: of a product in daily partitions that of the day's own,
else that of the run. A day is awaited where three of the last four such days of the week had one,
and such days were left out three times at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from dataops_mesh.run.usual.bounds import MOST, Bounds, Kind, bounds
from dataops_mesh.run.usual.remark import Remark

FRESHNESS = Kind("freshness", 10, 2.0)  # hours after the day began
_OVER = timedelta(days=28)  # what has not come for so long has ended, and is not late
_WEEK, _WEEKS, _OFTEN = 7, 4, 3
_GAPS = 3  # of these 91 days: what is left out more often comes when it likes


def lateness(first: Mapping[date, datetime], now: datetime) -> Iterator[Remark]:
    """Yield that a day is not published yet, or that the last one was published late.

    Args:
        first: when each day was published first.
        now: the real time.
    """
    points = [(day, _hours(day, first[day])) for day in sorted(first)]
    day = _awaited(first, now.date())
    if day is not None:
        usual, hours = bounds(points, day, FRESHNESS), _hours(day, now)
        if hours > usual.high:
            if now - _due(day, usual) < _OVER:
                said = f"nothing of {day:%A}, {day}, is published"
                said += f"; by {_due(day, usual):%Y-%m-%d %H:%M} UTC would be usual"
                yield Remark("", FRESHNESS.name, "", "", said, (*points, (day, hours)), usual)
            return
    *before, (day, hours) = points or [(now.date(), 0.0)]
    usual = bounds(before, day, FRESHNESS)
    if hours > usual.high:
        said = f"the first publication of {day:%A}, {day}, came at {first[day]:%Y-%m-%d %H:%M} UTC"
        said += f"; by {_due(day, usual):%Y-%m-%d %H:%M} would be usual"
        yield Remark("", FRESHNESS.name, "", "", said, tuple(points), usual)


def _awaited(first: Mapping[date, datetime], today: date) -> date | None:
    """Return the first day after the last one that was published on which one is awaited."""
    if not first:
        return None
    last = max(first)
    week = {
        day.weekday()
        for day in _before(last, _WEEK)
        if sum(day - timedelta(_WEEK * n) in first for n in range(_WEEKS)) >= _OFTEN
    }
    days = [day for day in _before(last, MOST) if day.weekday() in week and day >= min(first)]
    # Several days on end are one gap: of each, the newest day counts.
    gaps = sum(newer in first and older not in first for newer, older in pairwise(days))
    if gaps > _GAPS:
        return None
    coming = (last + timedelta(n) for n in range(1, _WEEK + 1))
    return next((day for day in coming if day.weekday() in week and day <= today), None)


def _before(last: date, count: int) -> list[date]:
    """Return so many days, the newest first."""
    return [last - timedelta(n) for n in range(count)]


def _hours(day: date, at: datetime) -> float:
    return (at - _midnight(day)) / timedelta(hours=1)


def _due(day: date, usual: Bounds) -> datetime:
    return _midnight(day) + timedelta(hours=usual.high)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
