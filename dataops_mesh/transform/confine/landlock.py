"""The Landlock system calls, and nothing else: what a process may open, for good.

https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_NO_NEW_PRIVS = 38
_VERSION = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REMOVE_FILE, MAKE_FILE = 1 << 5, 1 << 8
_REMOVE_DIR, _MAKE_DIR, _MAKE_LINK = 1 << 4, 1 << 7, 1 << 12
_REFER, TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_BY_ABI = {1: (1 << 13) - 1, 2: _REFER, 3: TRUNCATE, 5: _IOCTL_DEVICE, 9: 1 << 16}
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | _IOCTL_DEVICE
READ = READ_FILE | READ_DIR
RUN = READ | EXECUTE
# Make, change, rename and remove files and folders; no devices, no sockets, no pipes.
WRITE = (
    READ
    | WRITE_FILE
    | TRUNCATE
    | MAKE_FILE
    | REMOVE_FILE
    | _MAKE_DIR
    | _REMOVE_DIR
    | _MAKE_LINK
    | _REFER
)
_TCP, _TCP_ABI = 3, 4  # bind and connect
_SCOPES, _SCOPES_ABI = 3, 6  # abstract sockets and signals

Rules = Iterable[tuple[str, int]]
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def abi() -> int:
    """Return the kernel's version of Landlock; 0 where there is none."""
    try:
        return _call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError as error:
        # No such call, switched off at boot, or refused by a container's filter.
        if error.errno in {errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
            return 0
        raise


def restrict(rules: Rules, *, network: bool) -> int:
    """Confine this thread, and all that it starts, to the paths; return the ABI that was used.

    A path that does not exist gives no right. To be called before a second thread exists.

    Args:
        rules: paths and what may be done below them.
        network: may connect by TCP; without, not even to this machine.
    """
    version = abi()
    if not version:
        return 0
    handled = sum(rights for since, rights in _BY_ABI.items() if since <= version)
    ruleset = _ruleset(version, handled, network=network)
    try:
        for path, rights in rules:
            _add(ruleset, path, rights & handled)
        if _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise _failed()
        _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return version


def _ruleset(version: int, handled: int, *, network: bool) -> int:
    tcp = 0 if network else _TCP
    parts = [handled]
    if version >= _TCP_ABI:
        parts.append(tcp)
    if version >= _SCOPES_ABI:
        parts.append(_SCOPES)
    attributes = struct.pack(f"={len(parts)}Q", *parts)
    return _call(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))


def _add(ruleset: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_FILES
        if rights:
            rule = struct.pack("=Qi", rights, opened)
            _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(opened)


def _call(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise _failed()
    return result


def _failed() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
