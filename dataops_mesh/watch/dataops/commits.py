"""When commits were made and what they touch, asked of git once for a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dataops_mesh.run.identity import git

_START, _END = "\x01", "\x02"
_BEFORE = timedelta(days=180)  # a commit may have waited for long


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Args:
        files: what it touches, relative to the top of the repository.
    """

    name: str
    at: datetime
    parents: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits of a repository that a period can have to do with.

    Args:
        root: the workspace, relative to the top of the repository.
    """

    known: Mapping[str, Commit] = field(default_factory=dict)
    root: str = ""

    def brought(self, commit: str, before: str, folders: tuple[str, ...]) -> tuple[Commit, ...]:
        """Return the commits that are in one and were not in another, and touch some folders.

        Args:
            commit: what was deployed; of one with other files (`+`) nobody knows.
            before: what was deployed before; of the first one only the commit itself counts.
            folders: relative to the workspace; files right in the workspace's `shared` too.
        """
        if commit not in self.known or (before and before not in self.known):
            return ()
        new = self._behind(commit) - self._behind(before) if before else {commit}
        places = tuple(f"{self.root}{folder}/" for folder in folders)
        found = [self.known[name] for name in new]
        return tuple(one for one in found if any(f.startswith(places) for f in one.files))

    def _behind(self, commit: str) -> set[str]:
        seen, waiting = set[str](), [commit]
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.known:
                seen.add(name)
                waiting += self.known[name].parents
        return seen


def commits_of(root: Path, since: datetime) -> Commits:
    """Return the commits of the repository around a workspace; none where there is none.

    Args:
        root: the workspace.
        since: where the period begins; commits of half a year before are read too.
    """
    top = git(root, "rev-parse", "--show-toplevel")
    if not top:
        return Commits()
    form = f"--format={_START}%H{_END}%ct{_END}%P{_END}"
    day = (since - _BEFORE).isoformat()
    text = git(root, "log", "--all", "-m", "--name-only", f"--since={day}", form)
    found: dict[str, Commit] = {}
    for piece in text.split(_START)[1:]:
        name, seconds, parents, files = piece.split(_END)
        touched = tuple(filter(None, files.splitlines()))
        known = found.get(name)  # of a merge there is a piece for each parent
        at = datetime.fromtimestamp(int(seconds), UTC)
        every = (*(known.files if known else ()), *touched)
        found[name] = Commit(name, at, tuple(parents.split()), every)
    inside = Path(root).resolve().relative_to(Path(top).resolve()).as_posix()
    return Commits(found, "" if inside == "." else f"{inside}/")
