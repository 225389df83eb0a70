"""Dagster's partitions, made from the contract's; their keys are the same."""

from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

import dagster as dg

from dataops_mesh.factory.describe import key_of
from dataops_mesh.run.lineage import Known, upstream_ports
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import Cadence, Partitioning, partitions_until

DAYS, HOURS = "%Y-%m-%d", "%Y-%m-%dT%H"
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
    first = partitions_until(cut, datetime.combine(cut.start, time(), ZoneInfo(cut.zone)))[0]
    if first.begins is None:
        return None
    start = _wall(first.begins, cut)
    match cut.cadence:
        case Cadence.HOURLY:
            return dg.HourlyPartitionsDefinition(
                start, end, timezone=cut.zone, end_offset=current, fmt=HOURS
            )
        case Cadence.DAILY:
            return dg.DailyPartitionsDefinition(
                start, end, timezone=cut.zone, end_offset=current, fmt=DAYS
            )
        case Cadence.WEEKLY:
            return dg.WeeklyPartitionsDefinition(
                start, end, day_offset=MONDAY, timezone=cut.zone, end_offset=current, fmt=DAYS
            )
        case Cadence.MONTHLY:
            return dg.MonthlyPartitionsDefinition(
                start, end, timezone=cut.zone, end_offset=current, fmt=DAYS
            )


def of_any_time(
    specs: Iterable[dg.AssetSpec], product: Product, settings: Settings, known: Known
) -> list[dg.AssetSpec]:
    """Return specs that depend on every partition of an input where Dagster cannot tell which.

    It maps times of one zone only, and fails for others. What a partition is built of, and when it
    is due, `run.due` says by the moments.
    """
    cut = product.partitioning
    if cut is None or cut.cadence is None:
        return list(specs)
    upstream = upstream_ports(product, settings.domains_folder, settings.root, known)
    owners = {port.address: upstream.get(port.address) for port in product.inputs if port.address}
    other = {
        key_of(address)
        for address, owner in owners.items()
        if owner is None or _zone(owner[0]) not in {None, cut.zone}
    }
    return [
        spec.replace_attributes(
            deps=[_whole(dep) if dep.asset_key in other else dep for dep in spec.deps]
        )
        for spec in specs
    ]


def _whole(dep: dg.AssetDep) -> dg.AssetDep:
    return dg.AssetDep(dep.asset_key, partition_mapping=dg.AllPartitionMapping())


def _zone(product: Product) -> str | None:
    """Return whose days the partitions of a product are; None where they are of no time."""
    cut = product.partitioning
    return cut.zone if cut is not None and cut.cadence is not None else None


def _end(cut: Partitioning, settings: Settings) -> datetime | None:
    """Return the end of the last partition, where there is a last one.

    An end that is still to come is none yet: Dagster would leave out the partition of today. Of a
    start that is still to come it shows the first partition, and a run says that it has not begun.
    """
    now = settings.clock()
    pieces = partitions_until(cut, now)
    last = pieces[-1].ends if pieces else None
    if settings.now is None and (last is None or last > now):
        return None
    return _wall(last or datetime.combine(cut.start, time(), ZoneInfo(cut.zone)), cut)


def _wall(moment: datetime, cut: Partitioning) -> datetime:
    """Return what the clocks of the zone say; Dagster takes it in the zone it is told."""
    return moment.astimezone(ZoneInfo(cut.zone)).replace(tzinfo=None)
