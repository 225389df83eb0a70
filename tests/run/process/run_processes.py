"""What the processes of the conflict and kill tests do."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from helpers import environment, product, run

from dataops_mesh.errors import ConflictError
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import load_settings


def warm() -> None:
    """Pay for the import of Great Expectations before anything is measured or killed."""
    import dataops_mesh.quality.session  # noqa: F401


def run_times(root: str, name: str, times: int, barrier: Any, answers: Any) -> None:
    """Run one product several times, starting together with the others."""
    settings = load_settings(Path(root))
    warm()
    barrier.wait()
    found = []
    for number in range(times):
        try:
            report = run(settings, name, f"{os.getpid()}-{number}")
        except ConflictError:
            found.append(("conflict", None))
        else:
            found.append((report.candidate, report.publication))
    answers.put((name, found))


def run_slowly(root: str, name: str, answers: Any) -> None:
    """Run one product; say by a file that it builds, and go on when there is another."""
    settings = load_settings(Path(root))
    warm()
    said: list[str] = []
    found = product(settings, name)

    def progress(line: str) -> None:
        said.append(line)
        if line.startswith("building with"):
            (settings.root / "building").touch()
            while not (settings.root / "go").exists():
                time.sleep(0.01)

    try:
        report = run_product(found, environment(settings), run_id="slow", progress=progress)
    except ConflictError as error:
        answers.put(("conflict", str(error), said))
    else:
        answers.put((report.publication, dict(_read(report)), said))


def _read(report: Any) -> list[tuple[str, int | None]]:
    return [(read.name, read.publication) for read in report.reads]


def run_for_ever(root: str, name: str, started: str) -> None:
    """Publish until killed; say by a file that it begins."""
    settings = load_settings(Path(root))
    found, place = product(settings, name), environment(settings)
    warm()
    Path(started).touch()
    while True:
        run_product(found, place, run_id=f"loop-{os.getpid()}")
