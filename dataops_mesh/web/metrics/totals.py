"""What counters count. They begin with the whole record and then read new runs alone."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.days import FAILED, PUBLISHED, REFUSED
from dataops_mesh.ledger.totals import Run, checks_of_runs, runs_since, totals_before

OUTCOMES = {"publish": PUBLISHED, "refuse": REFUSED, "cancelled": "cancelled"}
WINDOW = timedelta(days=30)
# A run that a crash kept from the record is written later than it ended.
_LATER = timedelta(hours=1)


@dataclass(slots=True)
class Totals:
    """What was counted so far: it grows with each scrape, and begins anew with the process.

    Args:
        runs: by product and outcome.
        rows: that runs built, by product; `written` their bytes, `seconds` by product and stage.
        checks: by product, severity and outcome.
        published: when each product was published in the last thirty days, oldest first.
    """

    runs: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    checks: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    published: dict[str, list[datetime]] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _last: str = ""
    _one: threading.Lock = field(default_factory=threading.Lock)

    def catch_up(self, ledger: Ledger, now: datetime) -> None:
        """Count what is new."""
        with self._one:
            if not self._last:
                self._begin(ledger, now)
            since = (datetime.fromisoformat(self._last) - _LATER).isoformat()
            new = [run for run in runs_since(ledger, since) if run.key not in self._seen]
            self._add(ledger, new)
            self._forget(now)

    def _begin(self, ledger: Ledger, now: datetime) -> None:
        """Count the whole record once; of checks, those of each product's last run."""
        start = (now - WINDOW).isoformat()
        for one in totals_before(ledger, start):
            self.runs[one.product, OUTCOMES.get(one.verdict, FAILED)] += one.runs
            self._wrote(one.product, one.rows, one.bytes, one.seconds)
            if one.verdict == "publish":  # with which the thirty days begin
                self.published[one.product] = [datetime.fromisoformat(one.last)]
        recent = runs_since(ledger, start)
        last = {run.product: run.candidate for run in recent if run.candidate}
        self._last = now.isoformat()
        self._add(ledger, recent, set(last.values()))

    def _add(
        self, ledger: Ledger, runs: tuple[Run, ...] | list[Run], refs: set[str] | None = None
    ) -> None:
        made_by = {run.candidate: run.product for run in runs if run.candidate}
        for run in runs:
            self._seen[run.key] = run.finished
            outcome = OUTCOMES.get(run.verdict, FAILED)
            self.runs[run.product, outcome] += 1
            self._wrote(run.product, run.rows, run.bytes, run.seconds)
            if outcome == PUBLISHED:
                at = datetime.fromisoformat(run.finished)
                self.published.setdefault(run.product, []).append(at)
            self._last = max(self._last, run.finished)
        for one in checks_of_runs(ledger, made_by.keys() if refs is None else refs):
            name = made_by[one.candidate]
            self.checks[name, one.severity, one.outcome] += one.checks
            self._took(name, "checks", one.seconds)
            self._took(name, "build", -one.seconds)

    def _wrote(self, product: str, rows: int, size: int, seconds: float) -> None:
        self.rows[product] += rows
        self.written[product] += size
        self._took(product, "build", seconds)

    def _took(self, product: str, stage: str, seconds: float) -> None:
        key = product, stage
        self.seconds[key] = max(self.seconds.get(key, 0.0) + seconds, 0.0)

    def _forget(self, now: datetime) -> None:
        """Keep what is still asked for: thirty days of publications, an hour of names."""
        until = (datetime.fromisoformat(self._last) - 2 * _LATER).isoformat()
        for key in [key for key, at in self._seen.items() if at < until]:
            del self._seen[key]
        start = now - WINDOW
        for name, times in self.published.items():
            while len(times) > 1 and times[1] < start:
                del times[0]  # the one before the window tells what it began with
            self.published[name] = times


def downtime(times: list[datetime], promise: timedelta, now: datetime) -> timedelta:
    """Return for how long, in the last thirty days, data was older than promised.

    >>> from datetime import UTC
    >>> day = lambda n: datetime(2020, 1, n, tzinfo=UTC)
    >>> downtime([day(1), day(4), day(5)], timedelta(days=2), day(6))
    datetime.timedelta(days=1)
    """
    start, late = now - WINDOW, timedelta()
    for begin, end in zip(times, [*times[1:], now], strict=True):
        due = max(begin + promise, start)
        late += max(end - due, timedelta())
    return late
