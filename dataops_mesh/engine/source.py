"""Find the files of a source and fingerprint their content, cheaply when nothing changed."""

from __future__ import annotations

import glob
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from dataops_mesh.errors import Problem, SourceError
from dataops_mesh.spec.model import PARTITION_KEY, Source
from dataops_mesh.store import files
from dataops_mesh.store.captures.content import content_of
from dataops_mesh.store.store import Store

# A file changed again within this time could keep its size and its times.
_SETTLED_SECONDS = 2.0
_NEAR = 2  # folders above a file


def resolve(source: Source, folder: Path, partition: str = "") -> tuple[Path, ...]:
    """Return the files of a source, sorted.

    Args:
        source: what the input port declares.
        folder: the product's folder, to which a path is relative unless it is a package's.
        partition: the key of the partition to build, where the path asks for it.
    """
    base = base_of(source, folder)
    path = source.path.replace(PARTITION_KEY, glob.escape(partition))
    found = _glob(base, path)
    if not found:
        raise SourceError(
            Problem(
                f"{_nothing(base / path)} at {base / path}",
                source.where,
                key="path",
                next="correct the path of the input port, or deliver the file",
            )
        )
    return found


def base_of(source: Source, folder: Path) -> Path:
    """Return where a source's path begins: the product's folder, the package's, or the root."""
    if Path(source.path).is_absolute():
        return Path(Path(source.path).anchor)
    return (_package_folder(source) if source.package else folder).absolute()


@dataclass(frozen=True, slots=True)
class Marks:
    """What changes whenever a file is written, replaced or put back.

    The time of the last change of status is the system's own: nobody sets it, as one can the
    time of modification.

    Args:
        files: what each file is, and each link on the way to it.
        folders: of the nearest folders, what each is, and when its status and its names changed.
    """

    files: tuple[tuple[object, ...], ...] = ()
    folders: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)

    def are_those_of(self, before: Marks) -> bool:
        """Tell whether everything is where it was."""
        return self.files == before.files and not any(
            self._was_moved(name, before) for name in before.folders if name in self.folders
        )

    def _was_moved(self, name: str, before: Marks) -> bool:
        """Tell whether a folder is another, or had another name meanwhile.

        That changes its status, and the names of the folder above. A new name in it changes its
        names too; rights and times that somebody sets change nothing above.
        """
        was, now = before.folders[name], self.folders[name]
        above = str(Path(name).parent)
        above_was, above_now = before.folders.get(above, was), self.folders.get(above, was)
        its_own = was[2] != now[2] and not _by_names(now)
        names_above = above_was[3] != above_now[3] and _by_names(above_now)
        return was[:2] != now[:2] or (its_own and names_above)


def _by_names(folder: tuple[int, int, int, int]) -> bool:
    """Tell whether the last that happened to a folder was to its names: both times are of that."""
    return folder[2] == folder[3]


def marks(found: Iterable[Path]) -> Marks:
    """Return the marks of files and of the way to them."""
    paths = [path.absolute() for path in found]
    way = dict.fromkeys(parent for path in paths for parent in path.parents)
    links = [path for path in (*way, *paths) if path.is_symlink()]
    states = [(path, path.stat()) for path in paths] + [(path, path.lstat()) for path in links]
    # Further up, rights are set and mended meanwhile, by whoever else works there.
    near = dict.fromkeys(parent for path in paths for parent in list(path.parents)[: _NEAR + 1])
    folders = {str(path): path.stat() for path in near}
    return Marks(
        tuple(
            (str(n), s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for n, s in states
        ),
        {n: (s.st_dev, s.st_ino, s.st_ctime_ns, s.st_mtime_ns) for n, s in folders.items()},
    )


def fingerprint(store: Store, found: Iterable[Path]) -> str:
    """Return a digest of the names and the content of files."""
    return fingerprint_of((path.name, content(store, path)) for path in found)


def fingerprint_of(contents: Iterable[tuple[str, str]]) -> str:
    """Return the fingerprint of files by their names and the digests of their content."""
    parts = list(contents)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def content(store: Store, path: Path) -> str:
    """Return the file's SHA-256, remembered for as long as the file looks the same."""
    state = path.stat()
    mark = [str(path.absolute()), state.st_size, state.st_mtime_ns, state.st_ino, state.st_ctime_ns]
    note = store.cache / hashlib.sha256(str(mark[0]).encode()).hexdigest()
    try:
        remembered = json.loads(note.read_bytes())
        if remembered["mark"] == mark:
            return str(remembered["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = content_of(path)
    # The time of modification may be set to any; the other one is the disk's.
    if all(abs(time.time() - at) > _SETTLED_SECONDS for at in (state.st_mtime, state.st_ctime)):
        _remember(note, mark, found)
    return found


def _glob(base: Path, pattern: str) -> tuple[Path, ...]:
    path = Path(pattern)
    if path.is_absolute():
        base, pattern = Path(path.anchor), str(path.relative_to(path.anchor))
    plain = base / pattern
    if plain.is_file():
        return (plain,)
    parts = Path(pattern).parts
    while len(parts) > 1 and (base / parts[0]).is_dir():  # a name is a name here too
        base, parts = base / parts[0], parts[1:]
    found = sorted(base.glob(str(Path(*parts))))
    return tuple(item for item in found if item.is_file())


def _nothing(path: Path) -> str:
    """Return what stands in the place of a file."""
    if path.is_dir():
        return "a folder, and no file,"
    return "something that is no regular file stands" if path.exists() else "no file"


def _package_folder(source: Source) -> Path:
    try:
        spec = find_spec(str(source.package))
    except (ImportError, ValueError):
        spec = None
    places = spec and (spec.submodule_search_locations or [str(Path(spec.origin or "").parent)])
    if not places:
        raise SourceError(
            Problem(
                f"the package {source.package} is not installed",
                source.where,
                key="package",
                next=f"pip install {source.package}",
            )
        )
    return Path(next(iter(places)))


def _remember(note: Path, mark: list[object], content: str) -> None:
    try:
        files.replace(note, json.dumps({"mark": mark, "sha256": content}).encode(), durable=False)
    except OSError:  # a store that may only be read, or a full disk: computed again next time
        return
