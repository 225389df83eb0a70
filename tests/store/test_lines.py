"""What opening, promoting and refreshing a sandbox costs, and what they may never do."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from benchmarks.contestants.sizes import _filled
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, open_sandbox
from dataops_mesh.store.log import latest

TRIES = Asked("ben", "to try", NOBODY)


def a_week() -> datetime:
    return datetime.now(UTC) + timedelta(days=7)


def test_a_sandbox_of_a_large_mesh_is_open_at_once_and_copies_nothing():
    store = _filled(1_000, 365)

    def size() -> int:
        return sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())

    before, begun = size(), time.process_time()
    line, first = open_sandbox(store, "x", TRIES, a_week())
    assert time.process_time() - begun < 0.3
    assert size() - before < 10_000
    assert first.ports == latest(store).ports
    assert latest(line).number == latest(store).number + 1
