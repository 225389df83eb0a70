"""What is measured, as data."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

OURS = "ours"


class Scale(StrEnum):
    """How much is measured: a test that all works, minutes, or the whole."""

    TINY = "tiny"
    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how much to measure.

    Args:
        scale: sizes and repetitions.
        work: a folder for data, stores and projects; data stay there for the next run.
        fresh: each contestant in a process of its own; without, all here (for the test).
        repeats: rounds, whatever the question says; 0 leaves it to the question.
    """

    scale: Scale
    work: Path
    fresh: bool = True
    repeats: int = 0

    def choose(self, tiny: Any, quick: Any, full: Any) -> Any:
        """Return the value for this scale."""
        return {Scale.TINY: tiny, Scale.QUICK: quick, Scale.FULL: full}[self.scale]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work.

    Args:
        name: as the report calls it.
        call: `module:function`; the function prepares and returns the work, a function.
        arguments: of the call, plain data.
        python: the interpreter; contestants with pins of their own have another.
        missing: why it cannot take part here.
        warm: the arguments of a small work that is done first in the process, not measured.
        source: the folder that has `benchmarks` and `dataops_mesh`; this repository if empty.
    """

    name: str
    call: str
    arguments: dict[str, Any] = field(default_factory=dict)
    python: str = sys.executable
    missing: str = ""
    warm: dict[str, Any] | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement.

    Args:
        seconds: of the work alone, its imports and preparation left out.
        process_seconds: of the whole process.
        peak_mb: the most memory that the process held.
        answer: what the work computed, as plain data.
        cpu_seconds: that all cores computed for the work, in this process and those it started;
            a busy neighbour changes them less than the seconds on the wall.
    """

    seconds: float
    process_seconds: float
    peak_mb: float
    answer: Any
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """All measurements of one contestant on one case, or why there are none."""

    case: str
    contestant: str
    samples: tuple[Sample, ...] = ()
    missing: str = ""

    @property
    def seconds(self) -> float:
        """Return the median."""
        return median(sample.seconds for sample in self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the fastest and the slowest."""
        found = [sample.seconds for sample in self.samples]
        return min(found), max(found)

    @property
    def process_seconds(self) -> float:
        """Return the median of whole processes."""
        return median(sample.process_seconds for sample in self.samples)

    @property
    def cpu_seconds(self) -> float:
        """Return the median of what was computed."""
        return median(sample.cpu_seconds for sample in self.samples)

    @property
    def peak_mb(self) -> float:
        """Return the median of the peaks."""
        return median(sample.peak_mb for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise and what was found.

    Args:
        text: what is promised, for example `at most 1.3 x the limit`.
        found: the figure, in the goal's unit.
        at_most: the promise as a number; None if `at_least` says it.
        at_least: the same, the other way round.
        unit: `x`, `s`, `ms`, `MB`.
        missing: why it could not be measured.
        judged: false where what was measured is smaller than what the promise is about.
    """

    text: str
    found: float = 0.0
    at_most: float | None = None
    at_least: float | None = None
    unit: str = "x"
    missing: str = ""
    judged: bool = True

    def not_judged(self) -> Goal:
        """Return the goal with its figure and without a verdict."""
        return replace(self, judged=False)

    @property
    def met(self) -> bool:
        """Tell whether the promise is kept; what was not measured is not met."""
        if self.missing:
            return False
        high = self.at_most is None or self.found <= self.at_most
        return high and (self.at_least is None or self.found >= self.at_least)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Args:
        name: of the question, also of its files.
        title: for people.
        work: what every contestant does, and how it is made sure that it is the same.
        measured: in the order of the report.
        goals: what was promised.
        notes: what a reader must know to judge the figures.
        axis: what the plot shows.
    """

    name: str
    title: str
    work: str
    measured: tuple[Measured, ...]
    goals: tuple[Goal, ...]
    notes: tuple[str, ...] = ()
    axis: str = "seconds"
