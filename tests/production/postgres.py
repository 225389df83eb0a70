"""A real PostgreSQL in a folder of its own, on a loopback port, ended with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ports import free_port


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, where it is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program else None


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server and yield the URL of an empty database."""
    programs = binaries()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="mesh-postgres-"))
    port, user = free_port(), _user()
    data = folder / "data"
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    try:
        if user:
            shutil.chown(folder, user)
        run = _runner(user, folder)
        run(programs / "initdb", "-D", data, "-U", "mesh", "-A", "trust", "-E", "UTF8", "--no-sync")
        log = folder / "log.txt"
        run(programs / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            run(programs / "createdb", "-h", "127.0.0.1", "-p", port, "-U", "mesh", "dagster")
            yield f"postgresql+psycopg2://mesh@127.0.0.1:{port}/dagster"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str:
    """Return whose server it has to be: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _runner(user: str, folder: Path) -> Callable[..., None]:
    def run(*command: object) -> None:
        words = [str(word) for word in command]
        if user:
            words = ["runuser", "-u", user, "--", *words]
        done = subprocess.run(
            words, check=False, capture_output=True, text=True, cwd=folder, timeout=60,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    return run
