"""Dagster's partitions, made from the contract's; their keys are the same."""

from datetime import datetime, time

import dagster as dg

from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import Cadence, Partitioning, partitions_until

FORMAT = "%Y-%m-%d"
MONDAY = 1


def partitions_of(product: Product, settings: Settings) -> dg.PartitionsDefinition[str] | None:
    """Return the partitions of a product; None if it is published whole.

    The partition that has begun is there before it is over: its data arrives day by day. On a
    replay clock the partitions end with it; Dagster itself only knows the real time.
    """
    cut = product.partitioning
    if cut is None:
        return None
    if cut.cadence is None:
        return dg.StaticPartitionsDefinition(list(cut.values))
    end = _end(cut, settings)
    current = 1 if end is None else 0
    first = partitions_until(cut, datetime.combine(cut.start, time()))[0]
    start = _midnight(first.start)
    match cut.cadence:
        case Cadence.DAILY:
            return dg.DailyPartitionsDefinition(start, end, end_offset=current, fmt=FORMAT)
        case Cadence.WEEKLY:
            return dg.WeeklyPartitionsDefinition(
                start, end, day_offset=MONDAY, end_offset=current, fmt=FORMAT
            )
        case Cadence.MONTHLY:
            return dg.MonthlyPartitionsDefinition(start, end, end_offset=current, fmt=FORMAT)


def _end(cut: Partitioning, settings: Settings) -> datetime | None:
    """Return the day after the last partition, where there is a last one.

    An end that is still to come is none yet: Dagster would leave out the partition of today. Of a
    start that is still to come it shows the first partition, and a run says that it has not begun.
    """
    pieces = partitions_until(cut, settings.clock())
    last = pieces[-1].end if pieces else None
    if settings.now is None and (last is None or last > settings.clock().date()):
        return None
    return _midnight(last) if last else _midnight(cut.start)


def _midnight(day: object) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00")
