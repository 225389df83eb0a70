"""The files of a dbt project that dbt reads: what else lies in its folder changes nothing.

The same list is the wall: dbt is let into these folders and files, and into no others, so that
nothing builds a product that is not in the version of its code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_mesh.spec.paths import first_link, is_inside

LARGEST = 10_000_000  # bytes; a larger file that SQL names is a delivery
_FOLDERS = {
    "model-paths": ("models",),
    "seed-paths": ("seeds",),
    "macro-paths": ("macros",),
    "snapshot-paths": ("snapshots",),
    "analysis-paths": ("analyses",),
    "test-paths": ("tests",),
    "function-paths": ("functions",),
    "asset-paths": (),
    "docs-paths": (),
}
_FORMER = {"model-paths": "source-paths", "seed-paths": "data-paths"}  # dbt still reads these
_PACKAGES = "packages-install-path"
SELECTORS = "selectors.yml"
_ROOT = (
    *("dbt_project.yml", "dbt_project.yaml", "packages.yml", "dependencies.yml"),
    *("package-lock.yml", SELECTORS, ".dbtignore", "dbt_loom.config.yml"),
)
_MADE = {"target-path": "target", "log-path": "logs"}  # by dbt, from the rest
_TOOLS = frozenset({"node_modules", "__pycache__"})
_DATABASES = (".duckdb", ".duckdb.wal")
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")
_READ = frozenset({".sql", ".py", ".csv", ".yml", ".yaml", ".md"})  # hidden or not
_PATTERN = re.compile(r"[*?\[]")
_NAMED = re.compile(
    r"""['"]([^'"{}\n]+\.(?:csv|tsv|parquet|jsonl?|ndjson|txt)(?:\.gz|\.zst)?)['"]"""
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where links in a project may lead: to shared packages, and not to other domains.

    Args:
        root: of the workspace.
        domains: the folder of all domains.
        own: the folder of the product's domain.
        hidden: what no code may see, wherever it lies.
    """

    root: Path
    domains: Path
    own: Path
    hidden: frozenset[Path] = frozenset()

    def allow(self, path: Path) -> bool:
        """Tell whether a path, with links followed, may be read."""
        if not is_inside(path, self.root) or is_inside(self.root, path):
            return False
        if any(is_inside(path, one) for one in self.hidden):
            return False
        return not is_inside(path, self.domains) or is_inside(path, self.own)


def project_files(project: Path, bounds: Bounds | None = None) -> dict[str, Path]:
    """Return the files that dbt reads of a project, packages included, by their relative path.

    A file that SQL names (`read_csv('data/rates.csv')`) is one of them, unless it is large; of a
    pattern (`data/*.csv`), all that lies in its folder.
    Where the project says its folders in a way that only dbt understands, every file counts that
    does not look like somebody's environment or database.

    Args:
        project: its folder.
        bounds: where links may lead; absent for nowhere else.
    """
    found = (file for file in _listed(project, bounds) if not strays(file, project, bounds))
    return {file.relative_to(project).as_posix(): file for file in found}


def project_rooms(project: Path, bounds: Bounds | None = None) -> tuple[Path, ...]:
    """Return the folders and files that hold what `project_files` lists, with links followed."""
    folders = _folders(project)
    if folders is None:
        return (project,)
    rooms = {folder.resolve() for name in folders for folder in _walked(project / name, bounds)}
    named = _named(project, {*_files(project, bounds)})
    rooms |= {folder.resolve() for folder in named if folder.is_dir()}  # patterns list it
    below = {room for room in rooms if not rooms.isdisjoint(room.parents)}
    inside = rooms - below
    single = {file.resolve() for file in project_files(project, bounds).values()}
    single = {file for file in single if inside.isdisjoint(file.parents)}
    return (*sorted(inside), *sorted(single))


def databases(folders: Iterable[Path]) -> frozenset[Path]:
    """Return somebody's databases in the folders that dbt looks into; they change nothing."""
    return frozenset(
        file for folder in folders for end in _DATABASES for file in folder.rglob(f"*{end}")
    )


def stray_links(project: Path, bounds: Bounds | None) -> list[Path]:
    """Return installed packages, and files, that are links to where the project may not read."""
    folder = installed(project)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [entry for entry in entries if entry.is_symlink() and not _allowed(entry, bounds)]
    wrong = [file for file in _listed(project, bounds) if strays(file, project, bounds)]
    found += [first_link(file, project, lambda at: not _allowed(at, bounds)) for file in wrong]
    return [*dict.fromkeys(found)]


def _listed(project: Path, bounds: Bounds | None) -> list[Path]:
    """Return the files that dbt would read, wherever links lead."""
    found = {*_files(project, bounds)}
    for named in _named(project, found):
        found |= {*_below(named)} if named.is_dir() else {named}
    return sorted(found)


