"""Ask the questions and write the report.

    python -m benchmarks --scale quick
    python -m benchmarks --scale full --only product checking

Answers are kept as JSON, one file for each question, so that questions can be asked one by
one; the report is made of all that are there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.harness import REPOSITORY, say
from benchmarks.machine import describe
from benchmarks.model import Answer, Bench, Scale
from benchmarks.report import write_report

QUESTIONS = (
    "product",
    "checking",
    "memory",
    "flights",
    "small",
    "daemon",
    "switch",
    "state",
    "masks",
    "sizes",
    "whole",
    "starting",
    "loading",
    "idle",
    "ledger",
    "pages",
    "check",
)


def main() -> int:
    """Ask, keep the answers, write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=[scale.value for scale in Scale], default="quick")
    parser.add_argument(
        "--only", nargs="*", choices=QUESTIONS, help="default: all; when quick, but `flights`"
    )
    parser.add_argument("--work", type=Path, default=REPOSITORY / ".bench")
    parser.add_argument("--output", type=Path, default=None, help="default: WORK/<scale>")
    parser.add_argument("--repeats", type=int, default=0, help="rounds; as the scale says if 0")
    parser.add_argument("--one-process", action="store_true", help="quick and wrong: for tests")
    chosen = parser.parse_args()
    scale = Scale(chosen.scale)
    work = chosen.work.absolute()
    (work / "data").mkdir(parents=True, exist_ok=True)
    output = chosen.output or work / scale
    # A whole run of the example takes minutes for each contestant, whatever the scale.
    slow = {"flights"} if scale is Scale.QUICK else set()
    ask(
        Bench(scale, work, fresh=not chosen.one_process, repeats=chosen.repeats),
        chosen.only or [name for name in QUESTIONS if name not in slow],
        output,
    )
    say(f"report: {output / 'REPORT.md'}")
    return 0


def ask(bench: Bench, names: list[str], output: Path) -> list[Answer]:
    """Ask the questions, keep each answer, write the report of all answers there are."""
    output.mkdir(parents=True, exist_ok=True)
    answers = []
    for name in names:
        say(f"{name} ({bench.scale})")
        started = time.perf_counter()
        answer: Answer = importlib.import_module(f"benchmarks.questions.{name}").ask(bench)
        answers.append(answer)
        taken = time.perf_counter() - started
        kept = {"scale": bench.scale, "machine": describe(), "took": taken, **asdict(answer)}
        text = json.dumps(kept, indent=1, default=str)
        (output / f"{name}.json").write_text(text + "\n", "utf-8")
    write_report(output, QUESTIONS)
    return answers


if __name__ == "__main__":
    sys.exit(main())
