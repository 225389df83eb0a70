"""What Linux offers to keep hold of processes; where it does not, less is held."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_DEATH_SIGNAL, _SUBREAPER = 1, 36
_DAC_OVERRIDE = 1 << 1
_CAPABILITIES_V3 = 0x20080522


def adopt_orphans() -> bool:
    """Become the parent of every descendant that loses its own."""
    return _prctl(_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """End when the parent ends. The signal counts the thread that forked: it must live as long."""
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def children() -> list[int]:
    """Return the children of this process, of which only one thread forks."""
    me = os.getpid()
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{me}/children").read_text().split()]
    except OSError:
        return [pid for pid in _all() if _parent(pid) == me]


def drop_capabilities() -> None:
    """Give up what root has beyond other users, but for files of other users.

    The rules say which files; the store may be another user's.
    """
    if os.geteuid() != 0 or not _is_linux():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    data = (ctypes.c_uint32 * 6)(_DAC_OVERRIDE, _DAC_OVERRIDE, 0, 0, 0, 0)
    if libc.capset(header, data):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def threads() -> list[str]:
    """Return the names of this process's threads."""
    try:
        tasks = list(Path("/proc/self/task").iterdir())
    except OSError:
        return []
    return [(task / "comm").read_text("utf-8").strip() for task in tasks]


def _all() -> list[int]:
    try:
        return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return []


def _parent(pid: int) -> int:
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(state.rpartition(")")[2].split()[1])


def _is_linux() -> bool:
    return os.uname().sysname == "Linux"


def _prctl(option: int, value: int) -> bool:
    if not _is_linux():
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
