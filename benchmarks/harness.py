"""Measures contestants: in turn, each in a fresh process, and only if all computed the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.child import run_call
from benchmarks.model import Bench, Contestant, Goal, Measured, Sample

REPOSITORY = Path(__file__).parents[1]
Canonical = Callable[[Any], Any]


class DisagreementError(Exception):
    """Contestants did not compute the same: nothing that they measured means anything."""


class ContestantError(Exception):
    """A contestant that is installed could not do the work."""


def measure(
    bench: Bench,
    case: str,
    contestants: Sequence[Contestant],
    *,
    repeats: int,
    canonical: Canonical = lambda answer: answer,
) -> list[Measured]:
    """Let the contestants take turns and return what each needed.

    Args:
        bench: where to run.
        case: the name of the work.
        contestants: who takes part; those that are missing stay in the answer, with the reason.
        repeats: rounds; in each, every contestant runs once.
        canonical: turns an answer into what must be equal for all.

    Raises:
        DisagreementError: two answers differ.
    """
    samples: dict[str, list[Sample]] = {one.name: [] for one in contestants}
    answers: dict[str, Any] = {}
    for _ in range(bench.repeats or repeats):
        for one in (one for one in contestants if not one.missing):
            with _folder(bench) as folder:
                sample = _once(bench, one, folder)
                answers[one.name] = canonical(sample.answer)
                require_same(case, answers)
            samples[one.name].append(sample)
            say(f"  {case}: {one.name} {sample.seconds:.3f} s")
    return [Measured(case, one.name, tuple(samples[one.name]), one.missing) for one in contestants]


def require_same(case: str, answers: dict[str, Any]) -> None:
    """Compare the answers of a case.

    Raises:
        DisagreementError: two of them differ.
    """
    different = {json.dumps(answer, sort_keys=True, default=str) for answer in answers.values()}
    if len(different) > 1:
        shown = "\n".join(f"  {name}: {answer}" for name, answer in answers.items())
        raise DisagreementError(f"{case}: not the same result:\n{shown}")


def ratio(text: str, one: Measured, other: Measured, *, at_most: float) -> Goal:
    """Return a goal on the ratio of two medians."""
    if missing := one.missing or other.missing:
        return Goal(text, missing=missing)
    return Goal(text, one.seconds / other.seconds, at_most=at_most)


def found(measured: Sequence[Measured], contestant: str, case: str = "") -> Measured:
    """Return one contestant's measurements."""
    return next(m for m in measured if m.contestant == contestant and m.case.startswith(case))


def say(line: str) -> None:
    """Tell how far the benchmark is."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _folder(bench: Bench) -> Iterator[Path]:
    """Make a folder in which a contestant may leave what it likes; it is gone afterwards."""
    with TemporaryDirectory(dir=bench.work, prefix="run-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _once(bench: Bench, one: Contestant, folder: Path) -> Sample:
    if not bench.fresh and one.python == sys.executable:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            return Sample(process_seconds=0.0, **run_call(one.call, one.arguments, one.warm))
        finally:
            tempfile.tempdir = before
    source = one.source or str(REPOSITORY)
    given = [one.arguments] if one.warm is None else [one.arguments, one.warm]
    started = time.perf_counter()
    done = subprocess.run(
        [one.python, "-m", "benchmarks.child", one.call, *map(json.dumps, given)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": source, "TMPDIR": str(folder), **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise ContestantError(f"{one.name} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return Sample(process_seconds=seconds, **json.loads(lines[-1]))


QUIET = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
    "PYTHONWARNINGS": "ignore",
}
