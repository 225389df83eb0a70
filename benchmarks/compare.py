"""What did a change help? The same works of ours at two commits, taking turns.

    .venv/bin/python -m benchmarks.compare OLD
    .venv/bin/python -m benchmarks.compare OLD --new COMMIT --only small switch --rounds 5

Writes a table in Markdown to stdout. Both run in this environment, each from its own source.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.data import lineitem
from benchmarks.harness import REPOSITORY, measure
from benchmarks.model import Bench, Contestant, Measured, Scale

WORKS: dict[str, Callable[[Path], Contestant]] = {
    "product": lambda work: Contestant(
        "a product of 10,000,000 rows: build, test, publish",
        "benchmarks.contestants.ours:product",
        {"source": str(lineitem(work, 10_000_000))},
        warm={"source": str(lineitem(work, 10_000))},
    ),
    "small": lambda work: Contestant(
        "a product of 1,000 rows in a warm process",
        "benchmarks.contestants.small:ours",
        {"source": str(lineitem(work, 1_000)), "times": 20},
    ),
    "switch": lambda _: Contestant(
        "the switch of 500 ports, with the catalog",
        "benchmarks.contestants.switch:switch",
        {"ports": 500, "rows": 1_000, "times": 20, "catalog": True},
    ),
    "loading": lambda _: Contestant(
        "a domain of 100 products loads",
        "benchmarks.contestants.loading:ours",
        {"products": 100},
    ),
    "check": lambda _: Contestant(
        "`mesh check` of 300 products",
        "benchmarks.contestants.check:check",
        {"products": 300},
    ),
    "status": lambda work: Contestant(
        "`mesh status` after 30,000 publications",
        "benchmarks.contestants.ledger:ledger",
        {
            "source": str(lineitem(work, 1_000)),
            "publications": 30_000,
            "what": "status",
            "times": 10,
        },
    ),
}


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", help="a commit")
    parser.add_argument("--new", help="a commit; the work tree if absent")
    parser.add_argument("--only", nargs="*", choices=WORKS, default=list(WORKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=REPOSITORY / ".bench")
    chosen = parser.parse_args()
    bench = Bench(Scale.FULL, chosen.work.absolute())
    (bench.work / "data").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        old = commit_files(chosen.old, Path(folder) / "old")
        new = commit_files(chosen.new, Path(folder) / "new") if chosen.new else REPOSITORY
        print(f"| work | {chosen.old} | {chosen.new or 'work tree'} | |\n|---|---:|---:|---:|")
        for name in chosen.only:
            work = WORKS[name](bench.work)
            several = [
                replace(work, name=side, source=str(source))
                for side, source in (("old", old), ("new", new))
            ]
            measured = measure(
                bench, work.name, several, repeats=chosen.rounds, canonical=lambda _: None
            )
            print(_row(work.name, *measured), flush=True)
    return 0


def commit_files(commit: str, folder: Path) -> Path:
    """Write the files of a commit into a new folder and return it."""
    packed = subprocess.run(
        ["git", "archive", commit], cwd=REPOSITORY, capture_output=True, check=True
    )
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return folder


def _row(name: str, old: Measured, new: Measured) -> str:
    def shown(one: Measured) -> str:
        least, most = one.spread
        return f"{one.seconds:.3f} s ({least:.3f} - {most:.3f})"

    return f"| {name} | {shown(old)} | {shown(new)} | {old.seconds / new.seconds:.2f} x |"


if __name__ == "__main__":
    sys.exit(main())
