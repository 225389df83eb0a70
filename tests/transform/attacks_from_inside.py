"""A transform that tries to get out: each attack says `open` if it succeeded.

The test copies this file as `transform.py` of a product; `facts.json` beside it says where
everything is. It runs as it is on any version of the library.
"""

# Attackers call the system, not pathlib.
# ruff: noqa: ANN002, ANN202, BLE001, PLW0108, S103
# ruff: noqa: PTH101, PTH104, PTH108, PTH115, PTH123, PTH208, PTH211

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sysconfig
from pathlib import Path

import duckdb
import pyarrow as pa

_FILE = Path(__file__).with_name("facts.json")
FACTS = json.loads(_FILE.read_text()) if _FILE.exists() else {}
LIBC = ctypes.CDLL(None, use_errno=True)
ME = Path(__file__)


def reads(path):
    return lambda: Path(path()).read_bytes()[:1]


def call(number, *arguments):
    found = LIBC.syscall(ctypes.c_long(number), *arguments)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def victim():
    return FACTS["victim"]


def given():
    """A file that the transform may read: its declared input."""
    return FACTS["input"]


def parent():
    return FACTS["parent"]


def write(path, mode="wb"):
    with open(path, mode) as file:
        file.write(b"x")


def append_to_what_is_open():
    descriptor = os.open(f"/proc/self/root{victim()}", os.O_WRONLY)
    os.write(descriptor, b"x")


def run_cat():
    subprocess.run(["/bin/cat", victim()], check=True, capture_output=True)


def by_shell():
    subprocess.run(["/bin/sh", "-c", f"echo x >> {victim()}"], check=True, capture_output=True)


def signal_parent():
    os.kill(parent(), 0)


def vector():
    buffer = ctypes.create_string_buffer(16)
    own = struct.pack("PN", ctypes.addressof(buffer), 16)
    theirs = struct.pack("PN", FACTS["memory"], 16)
    call(
        310,
        ctypes.c_int(parent()),
        own,
        ctypes.c_ulong(1),
        theirs,
        ctypes.c_ulong(1),
        ctypes.c_ulong(0),
    )


def prlimit_parent():
    import resource

    resource.prlimit(parent(), resource.RLIMIT_CPU, resource.prlimit(parent(), resource.RLIMIT_CPU))


def take_descriptor():
    pidfd = call(434, ctypes.c_int(parent()), ctypes.c_uint(0))
    call(438, ctypes.c_int(pidfd), ctypes.c_int(0), ctypes.c_uint(0))


def connects(family, kind, address):
    def attack():
        with socket.socket(family, kind) as found:
            found.settimeout(3)
            found.connect(address())
            found.send(b"x")

    return attack


def flags():
    with open(given(), "rb") as file:
        now = fcntl.ioctl(file, 0x80086601, struct.pack("q", 0))
        fcntl.ioctl(file, 0x40086602, struct.pack("q", struct.unpack("q", now)[0] | 0x40))


def environment():
    if "a secret of the parent" not in str(os.environ) + Path("/proc/self/environ").read_text():
        raise PermissionError


def descriptors():
    """Only the standard ones, the result's pipe, and those opened by ourselves are there."""
    found = {
        os.readlink(f"/proc/self/fd/{n}")
        for n in os.listdir("/proc/self/fd")
        if Path(f"/proc/self/fd/{n}").exists()
    }
    store = FACTS["store"]
    if not [name for name in found if name.startswith((store, "socket:"))]:
        raise PermissionError


def others_port():
    (Path(victim()).parent / "part-9.parquet").write_bytes(b"x")


def forge_manifest():
    for candidate in Path(FACTS["store"]).glob("candidates/evil/thing/*"):
        (candidate / "manifest.json").write_text("{}")
        return
    raise PermissionError


def daemon_of_another_user():
    os.setuid(12345)
    os.kill(parent(), 0)


