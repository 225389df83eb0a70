"""What a dbt project is told of the partition that it builds: variables, and batches in time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from dataops_mesh.spec.partition import Partition, Partitioning

KEY, START, END = "partition_key", "partition_start", "partition_end"


def with_partition(variables: str, piece: Partition) -> str:
    """Return dbt's `--vars` with those of the partition.

    >>> with_partition('{"a": 1}', Partition("north", "region"))
    '{"a": 1, "partition_key": "north"}'
    >>> json.loads(with_partition("", Partition("x", "day", date(2026, 1, 1), date(2026, 1, 2))))
    {'partition_end': '2026-01-02', 'partition_key': 'x', 'partition_start': '2026-01-01'}
    """
    told = {KEY: piece.key}
    if piece.start is not None and piece.end is not None:
        told |= {START: str(piece.start), END: str(piece.end)}
    return json.dumps({**(json.loads(variables) if variables else {}), **told}, sort_keys=True)


def stand_in(cut: Partitioning) -> Partition:
    """Return a partition whose variables are there while the project is parsed."""
    if cut.cadence is None:
        return Partition(cut.values[0], cut.column)
    return Partition(cut.start.isoformat(), cut.column, cut.start, cut.start)


def batches(piece: Partition) -> tuple[str, str] | None:
    """Return between which moments microbatch models are built, as dbt is told: of UTC.

    >>> batches(Partition("2026-01-01", "day", date(2026, 1, 1), date(2026, 1, 2)))
    ('2026-01-01T00:00:00', '2026-01-02T00:00:00')
    """
    if piece.start is None or piece.end is None:
        return None
    return _moment(piece.start), _moment(piece.end)


def _moment(value: date | datetime) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC) if value.tzinfo else value
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{value}T00:00:00"
