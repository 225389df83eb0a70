"""What the confined process does: close what it inherited, confine itself, do the task."""

from __future__ import annotations

import fcntl
import importlib
import importlib.machinery
import json
import os
import pickle
import resource
import signal
import struct
import sys
import tempfile
import traceback
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any

from dataops_mesh.errors import MeshError, Problem, RunError
from dataops_mesh.transform.confine import landlock, seccomp, semaphore
from dataops_mesh.transform.confine.processes import drop_capabilities
from dataops_mesh.transform.confine.rules import environment_rules
from dataops_mesh.transform.confine.sources import import_from_source
from dataops_mesh.transform.confine.task import Task
from dataops_mesh.transform.redact import all_links, harmless, line_in, safe_message

_RESULT = 3
_MARK = "dataops_mesh_imports_from_here"
_HEAD = struct.Struct("=I")
_LONGEST_TEXT = 200_000
_LONGEST_LINE = 4000
NEEDED_ABI = 3  # below it a file that may not be opened can still be truncated


def work(run: int, writing: int, output: int) -> None:
    """Do the task that comes over the run's socket and write what came of it to the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    # Only whoever asked can have written this: no worker ever held the socket.
    task: Task = pickle.loads(_receive(run))  # noqa: S301
    _keep_only(writing, output)
    told: dict[str, Any]
    try:
        _confine(task)
        sys.modules[_MARK] = ModuleType(_MARK)
        module, name = task.call
        value = getattr(importlib.import_module(module), name)(task.argument)
        told = {"ok": True, "value": value, "modules": _imported()}
    except BaseException as error:  # noqa: BLE001 - also exit(): it ends the task, not the story
        told = {"ok": False, "error": _describe(error, task.file)}
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    left = memoryview(json.dumps(told).encode())
    while left:
        left = left[os.write(_RESULT, left) :]


def _receive(run: int) -> bytes:
    return _exactly(run, *_HEAD.unpack(_exactly(run, _HEAD.size)))


def _exactly(descriptor: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        block = os.read(descriptor, size - len(parts))
        if not block:
            os._exit(1)  # whoever asked is gone
        parts += block
    return bytes(parts)


def _keep_only(writing: int, output: int) -> None:
    """Keep an empty input, two outputs and the pipe of the result; close all else."""
    nothing = os.open(os.devnull, os.O_RDWR)
    # First out of the way: any of them may be 0 to 3.
    high = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (nothing, output, output, writing)]
    for n, one in enumerate(high):
        os.dup2(one, n, inheritable=n != _RESULT)
    os.closerange(_RESULT + 1, os.sysconf("SC_OPEN_MAX"))


def _confine(task: Task) -> None:
    """Give up everything that the task does not need, for good."""
    os.environ.clear()
    os.environ.update(task.environment)
    with suppress(OSError):
        _write("/proc/self/oom_score_adj", b"1000")  # rather this than the gate
    for which, soft, hard in task.limits:
        with suppress(OSError, ValueError):  # a limit above ours
            resource.setrlimit(which, (soft, hard))
    # 1 and not 0: a kernel that pipes dumps to a program ignores 0.
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    drop_capabilities()
    os.umask(0o022)
    os.chdir(task.folder)
    more = tuple(entry for entry in task.path if entry not in sys.path)
    rules = (*environment_rules(task.protected, more), *task.rules)
    sys.path.extend(more)
    import_from_source()
    # Only modules of these folders may be opened, their list may not: every folder of the path
    # is listed for the last time.
    importlib.machinery.PathFinder.find_spec("dataops_mesh_lists_folders")
    level = landlock.restrict(rules, network=task.network)
    filtered = seccomp.install(network=task.network)
    if task.required and (level < NEEDED_ABI or not filtered):
        raise RunError(Problem("this process could not be confined, which is required"))
    tempfile.tempdir = None
    if level:
        semaphore.install()
    if filtered:
        os.utime = _times_stay


def _write(path: str, content: bytes) -> None:
    """Write a few bytes without what `open` makes around a file."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _times_stay(path: Any, *_: Any, **__: Any) -> None:
    """Stand for `os.utime`, which the filter refuses: a copy keeps its own time, `touch` works."""
    os.stat(path)  # noqa: PTH116 - any kind of path


def _imported() -> list[tuple[str, str]]:
    """Return what the task imported: names and files.

    The latest come first. To look at those of the server would copy the pages that they are in.
    """
    try:
        names = list(takewhile(lambda name: name != _MARK, reversed(sys.modules)))
    except RuntimeError:  # a thread of the task imports still
        names = list(sys.modules)
    files = ((name, getattr(sys.modules.get(name), "__file__", None)) for name in sorted(names))
    return [(name, file) for name, file in files if isinstance(file, str)]


def _describe(error: BaseException, file: Path) -> dict[str, Any]:
    """Return what is told of an error, and apart from it the text that may repeat values."""
    links = list(all_links(error))
    whole = "\n".join(
        "".join(traceback.format_exception(link, chain=False)) for link in reversed(links)
    )
    number = error.errno if isinstance(error, OSError) and error.errno else 0
    kind = type(error).__name__ if isinstance(error, MeshError) else ""
    problems = error.problems if isinstance(error, MeshError) else ()
    return {
        "kind": "OSError" if number else kind,
        "errno": number,
        "safe": _clean(safe_message(error)),
        "line": line_in(error, file),
        "problems": [
            {
                "what": _clean(problem.what),
                "file": problem.where.file if problem.where else "",
                "line": problem.where.line if problem.where else 0,
                "choices": [_clean(choice) for choice in problem.choices],
                "next": _clean(problem.next),
            }
            for problem in problems
        ],
        "text": whole[-_LONGEST_TEXT:],
    }


def _clean(text: str) -> str:
    """Return the text as it may be told: not endless, and nothing that steers a terminal."""
    return harmless(text[:_LONGEST_LINE])
