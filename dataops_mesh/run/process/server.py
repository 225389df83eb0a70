"""The gate's server: one thread, started by exec, that forks a process for each request.

It imports what an audit needs once, and no code of a domain ever. A request whose caller goes
away, or stops writing, is cancelled: its process is killed, and only then is the caller told. So
nothing is committed after a cancel was acknowledged. How such a run ended is put on record by a
process of its own, before the caller is told.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import secrets
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dataops_mesh.run.process.wire import CODE, LONGEST

ARROW, NO_THREAD = "JE_ARROW_MALLOC_CONF", "background_thread:false"
SUFFIX = ".token"  # beside the socket: what a caller must know
_PDEATHSIG = 1
_BACKLOG = 64
CANCELLED, GONE, STOPPED = "cancelled", "its caller went away", "the gate process was stopped"
_GONE = select.POLLHUP | select.POLLRDHUP | select.POLLERR


@dataclass(slots=True)
class Call:
    """A connection: first its request is read, then a process works for it.

    Args:
        said: what was read of the request.
        worker: the process that answers; 0 while the request is read.
        why: why the process was killed; empty if it was not.
        request: the text of the request, as long as somebody works for it.
        begun: when that began.
        end: how the worker ended, while that is put on record.
    """

    socket: socket.socket
    said: bytearray = field(default_factory=bytearray)
    worker: int = 0
    why: str = ""
    request: bytes = b""
    begun: datetime = field(default_factory=partial(datetime.now, UTC))
    end: int | None = None


def serve(listener: socket.socket, token: str, *, owner: int | None) -> None:
    """Answer requests until the owner is gone, or for good.

    Args:
        listener: a UNIX socket that listens.
        token: what a request must know.
        owner: a pipe that ends when the process that started this one does; None for a server
            of its own, which obeys only its own environment.
    """
    listener.setblocking(False)
    wake, notify = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to tell
    poll = select.poll()
    for fd in (listener.fileno(), wake, *(() if owner is None else (owner,))):
        poll.register(fd, select.POLLIN)
    calls: dict[int, Call] = {}
    while not stopped:
        for fd, event in poll.poll():
            if fd == listener.fileno():
                for new in _accepted(listener):
                    calls[new.socket.fileno()] = new
                    poll.register(new.socket, select.POLLIN | select.POLLRDHUP)
            elif fd == wake:
                _drain(wake)
            elif fd == owner:
                stopped.append(0)
            elif (call := calls.get(fd)) is not None:
                _attend(call, event, poll, token, calls.values(), own=owner is not None)
        for call in [call for call in calls.values() if _ended(call, token, own=owner is not None)]:
            poll.unregister(call.socket)
            del calls[call.socket.fileno()]
            call.socket.close()
    for call in calls.values():
        _kill(call, STOPPED if owner is None else GONE)
    for call in [call for call in calls.values() if call.worker and call.end is None]:
        with suppress(ChildProcessError):
            os.waitpid(call.worker, 0)
            os.waitpid(_recorder(call, token, own=owner is not None), 0)


def _accepted(listener: socket.socket) -> Iterator[Call]:
    while True:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        yield Call(connection)


def _attend(  # noqa: PLR0913 - what the loop knows
    call: Call,
    event: int,
    poll: select.poll,
    token: str,
    others: Iterable[Call],
    *,
    own: bool,
) -> None:
    """Read on a request, begin its work when it is whole, end the work when the caller goes."""
    if call.worker:
        if event & _GONE:  # who cancels stops writing and waits for us to say that it is done
            _kill(call, GONE if event & (select.POLLHUP | select.POLLERR) else CANCELLED)
        return
    try:
        block = call.socket.recv(65536)
    except (BlockingIOError, ConnectionResetError):
        block = b""
    call.said += block
    if b"\n" in call.said:
        poll.modify(call.socket, select.POLLRDHUP)
        _begin(call, token, others, own=own)
    elif not block or len(call.said) > LONGEST:
        call.why = "no request"


def _begin(call: Call, token: str, others: Iterable[Call], *, own: bool) -> None:
    text = bytes(call.said.partition(b"\n")[0])
    call.said.clear()
    call.request, call.begun = text, datetime.now(UTC)
    if text.startswith(CODE):
        _prepare()

    def work() -> None:
        from dataops_mesh.run.process.work import answer

        for other in others:  # or their callers would not see the end of their answers
            if other is not call:
                other.socket.close()
        call.socket.setblocking(True)
        answer(call.socket, text, token, own=own)

    call.worker = _forked(work)


def _forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own, that dies with this one, and return its number."""
    server = os.getpid()
    if child := os.fork():
        return child
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        if os.getppid() == server:
            work()
            status = 0
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _recorder(call: Call, token: str, *, own: bool) -> int:
    """Start the process that puts on record how a run ended that cannot say so itself."""

    def work() -> None:
        from dataops_mesh.run.process.ending import record_ending
        from dataops_mesh.run.process.work import user_of

        why = call.why or f"its process ended with exit status {call.end}"
        user = user_of(call.socket)
        cancelled = call.why == CANCELLED
        record_ending(call.request, token, call.begun, user, why, cancelled=cancelled, own=own)

    return _forked(work)


