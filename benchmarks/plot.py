"""One bar chart for each question."""

from __future__ import annotations

from pathlib import Path

from benchmarks.model import OURS, Answer, Measured

OWN, OTHER = "#1f6f5c", "#b5b5b5"


def plot(answer: Answer, file: Path) -> None:
    """Write a chart of medians, with the fastest and the slowest as whiskers."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = answer.name  # the same figures are the same file
    found = [one for one in answer.measured if one.samples]
    labels = [f"{one.contestant}\n{one.case}" for one in found]
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.42 * len(found)))
    colours = [OWN if one.contestant.startswith(OURS) else OTHER for one in found]
    values = [_value(answer, one) for one in found]
    whiskers = None if answer.axis == "memory" else _whiskers(found)
    axes.barh(range(len(found)), values, color=colours, xerr=whiskers, ecolor="#555555")
    axes.set_yticks(range(len(found)), labels, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("peak memory, MB" if answer.axis == "memory" else "seconds (median)")
    if values and max(values) > 30 * min(values):
        axes.set_xscale("log")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def _value(answer: Answer, one: Measured) -> float:
    return one.peak_mb if answer.axis == "memory" else one.seconds


def _whiskers(found: list[Measured]) -> list[list[float]]:
    return [
        [one.seconds - one.spread[0] for one in found],
        [one.spread[1] - one.seconds for one in found],
    ]
