"""Ask the fork server for a task, wait, and be able to stop at any moment.

The server belongs to the process that started it. Processes forked from that one use it too: the
control socket takes whole messages from anybody who holds it, each with a socket of its own for
the answer. Nobody waits for the server's process; that it is gone shows at the socket.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import pickle
import resource
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, RunError
from dataops_mesh.transform.confine.preload import ENVIRONMENT
from dataops_mesh.transform.confine.task import Task
from dataops_mesh.transform.redact import harmless

# What a program needs to find its files, speak the right language and trust the right servers.
_KEPT = frozenset(
    {
        *("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    }
)
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
_LIMITS = ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")
_LIBRARIES = ("site-packages", "dist-packages")
_MOST_OUTPUT = 1 << 20
_PATIENCE_SECONDS = 5.0
# Loads this very package by its place, whatever else the interpreter could import by that name.
_BOOT = """\
import importlib.util as u, sys
init, folder, descriptor, *more = sys.argv[1:]
sys.path += [entry for entry in more if entry not in sys.path]
spec = u.spec_from_file_location("dataops_mesh", init, submodule_search_locations=[folder])
module = u.module_from_spec(spec)
sys.modules["dataops_mesh"] = module
spec.loader.exec_module(module)
from dataops_mesh.transform.confine.forkserver import main
main(int(descriptor))
"""

Output = Callable[[str], None]


@dataclass(slots=True)
class Server:
    """A running fork server, as whoever holds its control socket sees it."""

    control: socket.socket
    pid: int
    owner: int

    def is_alive(self) -> bool:
        """Tell whether somebody reads the other end."""
        poll = select.poll()
        poll.register(self.control, 0)
        return not poll.poll(0)

    def close(self) -> None:
        """Let go of the server; the process that started it ends it, whoever else holds it."""
        mine = self.owner == os.getpid()
        with suppress(OSError):
            if mine:
                self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()
        if mine:
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)


_servers: dict[str, Server] = {}
_starting = threading.RLock()


def _unlock() -> None:
    global _starting  # noqa: PLW0603 - a thread that no longer exists may hold it
    _starting = threading.RLock()


os.register_at_fork(after_in_child=_unlock)


def start(python: Path | None = None) -> Server:
    """Return the fork server of an interpreter, started if there is none or it is gone.

    Args:
        python: the interpreter; absent for ours. It needs what we import, and no more.
    """
    program = str(python or sys.executable)
    with _starting:
        known = _servers.get(program)
        if known is not None and known.is_alive():
            return known
        if known is not None:
            known.close()
        _servers[program] = _start(program)
        return _servers[program]


def run(
    task: Task,
    *,
    kind: str = "python",
    seconds: float = 0.0,
    python: Path | None = None,
    output: Output | None = None,
) -> dict[str, Any]:
    """Do a task in a confined process and return what the server says of it.

    When this returns, no process of the task exists. Whatever is raised here while it waits (an
    interrupt) ends the task first.

    Args:
        task: what to do.
        kind: `dbt` if it needs dbt, `dlt` if it needs dlt.
        seconds: after which it is ended; 0 for never.
        python: the interpreter; absent for ours.
        output: receives what the task prints; absent for our standard error.

    Returns:
        `why` it was ended (or nothing), its `exit` status, its `result` as JSON text, and the
        `seconds` of CPU that it took.

    Raises:
        RunError: there was no server to do it, or the server ended.
    """
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    try:
        with ours:
            try:
                _ask(python, {"kind": kind, "seconds": seconds}, theirs, writing)
            finally:
                theirs.close()
                os.close(writing)
            content = pickle.dumps(task)
            with suppress(BrokenPipeError, ConnectionResetError):  # told below: no answer
                ours.sendall(struct.pack("=I", len(content)) + content)
            answer = _wait(ours, reading, output or _to_stderr)
    finally:
        os.close(reading)
    try:
        told: dict[str, Any] = json.loads(answer)
    except ValueError:
        what = "the server of confined processes ended, or could not start"
        raise RunError(Problem(what, next="what it said last is on the standard error")) from None
    return told


def environment(folder: Path, *, network: bool) -> dict[str, str]:
    """Return the environment of a worker: an allow-list of ours, and its own folder."""
    proxies = _PROXIES if network else frozenset()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith("LC_") or name.lower() in proxies
    }
    own = {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **own}


def limits() -> tuple[tuple[int, int, int], ...]:
    """Return what this process is limited to, as far as it is."""
    found = []
    for name in _LIMITS:
        which = getattr(resource, name, None)
        if which is not None and resource.getrlimit(which)[0] != resource.RLIM_INFINITY:
            found.append((which, *resource.getrlimit(which)))
    return tuple(found)


def _start(program: str) -> Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    init = Path(sys.modules["dataops_mesh"].__file__ or "")
    same = program == sys.executable  # the libraries of another one are its own matter
    libraries = [p for p in sys.path if same and Path(p).name in _LIBRARIES]
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - an interpreter, and our own words
            [program, "-I", "-c", _BOOT, init, init.parent, str(theirs.fileno()), *libraries],
            env=kept | ENVIRONMENT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    # Its end is seen at the socket and waited for by us, not by whoever collects `process`.
    process.returncode = 0
    _close_at_exit()
    return Server(ours, process.pid, os.getpid())


@cache
def _close_at_exit() -> None:
    atexit.register(_close_all)


def _close_all() -> None:
    for server in _servers.values():
        if server.owner == os.getpid():
            server.close()


def _ask(python: Path | None, message: dict[str, Any], theirs: socket.socket, writing: int) -> None:
    descriptors = array.array("i", [theirs.fileno(), writing])
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
    text = json.dumps(message).encode()
    for last in (False, True):
        try:
            start(python).control.sendmsg([text], ancillary)
        except OSError as error:
            if last:
                what = "the server of confined processes cannot be reached"
                raise RunError(Problem(what)) from error
        else:
            return


def _wait(ours: socket.socket, reading: int, output: Output) -> bytes:
    """Read the answer, and what the task prints, until the server has said all."""
    poll, answer, printed = select.poll(), bytearray(), 0
    poll.register(ours, select.POLLIN)
    poll.register(reading, select.POLLIN)
    try:
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if reading in ready:
                block = os.read(reading, 1 << 16)
                if not block:
                    poll.unregister(reading)
                if block and printed < _MOST_OUTPUT:
                    output(block.decode("utf-8", "replace"))
                    printed += len(block)
            if ours.fileno() in ready:
                block = b""
                with suppress(ConnectionResetError):  # the server was killed: it says no more
                    block = ours.recv(1 << 20)
                if not block:
                    return bytes(answer)
                answer += block
    except BaseException:
        _end(ours)
        raise


def _end(ours: socket.socket) -> None:
    """Have the server end the task, and wait until nothing of it exists."""
    with suppress(OSError):
        ours.shutdown(socket.SHUT_WR)
        ours.settimeout(_PATIENCE_SECONDS)
        while ours.recv(1 << 20):
            pass


def _to_stderr(text: str) -> None:
    """Show what a task prints, but for what would steer a terminal."""
    sys.stderr.write(harmless(text))