def _prepare() -> None:
    """Start what confines domain code before the fork: all processes that fork share it."""
    from dataops_mesh.transform.confine.client import start

    with suppress(OSError):  # the worker says what is wrong
        start()


def _kill(call: Call, why: str) -> None:
    if call.worker and call.end is None and not call.why:
        call.why = why
        with suppress(ProcessLookupError):
            os.killpg(call.worker, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(call.worker, signal.SIGKILL)


def _ended(call: Call, token: str, *, own: bool) -> bool:
    """Tell whether a call is over; the caller is told how its process ended.

    A process that ended by itself has said everything; of another, that is put on record first.
    """
    if not call.worker:
        return bool(call.why)
    with suppress(ChildProcessError):
        pid, status = os.waitpid(call.worker, os.WNOHANG)
        if not pid:
            return False
        if call.end is None:
            call.end = os.waitstatus_to_exitcode(status)
            if call.why or call.end:
                call.worker = _recorder(call, token, own=own)
                return False
        with suppress(OSError):
            line = {"ended": call.end, "why": call.why}
            call.socket.sendall(json.dumps(line).encode() + b"\n")
    return True


def _drain(fd: int) -> None:
    with suppress(BlockingIOError):
        os.read(fd, 4096)


def thread_names() -> list[str]:
    """Return the names of the threads of this process."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found.append((thread / "comm").read_text("utf-8").strip())
    return found


def preload(folder: Path | None) -> None:
    """Import what an audit needs, and make sure that this process may fork.

    Args:
        folder: for what goes again; where its owner deletes it, should we be ended meanwhile.

    Raises:
        RuntimeError: a library started a thread; after a fork its locks could be held for ever.
    """
    from dataops_mesh.run.process.warm import warm_up

    warm_up(folder)
    if not (child := os.fork()):  # OpenBLAS ends its threads in a handler of the first fork
        os._exit(0)
    os.waitpid(child, 0)
    if len(found := thread_names()) > 1:
        raise RuntimeError(f"threads before the fork: {found}")
    gc.collect()
    gc.freeze()


def main(path: str, owner: int | None = None) -> None:
    """Serve on a new socket at `path`, with a token in `path.token`, until there is no reason to.

    Args:
        path: where to listen; whoever may read the token file may ask.
        owner: see `serve`.
    """
    token = secrets.token_hex(16)
    key = Path(f"{path}{SUFFIX}")
    for old in (Path(path), key):
        old.unlink(missing_ok=True)
    key.touch(mode=0o600)
    key.write_text(token, "utf-8")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        Path(path).chmod(0o600)
        listener.listen(_BACKLOG)  # whoever asks meanwhile waits
        preload(None if owner is None else Path(path).parent)
        serve(listener, token, owner=owner)
    finally:
        for made in (Path(path), key):
            made.unlink(missing_ok=True)


if __name__ == "__main__":
    if ARROW not in os.environ:  # Arrow reads it when it is loaded, and its thread forbids a fork
        command = [sys.executable, "-I", "-m", "dataops_mesh.run.process.server", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, ARROW: NO_THREAD})  # noqa: S606
    main(sys.argv[1])
