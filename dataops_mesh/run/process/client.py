"""Ask the gate process, listen to its stages, and be able to stop at any moment."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from dataops_mesh.errors import Problem, RunError, SettingsError
from dataops_mesh.run.environment import on_line, store_of
from dataops_mesh.run.process.server import ARROW, NO_THREAD, SUFFIX
from dataops_mesh.run.process.wire import (
    CODE,
    Answers,
    Request,
    check_names,
    hello,
    read_error,
    read_report,
)
from dataops_mesh.run.report import Report
from dataops_mesh.settings import PREFIX, Settings
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.store.log import latest_number, read_release

Progress = Callable[[str], None]
PATIENCE = 60  # seconds to wait for a gate that starts, and for a cancelled run to be dead
_BOOT = """
import importlib.util as u, sys
package, path, owner = sys.argv[1:]
spec = u.spec_from_file_location("dataops_mesh", package + "/__init__.py",
                                 submodule_search_locations=[package])
module = sys.modules["dataops_mesh"] = u.module_from_spec(spec)
spec.loader.exec_module(module)
from dataops_mesh.run.process.server import main
main(path, int(owner))
"""


@dataclass(frozen=True, slots=True)
class Own:
    """A gate process that this process has started, and that ends with it.

    Args:
        owner: the end of a pipe that tells the gate that we live.
        pid: our own; a fork of us does not end the gate.
    """

    process: subprocess.Popen[bytes]
    path: Path
    owner: int
    pid: int


_own: list[Own] = []
_starting = threading.Lock()


def gate_run(  # noqa: PLR0913 - keywords, each a fact of the request
    product: Product,
    settings: Settings,
    checks: tuple[Check, ...],
    *,
    run_id: str,
    partition: str | None = None,
    full: bool = False,
    progress: Progress = lambda _: None,
) -> Report:
    """Have the gate build, check and publish a product, or refuse it.

    Args:
        product: what to run, as the caller knows it; the gate reads the declarations itself.
        settings: of the workspace.
        checks: the checks that the caller knows; the gate refuses if the disk has others.
        run_id: on record with the candidate.
        partition: the key of the partition to build.
        full: build without what the product itself published last.
        progress: told one line per stage.

    Raises:
        MeshError: as `run_product`.
    """
    request = request_for(
        "run",
        product=product,
        settings=settings,
        checks=checks,
        run_id=run_id,
        partition=partition or "",
        full=full,
    )
    (line,) = ask_gate(request, settings, progress, code=_code(product))
    return read_report(line, product, checks)


def gate_rebuild(
    product: Product,
    settings: Settings,
    checks: tuple[Check, ...],
    *,
    run_id: str,
    full: bool = False,
) -> tuple[Report, ...]:
    """Have the gate build all partitions of a product again, in one commit."""
    request = request_for(
        "rebuild", product=product, settings=settings, checks=checks, run_id=run_id, full=full
    )
    lines = ask_gate(request, settings, lambda _: None, code=_code(product))
    return tuple(read_report(line, product, checks) for line in lines)


def start_gate(settings: Settings) -> Path:
    """Return the socket of the gate, started now if there is none: it imports while others do."""
    return settings.gate_socket or _start().path


def _code(product: Product) -> bool:
    return product.transform.kind is not TransformKind.SQL


def request_for(  # noqa: PLR0913 - a request says who, what and from where, by keyword
    ask: str,
    *,
    product: Product,
    settings: Settings,
    checks: tuple[Check, ...],
    run_id: str,
    partition: str = "",
    full: bool = False,
) -> Request:
    """Return what to ask of the gate for a product, with who we are."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    environment.pop(f"{PREFIX}GATE", None)
    line = store_of(settings).line
    settings = on_line(settings, line)
    said = {name: str(value) for name, value in hello(settings).items()}
    return Request(
        ask,
        str(settings.root),
        str(product.folder),
        run_id,
        line,
        partition,
        check_names(checks),
        tuple(said.items()),
        environment=tuple(environment.items()),
        python=sys.executable,
        person=settings.person,
        full=full,
    )


