"""The files of a commit, beside the checkout: raw, as git keeps them.

Nothing of the repository is touched and no program of its configuration is started, as a checkout
would do for hooks and filters.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from dataops_mesh.run.identity import git_command, git_environment, git_top

_LINK, _RUNS = "120000", "100755"
_SECONDS = 120
_MISSING = b" missing"  # of a shallow or partial clone


def unpack(root: Path, commit: str, target: Path) -> Path | None:
    """Write the files that a commit has below the workspace, and return the workspace's folder.

    Args:
        root: the workspace.
        commit: its whole name.
        target: an empty folder.

    Returns:
        None where git does not have the commit any more, or no file of it there.
    """
    top = Path(git_top(root) or root).resolve()
    below = root.resolve().relative_to(top).as_posix() if root.resolve() != top else "."
    listed = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", below)
    entries = [entry.partition(b"\t") for entry in (listed or b"").split(b"\0") if entry]
    blobs = [(*head.decode().split(), name.decode()) for head, _, name in entries]
    files = [(mode, digest, name) for mode, kind, digest, name in blobs if kind == "blob"]
    asked = "".join(f"{digest}\n" for _, digest, _ in files).encode()
    said = _git(top, "cat-file", "--batch", given=asked) if files else None
    if said is None or any(line.endswith(_MISSING) for line in _heads(said)):
        return None
    for (mode, _, name), content in zip(files, _contents(said), strict=True):
        _write(target / name, mode, content)
    return target / below


def _contents(said: bytes) -> Iterator[bytes]:
    stream = BytesIO(said)
    while head := stream.readline():
        yield stream.read(int(head.split()[-1]))
        stream.read(1)


def _heads(said: bytes) -> Iterator[bytes]:
    """Yield the line before each file, up to one that the clone does not have."""
    stream = BytesIO(said)
    while head := stream.readline().rstrip():
        yield head
        if head.endswith(_MISSING):
            return
        stream.seek(int(head.split()[-1]) + 1, 1)


def _write(path: Path, mode: str, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode == _LINK:
        path.symlink_to(content.decode())
        return
    path.write_bytes(content)
    if mode == _RUNS:
        path.chmod(0o755)


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed program and arguments
            git_command(folder, *arguments),
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=git_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
