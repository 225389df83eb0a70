"""What Landlock does not see: a small filter of system calls.

https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # offsets of what the filter sees
_X32 = 0x40000000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2
_INET, _INET6, _NETLINK = 2, 10, 16  # netlink: getaddrinfo asks it for the addresses
_NAMESPACES = 0x7E020000  # CLONE_NEW*
# ioctl reaches what an open file is, whatever it was opened for: flags of the inode (three
# ways), verity, encryption; and it types into terminals.
_IOCTLS = (0x40086602, 0x401C5820, 0x40806685, 0x800C6613, 0x5412, 0x541C)


@dataclass(frozen=True, slots=True)
class _Calls:
    """The numbers of one architecture.

    Args:
        silent: seem to work and do nothing: changes of mode, owner, attributes.
        absent: as on a kernel that has them not; whoever asks takes another way.
        refused: operation not permitted.
        own: permitted for the calling process only (its id, or 0).
    """

    architecture: int
    socket: int
    clone: int
    ioctl: int
    silent: tuple[int, ...]
    refused: tuple[int, ...]
    own: tuple[int, ...]
    absent: tuple[int, ...] = (425, 426, 427, 435)  # io_uring, clone3: glibc goes on with clone


# The same numbers everywhere: open_tree and the other calls of mounting, pidfd_getfd,
# process_madvise, mount_setattr, process_mrelease, file_setattr.
_NEW = (428, 429, 430, 431, 432, 433, 438, 440, 442, 448, 469)
_TABLE = {
    "x86_64": _Calls(
        architecture=0xC000003E,
        socket=41,
        clone=56,
        ioctl=16,
        # chmod, chown, setxattr and removexattr in all spellings
        silent=(90, 91, 92, 93, 94, 188, 189, 190, 197, 198, 199, 260, 268, 452, 463, 466),
        refused=(
            *(248, 249, 250, 101, 310, 311, 312),  # keys, ptrace, memory of others, kcmp
            *(321, 298, 323, 272, 308, 165, 166, 155, 161),  # bpf, perf, faults, namespaces, mounts
            *(175, 313, 176, 303, 304, 103, 163, 179),  # modules, handles, log, accounting, quota
            *(29, 30, 31, 64, 68, 240),  # System V memory, semaphores, messages; POSIX queues
            *(254, 300, 141, 251, 256, 279),  # watching files; priorities, pages of others
            *(132, 235, 261, 280),  # times of files
            *_NEW,
        ),
        own=(302, 203, 142, 144, 314),  # prlimit64, CPU affinity, scheduling
    ),
    "aarch64": _Calls(
        architecture=0xC00000B7,
        socket=198,
        clone=220,
        ioctl=29,
        silent=(5, 6, 7, 14, 15, 16, 52, 53, 54, 55, 452, 463, 466),
        refused=(
            *(217, 218, 219, 117, 270, 271, 272),
            *(280, 241, 282, 97, 268, 40, 39, 41, 51),
            *(105, 273, 106, 264, 265, 116, 89, 60),
            *(194, 195, 196, 190, 186, 180),
            *(27, 262, 140, 30, 238, 239, 88),
            *_NEW,
        ),
        own=(261, 122, 118, 119, 274),
    ),
}

_Line = tuple[int, int, int, int]


def available() -> bool:
    """Tell whether there is a filter for this machine."""
    return platform.system() == "Linux" and platform.machine() in _TABLE


def install(*, network: bool) -> bool:
    """Filter the system calls of this thread and all that it starts; False where it cannot.

    Args:
        network: may open sockets of IPv4 and IPv6; without, none at all.
    """
    if not available():
        return False
    lines = _program(_TABLE[platform.machine()], network=network)
    code = b"".join(struct.pack("=HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(lines), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _program(calls: _Calls, *, network: bool) -> list[_Line]:
    refuse = _ERRNO | errno.EPERM
    lines: list[_Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, calls.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, refuse),
    ]
    for numbers, answer in (
        (calls.silent, _ERRNO),
        (calls.absent, _ERRNO | errno.ENOSYS),
        (calls.refused, refuse),
    ):
        for number in numbers:
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)]
    families = (_INET, _INET6, _NETLINK) if network else ()
    denied = _ERRNO | errno.EACCES
    lines += _argument((calls.socket, _FIRST), _EQUAL, families, (_ALLOW, denied))
    lines += _argument((calls.clone, _FIRST), _ANY_BIT, (_NAMESPACES,), (refuse, _ALLOW))
    lines += _argument((calls.ioctl, _SECOND), _EQUAL, _IOCTLS, (refuse, _ALLOW))
    for number in calls.own:
        lines += _argument((number, _FIRST), _EQUAL, (0,), (_ALLOW, refuse))
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def _argument(
    place: tuple[int, int], test: int, values: tuple[int, ...], answers: tuple[int, int]
) -> list[_Line]:
    """Answer a call by the low half of one argument: the first answer if a value fits."""
    (number, offset), (then, other) = place, answers
    tests = [(test, len(values) - n, 0, value) for n, value in enumerate(values)]
    body: list[_Line] = [(_LOAD, 0, 0, offset), *tests, (_RETURN, 0, 0, other)]
    if values:
        body.append((_RETURN, 0, 0, then))
    return [(_EQUAL, 0, len(body), number), *body]