def strays(file: Path, top: Path, bounds: Bounds | None) -> bool:
    """Tell whether a file below a folder is, by a link, one that may not be read.

    Args:
        file: its path, as it is written.
        top: the folder.
        bounds: where links may lead; absent for nowhere out of the folder.
    """
    try:
        real, own = file.resolve(), top.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return True
    if real == own / file.relative_to(top):
        return False
    return not (real.is_relative_to(own) if bounds is None else bounds.allow(real))


def _files(project: Path, bounds: Bounds | None) -> Iterator[Path]:
    yield from (project / name for name in _ROOT if (project / name).is_file())
    folders = _folders(project)
    if folders is None:
        yield from _everything(project)
        return
    packages = installed(project)
    for name in folders:
        for folder in _walked(project / name, bounds):
            if folder.parent == packages:
                yield from _of_package(folder, bounds)
            elif packages not in folder.parents:
                yield from (file for file in sorted(folder.iterdir()) if _counts(file))


def _of_package(package: Path, bounds: Bounds | None) -> Iterator[Path]:
    """Yield what dbt reads of a package; not its repository, its logs, its own packages."""
    yield from (package / name for name in _ROOT if (package / name).is_file())
    folders = _folders(package)
    if folders is None:
        yield from _everything(package)
    for name in folders or ():
        if package / name != installed(package):
            for folder in _walked(package / name, bounds):
                yield from (file for file in sorted(folder.iterdir()) if _counts(file))


def _counts(file: Path) -> bool:
    hidden = file.name.startswith(".") and file.suffix not in _READ
    return file.is_file() and not hidden and not file.name.endswith((".pyc", *_DATABASES))


def _walked(folder: Path, bounds: Bounds | None) -> Iterator[Path]:
    """Yield a folder and all below it as dbt walks them: through links, but not out of bounds."""
    seen = set[Path]()
    for text, names, _ in os.walk(folder, followlinks=True):
        path = Path(text)
        real = path.resolve()
        if real in seen or (path.is_symlink() and not _allowed(path, bounds)):
            names.clear()
            continue
        seen.add(real)
        names[:] = sorted(name for name in names if name != ".git")
        yield path


def _allowed(link: Path, bounds: Bounds | None) -> bool:
    return bounds is not None and bounds.allow(link)


def _named(project: Path, files: set[Path]) -> set[Path]:
    """Return what the project's SQL, Python and hooks name: small files, folders of patterns."""
    packages, found = installed(project), set[Path]()
    for file in (project / _ROOT[0], *(f for f in files if f.suffix in {".sql", ".py"})):
        if packages in file.parents or not file.is_file():
            continue
        for text in set(_NAMED.findall(file.read_text("utf-8", "replace"))):
            head = _PATTERN.split(text, maxsplit=1)[0]
            path = Path(text) if head == text else Path(head + "_").parent
            if not path.is_absolute() and ".." not in path.parts and path.parts:
                found.add(project / path)
    return {path for path in found if _is_small(path, project)}


def _is_small(path: Path, project: Path) -> bool:
    inside = path.resolve().is_relative_to(project.resolve())
    files = _below(path) if path.is_dir() else [path] if path.is_file() else []
    return inside and 0 < sum(file.stat().st_size for file in files) <= LARGEST


def _below(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]


def installed(project: Path) -> Path:
    """Return the folder of a project's packages, each below its name."""
    return project / str(_said(project).get(_PACKAGES) or "dbt_packages")


def _folders(project: Path) -> tuple[str, ...] | None:
    """Return the folders that dbt looks into; None where only dbt knows, or it is the project."""
    said = _said(project)
    found = [str(said.get(_PACKAGES) or "dbt_packages")]
    for key, default in _FOLDERS.items():
        former = said.get(_FORMER.get(key, ""), default)
        paths = said.get(key, said.get(key.replace("-", "_"), former))
        if not isinstance(paths, list | tuple):
            return None
        found += [str(path) for path in paths]
    plain = all(_is_plain(folder) for folder in found)
    return tuple(dict.fromkeys(found)) if plain else None


def _is_plain(folder: str) -> bool:
    parts = Path(folder).parts
    return bool(parts) and "{{" not in folder and ".." not in parts and parts != (".",)


def _said(project: Path) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load((project / "dbt_project.yml").read_text("utf-8-sig"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):  # dbt will say what is wrong with it
        return {}
    return found if isinstance(found, dict) else {}


def _everything(project: Path) -> Iterator[Path]:
    """Yield what may be dbt's where the project itself is the folder that dbt looks into."""
    said = _said(project)
    made = {project / str(said.get(key) or name) for key, name in _MADE.items()}
    for text, names, files in os.walk(project):
        folder = Path(text)
        names[:] = sorted(
            n for n in names if folder / n not in made and not _is_foreign(folder / n)
        )
        yield from (folder / name for name in sorted(files) if _counts(folder / name))


def _is_foreign(folder: Path) -> bool:
    """Tell whether a folder is hidden, or what other tools have put there."""
    hidden = folder.name.startswith(".") or folder.name in _TOOLS
    return hidden or any((folder / name).exists() for name in _ENVIRONMENT)
