"""Writes the report: one Markdown page with a plot for each question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.model import Answer, Goal, Measured, Sample
from benchmarks.plot import plot

HEAD = """\
# Benchmarks

Every figure is measured side by side with the others of its table, in one run on one machine,
contestants taking turns. Seconds are medians, with the fastest and the slowest in brackets.
A table is only written if all contestants computed the same result.
"""


def write_report(folder: Path, names: Sequence[str]) -> None:
    """Write REPORT.md and the plots from the answers that are in the folder."""
    kept = {}
    for name in names:
        file = folder / f"{name}.json"
        if file.is_file():
            kept[name] = json.loads(file.read_text("utf-8"))
    answers = [_answer(found) for found in kept.values()]
    parts = [HEAD, _machine(list(kept.values())), _goals(answers)]
    for answer in answers:
        plot(answer, folder / f"{answer.name}.svg")
        parts.append(_section(answer, kept[answer.name]["took"]))
    (folder / "REPORT.md").write_text("\n".join(parts), "utf-8")


def _answer(kept: dict[str, Any]) -> Answer:
    measured = tuple(
        Measured(**{**one, "samples": tuple(Sample(**s) for s in one["samples"])})
        for one in kept["measured"]
    )
    goals = tuple(Goal(**goal) for goal in kept["goals"])
    same = {name: kept[name] for name in ("name", "title", "work", "axis")}
    return Answer(**same, measured=measured, goals=goals, notes=tuple(kept["notes"]))


def _machine(kept: list[dict[str, Any]]) -> str:
    if not kept:
        return "Nothing was measured.\n"
    found = kept[-1]["machine"]
    scales = sorted({one["scale"] for one in kept})
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return (
        f"Scale: {', '.join(scales)}. Machine: {found['cores']} cores ({found['processor']}), "
        f"{found['memory_gb']} GB, {found['system']}, Python {found['python']}. {packages}.\n"
    )


def _goals(answers: Sequence[Answer]) -> str:
    rows = ["| question | goal | found | |", "|---|---|---:|---|"]
    for answer in answers:
        title = f"[{answer.title}](#{answer.name})"
        for goal in answer.goals:
            rows.append(f"| {title} | {goal.text} | {_found(goal)} | {_verdict(goal)} |")
            title = ""
    return "\n".join(["## Goals\n", *rows, ""])


def _section(answer: Answer, took: float) -> str:
    head = "| case | contestant | seconds | ratio | CPU s | whole process, s | peak memory, MB |"
    rows = [head, "|---|---|---:|---:|---:|---:|---:|"]
    for case in dict.fromkeys(one.case for one in answer.measured):
        several = [one for one in answer.measured if one.case == case]
        first = several[0]
        rows += [_row(one, first) for one in several]
    return "\n".join(
        [
            f'<a id="{answer.name}"></a>\n\n## {answer.title}\n',
            f"{answer.work}\n",
            f"![{answer.title}]({answer.name}.svg)\n",
            *rows,
            "",
            *(f"- {note}" for note in (*answer.notes, f"Asking took {took:.0f} s.")),
            "",
        ]
    )


def _row(one: Measured, first: Measured) -> str:
    if one.missing:
        return f"| {one.case} | {one.contestant} | {one.missing} | | | | |"
    low, high = one.spread
    times = f"{one.seconds / first.seconds:.2f} x" if first.samples else ""
    process = f"{one.process_seconds:.1f}" if one.process_seconds else ""
    peak = f"{one.peak_mb:.0f}" if one.peak_mb else ""
    cpu = _short(one.cpu_seconds) if one.cpu_seconds else ""
    seconds = f"{_short(one.seconds)} ({_short(low)} - {_short(high)})"
    return f"| {one.case} | {one.contestant} | {seconds} | {times} | {cpu} | {process} | {peak} |"


def _found(goal: Goal) -> str:
    if goal.missing:
        return goal.missing
    digits = 0 if goal.unit in {"MB", "ms"} else 2
    return f"{goal.found:.{digits}f} {goal.unit}"


def _verdict(goal: Goal) -> str:
    if not goal.judged:
        return "not judged at this scale"
    if goal.missing:
        return "not measured"
    return "met" if goal.met else "**missed**"


def _short(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.2f}"
