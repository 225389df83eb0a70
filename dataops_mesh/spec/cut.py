"""Cuts as the store tells them, a line of text each: which keys of one meet a piece of another."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dataops_mesh.spec.partition import KEY_OF_HOUR, Cadence, Partition, floor

_CUT = re.compile(r"(?P<cadence>\w+) by (?P<column>.*), (?P<what>dates|moments) of (?P<zone>\S+)")
_LENGTHS = tuple(Cadence)


def same_cut(one: str, other: str) -> bool:
    """Tell whether pieces of two cuts have the same rows; a zone moves no row to another date.

    >>> same_cut("daily by d, dates of UTC", "daily by d, dates of Asia/Tokyo")
    True
    >>> same_cut("daily by t, moments of UTC", "daily by t, moments of Asia/Tokyo")
    False
    """
    return one == other or _without_zone(one) == _without_zone(other) != one


def keys_over(cut: str, piece: Partition) -> tuple[str, str] | None:
    """Return the first and the last key of a cut that have something of the piece's time.

    Two columns of dates are compared by date, as SQL compares them; all else by the moment.

    Returns:
        None where the two cannot be compared.

    >>> from datetime import UTC, date
    >>> from dataops_mesh.spec.partition import Partitioning, partitions_until
    >>> month = Partitioning("day", Cadence.MONTHLY, date(2013, 1, 1))
    >>> (january,) = partitions_until(month, datetime(2013, 1, 20, tzinfo=UTC))
    >>> keys_over("weekly by day, dates of UTC", january)
    ('2012-12-31', '2013-01-28')
    """
    found = _CUT.fullmatch(cut)
    if found is None or piece.begins is None or piece.ends is None:
        return None
    if piece.start is None or piece.end is None:
        return None
    cadence = Cadence(found["cadence"])
    if cadence is Cadence.HOURLY:
        last_hour = piece.ends - timedelta(microseconds=1)
        return piece.begins.strftime(KEY_OF_HOUR), last_hour.strftime(KEY_OF_HOUR)
    first, last = piece.start, piece.end - timedelta(days=1)
    if found["what"] == "moments" or isinstance(first, datetime):
        zone = ZoneInfo(found["zone"])
        first = piece.begins.astimezone(zone).date()
        last = (piece.ends - timedelta(microseconds=1)).astimezone(zone).date()
    return floor(first, cadence).isoformat(), floor(last, cadence).isoformat()


def is_coarser(cut: str, cadence: Cadence | None) -> bool:
    """Tell whether the pieces of a cut are longer than those of a cadence.

    >>> is_coarser("monthly by day, dates of UTC", Cadence.DAILY)
    True
    """
    found = _CUT.fullmatch(cut)
    if found is None or cadence is None:
        return False
    return _LENGTHS.index(Cadence(found["cadence"])) > _LENGTHS.index(cadence)


def _without_zone(cut: str) -> str:
    found = _CUT.fullmatch(cut)
    return cut if found is None or found["what"] == "moments" else cut[: found.start("zone")]
