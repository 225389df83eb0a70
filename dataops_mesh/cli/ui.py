"""`mesh ui`: Dagster's own processes on the workspace, and one gate process for all of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from dataops_mesh.cli.output import INTERRUPTED, WRONG, say
from dataops_mesh.cli.workspace import open_readable, say_unreadable
from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.settings import PREFIX

DAGSTER = "DAGSTER_"
_LINK = re.compile("(tcp|udp|sctp)://")
PATIENCE = 5  # seconds for what was started to end by itself
# Ends the group once `mesh ui` is gone, however that went: a closed terminal, `kill -9`.
_WATCH = """
import os, signal, sys, time
sys.stdin.buffer.read()
try:
    os.killpg(int(sys.argv[1]), signal.SIGTERM)
    for _ in range(int(sys.argv[2]) * 10):
        time.sleep(0.1)
        os.killpg(int(sys.argv[1]), 0)
    os.killpg(int(sys.argv[1]), signal.SIGKILL)
except ProcessLookupError:
    pass
"""


def start_ui(arguments: Sequence[str]) -> int:
    """Start `dagster dev` on the workspace, with a warm gate, and end both together."""
    from dataops_mesh.factory.instance import dagster_home
    from dataops_mesh.run.process.client import start_gate

    settings, mesh = open_readable()
    say_unreadable(mesh)
    file = settings.root / "workspace.yaml"
    if not file.is_file():
        raise SettingsError(Problem(f"{file} is missing", next="mesh workspace"))
    ours = {"DAGSTER_HOME": str(dagster_home(settings)), f"{PREFIX}GATE": str(start_gate(settings))}
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(file), *arguments]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, cwd=settings.root, env={**environment(), **ours}, start_new_session=True
        )
    except OSError as error:
        say(f"error: dagster dev could not be started: {error}")
        return WRONG
    watch = _watch(process)
    try:
        return process.wait()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _end_group(process)
        watch.communicate()


def environment() -> dict[str, str]:
    """Return the environment without what Dagster would take for options of its own.

    Kubernetes tells every pod of a service `dagster-code-server` in DAGSTER_CODE_SERVER_PORT.
    """
    every = os.environ.items()
    return {k: v for k, v in every if not (k.startswith(DAGSTER) and _LINK.match(v))}


def _watch(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Start what ends the process's group when this process is gone: it reads a pipe of ours."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", _WATCH, str(process.pid), str(PATIENCE)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything it started: webserver, daemon, code servers, runs."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and _is_alive(process):
            time.sleep(0.05)


def _is_alive(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether anything of the process's group is left."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