def ask_gate(
    request: Request, settings: Settings, progress: Progress, *, code: bool
) -> list[Mapping[str, Any]]:
    """Ask, and return the reports; cancel if anything interrupts the wait."""
    path = start_gate(settings)
    store = store_of(settings)
    since = latest_number(store)
    with _connected(path) as connection:
        answers = Answers(connection)
        asked = {**asdict(request), "token": _token(path)}
        connection.sendall((CODE if code else b"") + json.dumps(asked).encode() + b"\n")
        reports: list[Mapping[str, Any]] = []
        done = False
        try:
            for text in answers.lines():
                if done:  # the process has ended: who goes away before has the gate look why
                    return reports
                done = _take(json.loads(text), reports, progress)
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            _cancel(connection, answers)
            after = range(since + 1, latest_number(store) + 1)
            mine = [n for n in after if read_release(store, n).run_id == request.run_id]
            was = f"after publication {mine[-1]}" if mine else "before anything was published"
            progress(f"cancelled {was}")
            raise
    if done:
        return reports
    raise RunError(Problem("the gate process went away", next="run it again"))


def _take(line: Mapping[str, Any], reports: list[Mapping[str, Any]], progress: Progress) -> bool:
    """Take one line of an answer; tell whether it was the last."""
    if "stage" in line:
        progress(line["stage"])
    elif "report" in line:
        reports.append(line["report"])
    elif "error" in line:
        raise read_error(line)
    elif "done" in line:
        return True
    elif "ended" in line:
        what = f"the process of the run ended with exit status {line['ended']}"
        why = line["why"] or "it was killed, for example for its memory"
        raise RunError(Problem(f"{what}: {why}", next="run it again"))
    return False


def _cancel(connection: socket.socket, answers: Answers) -> None:
    """Stop writing, which cancels, and wait until the gate says that the run's process is dead."""
    with suppress(OSError, ValueError):  # the gate is gone, and its processes with it
        connection.shutdown(socket.SHUT_WR)
        for text in answers.lines(until=time.monotonic() + PATIENCE):
            if "ended" in json.loads(text):
                return


def _connected(path: Path) -> socket.socket:
    """Connect to the gate; one that was started a moment ago may not listen yet."""
    until = time.monotonic() + PATIENCE
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            own = _own[0] if _own and _own[0].path == path else None
            if own is None or own.process.poll() is not None or time.monotonic() > until:
                raise _unreachable(path, own, error) from None
            time.sleep(0.02)
        else:
            return connection


def _unreachable(path: Path, own: Own | None, error: OSError) -> Exception:
    if own is not None:
        what = f"the gate process did not start (exit status {own.process.poll()})"
        return RunError(Problem(what, next="what it said stands above"))
    what = f"no gate process listens at {path}: {error.strerror}"
    return SettingsError(
        Problem(what, key="tool.dataops_mesh.gate", next="start it: docs/production.md")
    )


def _token(path: Path) -> str:
    try:
        return Path(f"{path}{SUFFIX}").read_text("utf-8")
    except OSError as error:
        what = f"{path}{SUFFIX} cannot be read: {error.strerror}"
        raise SettingsError(Problem(what, key="tool.dataops_mesh.gate")) from None


def _start() -> Own:
    """Start a gate process of our own, once."""
    with _starting:
        if _own and _own[0].pid != os.getpid():
            _own.clear()  # our parent's
        if _own and _own[0].process.poll() is not None:
            _end(_own.pop())
        if not _own:
            path = Path(mkdtemp(prefix="mesh-gate-")) / "gate"
            theirs, ours = os.pipe()
            package = str(Path(__file__).parents[2])
            kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_"))}
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-c", _BOOT, package, str(path), str(theirs)],
                env={**kept, ARROW: NO_THREAD},
                pass_fds=[theirs],
                stdin=subprocess.DEVNULL,
                stdout=2,
                start_new_session=True,
            )
            os.close(theirs)
            _own.append(Own(process, path, ours, os.getpid()))
            if len(_own) == 1:
                atexit.register(stop_gate)
        return _own[0]


def stop_gate() -> None:
    """End the gate process that this process has started, if there is one."""
    with _starting:
        if _own and _own[0].pid == os.getpid():
            _end(_own.pop())


def _end(own: Own) -> None:
    os.close(own.owner)
    own.process.terminate()  # one that still imports does not look at the pipe yet
    with suppress(subprocess.TimeoutExpired):
        own.process.wait(PATIENCE)
    shutil.rmtree(own.path.parent, ignore_errors=True)
