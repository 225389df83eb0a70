"""Which paths a job may open.

Landlock only adds rights: whoever may read a folder may read all that is in it. So a folder that
holds something protected (the store, Dagster's) is given by its entries.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from dataops_mesh.transform.confine.landlock import (
    READ,
    READ_FILE,
    RUN,
    WRITE_FILE,
)

Rule = tuple[str, int]
_PACKAGE = Path(__file__).resolve().parents[2]
_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32")
_SYSTEM = (
    *("/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf"),
    *("/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload"),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/pki/tls/certs"),
    *("/etc/pki/ca-trust", "/etc/mime.types", "/etc/passwd", "/etc/group", "/etc/os-release"),
    *("/etc/fonts", "/etc/alternatives", "/run/systemd/resolve"),
    # Opened after the fork, /proc/self is the folder of that process and of no other.
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg"),
    *("/proc/uptime", "/proc/version", "/proc/filesystems", "/proc/mounts"),
    *("/proc/sys/kernel", "/proc/sys/vm", "/proc/sys/crypto"),
    *("/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm"),
)
_DEVICES = (
    ("/dev/null", READ_FILE | WRITE_FILE),
    ("/dev/full", READ_FILE | WRITE_FILE),
    ("/dev/zero", READ_FILE),
    ("/dev/random", READ_FILE),
    ("/dev/urandom", READ_FILE),
)
_LIBRARIES = ("site-packages", "dist-packages")


def readable(folders: Iterable[Path], protected: frozenset[Path]) -> tuple[Rule, ...]:
    """Return the rules to read and run what is in folders, but for what is protected."""
    found = (path for folder in folders for path in granted(folder.resolve(), protected))
    return tuple((str(path), RUN) for path in found)


def granted(path: Path, protected: Iterable[Path]) -> Iterator[Path]:
    """Yield the path, or what it holds where something protected lies below it."""
    known = tuple(protected)
    inside = [one for one in known if one == path or path in one.parents]
    if not inside:
        if not any(one in path.parents for one in known):
            yield path
        return
    if path in inside:
        return
    try:
        entries = list(path.iterdir())
    except OSError:
        return
    for entry in entries:
        if not entry.is_symlink():
            yield from granted(entry, inside)


def environment_rules(protected: frozenset[Path], path: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules for the system, this interpreter, and what it can import.

    Args:
        protected: what no transform may see.
        path: the entries of `sys.path` that a worker has beyond the interpreter's own. Of a
            folder that is no installation (a workspace, a checkout) only modules and packages
            are readable.
    """
    folders = list(interpreter_folders())
    for text in path:
        folder = Path(text)
        found = [folder] if is_installation(folder) else _importable(folder)
        folders += [one.resolve() for one in found]
    rules = {str(one): RUN for folder in folders for one in granted(folder, protected)}
    return (*rules.items(), *((text, READ) for text in _SYSTEM), *_DEVICES)


@lru_cache(maxsize=1)
def interpreter_folders() -> tuple[Path, ...]:
    """Return the folders of programs, of this interpreter, and of this very package."""
    texts = (sys.base_prefix, sys.prefix, sys.base_exec_prefix, *sysconfig.get_paths().values())
    installed = (text for text in sys.path if is_installation(Path(text)))
    found = dict.fromkeys(Path(text).resolve() for text in (*_PROGRAMS, *texts, *installed))
    known = [path for path in (*found, _PACKAGE) if path.exists()]
    return tuple(one for one in known if not any(other in one.parents for other in known))


def is_installation(folder: Path) -> bool:
    """Tell whether all in a folder was installed, so that none of it is a secret of ours."""
    lib = any(part in _LIBRARIES for part in folder.parts)
    return lib or folder.is_file() or any(known in folder.parents for known in _libraries())


@lru_cache(maxsize=1)
def _libraries() -> tuple[Path, ...]:
    return tuple(Path(text).resolve() / "lib" for text in (sys.prefix, sys.base_prefix))


def _importable(folder: Path) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        module = path.suffix in {".py", ".so", ".pyd"}
        metadata = path.suffix in {".dist-info", ".egg-info"}
        if module or metadata or (path / "__init__.py").is_file():
            yield path
