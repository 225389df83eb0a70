"""What must be due, published and set aside of deliveries with late rows, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

FIRST = date(2026, 3, 1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Cut:
    """How pieces are numbered: 0 begins on 1 March.

    Args:
        setting: the setting `partitions`, without its lookback.
        kind: the logical type of the column.
        key: the key of a piece.
        value: what a row of a piece says.
        last: the number of the last piece that has begun.
        begin: when the walk begins.
        steps: how far it goes on each time.
    """

    setting: str
    kind: str
    key: Callable[[int], str]
    value: Callable[[int, Random], str]
    last: Callable[[datetime], int]
    begin: datetime
    steps: tuple[timedelta, ...] = (HOUR, 9 * HOUR, 24 * HOUR)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def month(number: int) -> date:
    year, index = divmod(FIRST.month - 1 + number, 12)
    return date(FIRST.year + year, index + 1, 1)


def midnight(number: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day(number), time(), zone).astimezone(UTC)


def within(start: datetime, end: datetime, random: Random) -> str:
    """Return a moment, often the first or the last one."""
    seconds = int((end - start).total_seconds())
    after = random.choice((0, seconds - 1, random.randrange(seconds)))
    return (start + timedelta(seconds=after)).isoformat().replace("+00:00", "Z")


def daily(zone: str, begin: datetime) -> Cut:
    local = ZoneInfo(zone)
    return Cut(
        f"cadence: daily, start: '2026-03-01', timezone: {zone}",
        "date",
        lambda n: day(n).isoformat(),
        lambda n, _: day(n).isoformat(),
        lambda now: (now.astimezone(local).date() - FIRST).days,
        begin,
    )


def daily_moments(zone: str, begin: datetime) -> Cut:
    local = ZoneInfo(zone)
    return Cut(
        f"cadence: daily, start: '2026-03-01', timezone: {zone}",
        "timestamp, logicalTypeOptions: {timezone: true}",
        lambda n: day(n).isoformat(),
        lambda n, random: within(midnight(n, local), midnight(n + 1, local), random),
        lambda now: (now.astimezone(local).date() - FIRST).days,
        begin,
    )


def hourly(begin: datetime) -> Cut:
    first = datetime.combine(FIRST, time(), UTC)
    return Cut(
        "cadence: hourly, start: '2026-03-01'",
        "timestamp, logicalTypeOptions: {timezone: true}",
        lambda n: (first + n * HOUR).strftime("%Y-%m-%dT%H"),
        lambda n, random: within(first + n * HOUR, first + (n + 1) * HOUR, random),
        lambda now: (now - first) // HOUR,
        begin,
        (timedelta(minutes=20), HOUR, 2 * HOUR),
    )


def monthly(begin: datetime) -> Cut:
    return Cut(
        "cadence: monthly, start: '2026-03-01'",
        "date",
        lambda n: month(n).isoformat(),
        lambda n, random: str(
            random.choice(
                (month(n), month(n + 1) - timedelta(days=1), month(n) + timedelta(days=9))
            )
        ),
        lambda now: (now.year - FIRST.year) * 12 + now.month - FIRST.month,
        begin,
        (timedelta(days=3), timedelta(days=20), timedelta(days=31)),
    )


# Clocks are changed on 8 March in New York, and on 27 March in Jerusalem.
CUTS = {
    "New York": daily("America/New_York", datetime(2026, 3, 6, 3, 30, tzinfo=UTC)),
    "Jerusalem": daily("Asia/Jerusalem", datetime(2026, 3, 25, 3, 30, tzinfo=UTC)),
    "UTC": daily("UTC", datetime(2026, 3, 6, 3, 30, tzinfo=UTC)),
    "moments of New York": daily_moments(
        "America/New_York", datetime(2026, 3, 7, 3, 30, tzinfo=UTC)
    ),
    "hours": hourly(datetime(2026, 3, 8, 5, 10, tzinfo=UTC)),
    "months": monthly(datetime(2026, 5, 28, 3, 30, tzinfo=UTC)),
}

Rows = dict[int, int | None]  # a row's number -> the number of its piece; None for none


class Model:
    """One product: deliveries and publications by the number of the piece.

    Args:
        aside: rows that a delivery may not bring are set aside, and do not refuse it.
    """

    def __init__(self, cut: Cut, lookback: int, *, aside: bool) -> None:
        self.cut, self.lookback, self.aside = cut, lookback, aside
        self.delivered: dict[int, Rows] = {}
        self.built: dict[int, object] = {}
        self.published: dict[int, set[int]] = {}
        self.kept_out: dict[int, set[int]] = {}

    def later(self, piece: int) -> list[int]:
        return [n for n in range(piece + 1, piece + self.lookback + 1) if n in self.delivered]

    def read(self, piece: int) -> object:
        """Return what a piece is made of: its own delivery, and later ones that bring rows of it."""
        late = [n for n in self.later(piece) if piece in self.delivered[n].values()]
        return [(n, sorted(self.delivered[n])) for n in (piece, *late)]

    def due(self, now: datetime) -> tuple[str, ...]:
        last = self.cut.last(now)
        return tuple(
            self.cut.key(n)
            for n in sorted(self.delivered)
            if n == last or self.built.get(n) != self.read(n)
        )

    def build(self, piece: int) -> bool:
        around = range(max(0, piece - self.lookback), piece + 1)
        reach = {at for at in around if at in self.delivered}  # of others nobody would see the row
        beyond = {row for row, at in self.delivered[piece].items() if at not in reach}
        if beyond and not self.aside:
            return False
        read = [self.delivered[n] for n in (piece, *self.later(piece))]
        self.published[piece] = {row for rows in read for row, at in rows.items() if at == piece}
        self.kept_out[piece] = beyond
        self.built[piece] = self.read(piece)
        return True
