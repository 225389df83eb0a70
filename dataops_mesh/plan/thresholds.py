"""Whether one threshold lets pass more or less than another."""

from __future__ import annotations

import math
from enum import StrEnum

from dataops_mesh.spec.model import Operator, Threshold, Unit
from dataops_mesh.spec.threshold import Number

# Low end, low end included, high end, high end included.
Interval = tuple[Number, bool, Number, bool]
_INFINITE = math.inf


class Promise(StrEnum):
    """How a new promise relates to the old one."""

    SAME = "same"
    WEAKER = "weaker"
    STRONGER = "stronger"
    OTHER = "other"


def relate(before: Threshold, after: Threshold) -> Promise:
    """Tell whether the new threshold accepts more numbers (weaker) or fewer (stronger).

    >>> relate(Threshold(Operator.LESS, 5), Threshold(Operator.LESS_OR_EQUAL, 5))
    <Promise.WEAKER: 'weaker'>
    """
    if before == after:
        return Promise.SAME
    if before.unit is not after.unit:
        # No row and no percent are the same number; others depend on the rows in all.
        return Promise.SAME if _only_zero(before) and _only_zero(after) else Promise.OTHER
    old, new = _accepted(before), _accepted(after)
    if _inside(old, new):
        return Promise.SAME if _inside(new, old) else Promise.WEAKER
    return Promise.STRONGER if _inside(new, old) else Promise.OTHER


def relate_quarantine(before: Threshold | None, after: Threshold | None) -> str:
    """Return how the bound of rows that may be set aside changed, as a kind of change.

    None is the strictest bound: no row may be. What cannot be compared counts as more.

    >>> relate_quarantine(None, Threshold(Operator.LESS_OR_EQUAL, 5))
    'quarantine_more'
    """
    if before == after:
        return ""
    if before is None or after is None:
        return "quarantine_more" if before is None else "quarantine_less"
    promise = relate(before, after)
    if promise is Promise.SAME:
        return ""
    return "quarantine_less" if promise is Promise.STRONGER else "quarantine_more"


def quarantine_words(before: Threshold | None, after: Threshold | None) -> str:
    """Return the change of a bound in words."""
    return f"quarantine {_most(before)} to {_most(after)}"


def _most(bound: Threshold | None) -> str:
    if bound is None:
        return "of no row"
    value = bound.value
    return f"of at most {value}{'%' if bound.unit is Unit.PERCENT else ' rows'}"


def _only_zero(threshold: Threshold) -> bool:
    return threshold.operator is Operator.BE and threshold.value == 0


def _inside(inner: list[Interval], outer: list[Interval]) -> bool:
    return all(any(_covers(big, small) for big in outer) for small in inner)


def _covers(big: Interval, small: Interval) -> bool:
    low = big[0] < small[0] or (big[0] == small[0] and (big[1] or not small[1]))
    high = big[2] > small[2] or (big[2] == small[2] and (big[3] or not small[3]))
    return low and high


def _accepted(threshold: Threshold) -> list[Interval]:
    """Return the numbers that the threshold accepts, as intervals."""
    value = threshold.value
    low, high = value if isinstance(value, tuple) else (value, value)
    below: Interval = (-_INFINITE, False, low, False)
    above: Interval = (high, False, _INFINITE, False)
    match threshold.operator:
        case Operator.LESS:
            return [below]
        case Operator.LESS_OR_EQUAL:
            return [(-_INFINITE, False, low, True)]
        case Operator.GREATER:
            return [above]
        case Operator.GREATER_OR_EQUAL:
            return [(high, True, _INFINITE, False)]
        case Operator.NOT_BE | Operator.NOT_BETWEEN:
            return [below, above] if low <= high else [(-_INFINITE, False, _INFINITE, False)]
        case Operator.BE | Operator.BETWEEN:
            return [(low, True, high, True)] if low <= high else []
