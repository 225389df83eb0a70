"""Domains with an environment of their own: one process each, for as long as a command runs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh import errors
from dataops_mesh.cli.wire import moved
from dataops_mesh.errors import MeshError, Problem, RunError, SettingsError
from dataops_mesh.run.process.client import start_gate
from dataops_mesh.run.process.wire import hello, read_problem
from dataops_mesh.settings import PREFIX, Settings

if TYPE_CHECKING:
    from dataops_mesh.cli.wire import Line
    from dataops_mesh.spec.model import Domain, Mesh, Product

Ask = Callable[["Place", dict[str, Any]], Iterator["Line"]]
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")
_PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Place:
    """An environment: an interpreter, and the workspace in which it works."""

    python: Path
    root: Path


def place_of(domain: Domain, settings: Settings) -> Place | None:
    """Return where a domain runs; None for this very process."""
    python = Path(os.path.abspath(settings.root / (domain.python or sys.executable)))  # noqa: PTH100 # a link to the interpreter is what makes a virtual environment
    ours = python.parent == Path(sys.executable).parent
    if ours and domain.root is None:
        return None
    return Place(python, domain.root or settings.root)


def by_place(
    mesh: Mesh, products: Iterable[Product], settings: Settings
) -> dict[Place | None, list[Product]]:
    """Return the products by where they run, in their order."""
    places = {domain.name: place_of(domain, settings) for domain in mesh.domains}
    found: dict[Place | None, list[Product]] = {}
    for product in products:
        found.setdefault(places[product.domain], []).append(product)
    return found


@contextmanager
def environments(settings: Settings) -> Iterator[Ask]:
    """Give a function that asks an environment and yields its answers.

    A process is started when it is first asked, and ends with the command.
    """
    started: dict[Place, subprocess.Popen[str]] = {}

    def ask(place: Place, request: dict[str, Any]) -> Iterator[Line]:
        if place not in started:
            started[place] = _start(place, settings)
            _agree(place, _next(place, started[place], settings), settings)
        process = started[place]
        if process.stdin is None:
            raise AssertionError  # it was opened as a pipe
        with suppress(BrokenPipeError):  # `_next` says that it ended
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        return _answers(place, process, settings)

    try:
        yield ask
    finally:
        for process in started.values():
            _end(process)


def _answers(place: Place, process: subprocess.Popen[str], settings: Settings) -> Iterator[Line]:
    logger = logging.getLogger("dataops_mesh")
    while True:
        line = _next(place, process, settings)
        if "done" in line:
            return
        if "log" in line:
            level, text, *arguments = line["log"]
            logger.log(level, text, *arguments)
        else:
            yield line


def _next(place: Place, process: subprocess.Popen[str], settings: Settings) -> Line:
    text = process.stdout.readline() if process.stdout else ""
    if not text:
        code = process.wait(_PATIENCE)
        what = f"the process of {place.python} ended by itself with code {code}"
        then = "what it said last stands above; is dataops-mesh installed there?"
        raise RunError(Problem(what, next=then))
    line: dict[str, Any] = json.loads(text)
    if "error" in line:
        kind = getattr(errors, line["error"], MeshError)
        raise kind(moved(read_problem(p), place.root, settings.root) for p in line["problems"])
    return line


def _start(place: Place, settings: Settings) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    command: Sequence[str] = [str(place.python), "-m", "dataops_mesh.cli.worker"]
    try:
        return subprocess.Popen(  # noqa: S603 - the interpreter that the settings name
            command,
            cwd=place.root,
            env=kept
            | {
                "DAGSTER_HOME": str(settings.dagster_folder.absolute()),
                f"{PREFIX}GATE": str(start_gate(settings)),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
    except OSError as error:
        what = f"{place.python} cannot be started: {error.strerror}"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.locations")) from None


def _agree(place: Place, theirs: Line, settings: Settings) -> None:
    """Make sure that both sides publish into the same store.

    Raises:
        SettingsError: they do not.
    """
    ours = hello(settings)
    wrong = [name for name, value in ours.items() if theirs.get(name) != value]
    if wrong:
        name = wrong[0]
        values = "" if name == "ledger" else f": {theirs.get(name)} there, {ours[name]} here"
        what = f"{place.root} has another {name}{values}"
        then = "domains of one mesh share the settings `store` and `ledger`"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.locations", next=then))


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
