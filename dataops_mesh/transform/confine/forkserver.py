"""The fork server: imports what transforms need, never a transform; forks a worker per job.

Started by exec with a clean environment, so it holds no secret that a worker could find in its
memory, and it has one thread when it forks. It adopts whatever loses its parent, ends all that a
job leaves behind, and only then says how the job went. Whoever closes the job's socket ends it.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dataops_mesh.transform.confine import preload
from dataops_mesh.transform.confine.processes import adopt_orphans, children, end_with_parent
from dataops_mesh.transform.confine.worker import work

LARGEST = 4 << 20
_BLOCK = 1 << 16
_POLL_SECONDS = 60.0
_GONE = getattr(select, "POLLRDHUP", 0)  # elsewhere only a socket closed both ways is told


@dataclass(slots=True)
class Job:
    """A worker that runs, and whoever asked for it."""

    run: int
    reading: int
    worker: int
    deadline: float | None
    result: bytearray = field(default_factory=bytearray)
    why: str = ""

    def take(self) -> bool:
        """Read what the worker says; tell whether it may say more."""
        try:
            block = os.read(self.reading, _BLOCK)
        except BlockingIOError:
            return True
        self.result += block
        if len(self.result) > LARGEST:
            self.why = self.why or "its result is too large"
            return False
        return bool(block)


def main(control: int) -> None:
    """Serve until nobody holds the other end of the control socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.dont_write_bytecode = True
    adopt_orphans()
    preload.python()
    Server(socket.socket(fileno=control)).serve()


class Server:
    """One poll over the control socket, the jobs' sockets and pipes, and ended children."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.jobs: dict[int, Job] = {}  # by worker
        self.by_descriptor: dict[int, Job] = {}
        self.dbt_jobs = 0
        self.poll = select.poll()
        self.woken, waking = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll.register(control, select.POLLIN)
        self.poll.register(self.woken, select.POLLIN)

    def serve(self) -> None:
        """Handle one event after the other."""
        open_for_more = True
        while open_for_more:
            for descriptor, _ in self.poll.poll(self._wait()):
                if descriptor == self.control.fileno():
                    open_for_more = self._accept()
                elif descriptor == self.woken:
                    with suppress(BlockingIOError):
                        os.read(self.woken, _BLOCK)
                elif (job := self.by_descriptor.get(descriptor)) is not None:
                    self._hear(job, descriptor)
            now = time.monotonic()
            for job in self.jobs.values():
                if job.deadline is not None and now > job.deadline:
                    job.why = job.why or "exceeded its time limit"
                if job.why:
                    _kill(job.worker)
            self._reap()
        for job in self.jobs.values():
            _kill(job.worker)
        self.jobs.clear()
        self._reap()

    def _wait(self) -> float:
        """Return the milliseconds until the first time limit."""
        limits = [job.deadline for job in self.jobs.values() if job.deadline is not None]
        soonest = min(limits, default=time.monotonic() + _POLL_SECONDS) - time.monotonic()
        return max(0.0, min(soonest, _POLL_SECONDS)) * 1000 + 1

    def _accept(self) -> bool:
        """Start the job that was asked for; tell whether anybody may ask again."""
        data, descriptors = _receive(self.control)
        if not data:
            return False
        wanted = json.loads(data)
        run, output = descriptors
        if wanted["kind"] == "dbt":
            preload.dbt(self.dbt_jobs)
            self.dbt_jobs += 1
        if wanted["kind"] == "dlt":
            preload.dlt()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        me = os.getpid()
        worker = os.fork()
        if not worker:
            _be_worker(me, run, writing, output)
        os.close(writing)
        os.close(output)
        seconds = wanted["seconds"]
        deadline = time.monotonic() + seconds if seconds else None
        job = Job(run, reading, worker, deadline)
        self.jobs[worker] = job
        self.by_descriptor |= {run: job, reading: job}
        # Not what comes in: the worker reads the job itself. Only that whoever asked went away.
        self.poll.register(run, _GONE)
        self.poll.register(reading, select.POLLIN)
        return True

    def _hear(self, job: Job, descriptor: int) -> None:
        if descriptor == job.run:
            job.why = job.why or "was cancelled"
            self._forget(descriptor)
        elif not job.take():
            self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        if self.by_descriptor.pop(descriptor, None) is not None:
            self.poll.unregister(descriptor)

    def _reap(self) -> None:
        """End what no live job started, until there is none; then say how ended jobs went."""
        ended: list[tuple[Job, int, Any]] = []
        while True:
            strangers = [pid for pid in children() if pid not in self.jobs]
            for pid in strangers:
                _kill(pid)
            found = _wait_for_any()
            for pid, status, usage in found:
                if (job := self.jobs.pop(pid, None)) is not None:
                    ended.append((job, status, usage))
            if not found and not strangers:
                break
            if not found:
                time.sleep(0.001)
        for job, status, usage in ended:
            while not job.why and job.reading in self.by_descriptor and _more(job):
                pass
            self._forget(job.run)
            self._forget(job.reading)
            _tell(job, status, usage)
            os.close(job.run)
            os.close(job.reading)


def _more(job: Job) -> bool:
    before = len(job.result)
    return job.take() and len(job.result) > before


def _be_worker(server: int, run: int, writing: int, output: int) -> None:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        end_with_parent(server)
        work(run, writing, output)
    finally:
        os._exit(0)


def _receive(control: socket.socket) -> tuple[bytes, array.array[int]]:
    descriptors = array.array("i")
    data, ancillary, _, _ = control.recvmsg(4096, socket.CMSG_SPACE(2 * descriptors.itemsize))
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content)
    return data, descriptors


def _wait_for_any() -> list[tuple[int, int, Any]]:
    found = []
    with suppress(ChildProcessError):
        while (ended := os.wait4(-1, os.WNOHANG))[0]:
            found.append(ended)
    return found


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _tell(job: Job, status: int, usage: Any) -> None:
    told = {
        "why": job.why,
        "exit": os.waitstatus_to_exitcode(status),
        "result": "" if job.why else job.result.decode("utf-8", "replace"),
        "seconds": usage.ru_utime + usage.ru_stime,
    }
    left = memoryview(json.dumps(told).encode())
    with suppress(OSError):  # whoever asked is gone
        while left:
            left = left[os.write(job.run, left) :]