ATTACKS = {
    # reading
    "read another product's published file": reads(victim),
    "read it with DuckDB": lambda: duckdb.sql(f"from read_parquet('{victim()}')").fetchall(),
    "read it with cat": run_cat,
    "read it by way of /proc/self/root": reads(lambda: f"/proc/self/root{victim()}"),
    "read it by way of its own folder": reads(
        lambda: ME.parent / os.path.relpath(victim(), ME.parent)
    ),
    "read a link that was made to it": lambda: (
        os.symlink(victim(), "link"),
        Path("link").read_bytes(),
    ),
    "read another domain's source": reads(lambda: FACTS["source"]),
    "list the store": lambda: os.listdir(FACTS["store"]),
    "read the release log": reads(lambda: FACTS["release"]),
    "read the ledger": reads(lambda: f"{FACTS['store']}/ledger.sqlite"),
    "read Dagster's folder": reads(lambda: FACTS["dagster"]),
    "read the secrets of alerts": reads(lambda: FACTS["alerts"]),
    "read the workspace's settings": reads(lambda: FACTS["settings"]),
    "read the passwords of the system": reads(lambda: "/etc/shadow"),
    "list the user's home": lambda: os.listdir(FACTS["home"]),
    "read another's temporary file": reads(lambda: FACTS["temporary"]),
    "read the parent's environment": reads(lambda: f"/proc/{parent()}/environ"),
    "read the parent's memory": reads(lambda: f"/proc/{parent()}/mem"),
    "read the parent's files": lambda: os.listdir(f"/proc/{parent()}/fd"),
    "read the server's environment": reads(lambda: f"/proc/{os.getppid()}/environ"),
    "find a secret in the environment": environment,
    "find an open file of the store, or a socket": descriptors,
    # writing
    "overwrite a published file": lambda: write(victim()),
    "overwrite it with DuckDB": lambda: duckdb.sql(f"copy (select 666 as id) to '{victim()}'"),
    "append to it by way of /proc/self/root": append_to_what_is_open,
    "append to it from a shell": by_shell,
    "truncate it": lambda: os.truncate(victim(), 0),
    "delete it": lambda: os.unlink(victim()),
    "rename it": lambda: os.rename(victim(), victim() + ".old"),
    "rename over it": lambda: (write("mine"), os.rename("mine", victim())),
    "link to it": lambda: os.link(victim(), "linked"),
    "link to an input": lambda: os.link(given(), "linked input"),
    "overwrite an input": lambda: write(given()),
    "make a file beside it": others_port,
    "write evidence of its own": forge_manifest,
    "make a release": lambda: write(FACTS["release"] + ".next"),
    "delete a release": lambda: os.unlink(FACTS["release"]),
    "change the transform": lambda: write(ME, "ab"),
    "leave code for the next run": lambda: (ME.parent / "__pycache__").mkdir(),
    "leave code for every Python": lambda: write(Path(sysconfig.get_paths()["purelib"]) / "x.pth"),
    "make a device": lambda: os.mknod("device", 0o600 | 0o060000, os.makedev(1, 3)),
    "make a pipe": lambda: os.mkfifo("pipe"),
    # without opening: these seem to work and do nothing, which is looked at from outside
    "change the mode of an input": lambda: os.chmod(given(), 0o777),
    "change the time of an input": lambda: os.utime(given(), (1, 1)),
    "give an input an attribute": lambda: os.setxattr(given(), "user.x", b"1"),
    "change the flags of an input": flags,
    # processes
    "signal the parent": signal_parent,
    "signal the server": lambda: os.kill(os.getppid(), 0),
    "signal the parent as another user": daemon_of_another_user,
    "signal everybody": lambda: os.kill(-1, signal.SIGCONT),
    "limit the parent": prlimit_parent,
    "lower the parent's priority": lambda: os.setpriority(os.PRIO_PROCESS, parent(), 0),
    "move the parent to a processor": lambda: os.sched_setaffinity(
        parent(), os.sched_getaffinity(parent())
    ),
    "schedule the parent": lambda: os.sched_setscheduler(
        parent(), os.SCHED_OTHER, os.sched_param(0)
    ),
    "trace the parent": lambda: call(101, ctypes.c_long(0x4206), ctypes.c_long(parent()), 0, 0),
    "read the parent's memory by a call": vector,
    "take an open file of the parent": take_descriptor,
    # sockets
    "connect to a socket file": connects(socket.AF_UNIX, socket.SOCK_STREAM, lambda: FACTS["unix"]),
    "connect to an abstract socket": connects(
        socket.AF_UNIX, socket.SOCK_STREAM, lambda: "\0" + FACTS["abstract"]
    ),
    "connect by TCP": connects(
        socket.AF_INET, socket.SOCK_STREAM, lambda: ("127.0.0.1", FACTS["tcp"])
    ),
    "send by UDP": connects(socket.AF_INET, socket.SOCK_DGRAM, lambda: ("127.0.0.1", FACTS["tcp"])),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
    # the kernel
    "be root in a namespace of its own": lambda: call(272, ctypes.c_ulong(0x10000000)),
    "fork into a namespace": lambda: (
        call(56, ctypes.c_ulong(0x10000000 | 17), 0, 0, 0, 0) or os._exit(0)
    ),
    "change the root": lambda: os.chroot("."),
    "mount": lambda: call(165, b"none", b".", b"tmpfs", ctypes.c_ulong(0), None),
    "reach the keys": lambda: call(250, ctypes.c_int(0), ctypes.c_int(-3), ctypes.c_int(1)),
    "share memory with anybody": lambda: call(
        29, ctypes.c_int(4711), ctypes.c_ulong(64), ctypes.c_int(0o1666)
    ),
    "use io_uring": lambda: call(425, ctypes.c_uint(4), ctypes.create_string_buffer(120)),
    "watch the store": lambda: call(
        254, ctypes.c_int(call(253)), FACTS["store"].encode(), ctypes.c_uint(0x100)
    ),
}


def outcome(attack):
    try:
        attack()
    except BaseException as error:  # whatever it is, it did not work
        return type(error).__name__
    return "open"


def transform(shop_orders):
    found = [(name, outcome(attack)) for name, attack in ATTACKS.items()]
    return pa.table({"attack": [n for n, _ in found], "outcome": [o for _, o in found]})
