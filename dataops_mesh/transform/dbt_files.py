"""The files of a dbt project that dbt reads: what else lies in its folder changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
_PACKAGES = "packages-install-path"
_ROOT = (
    *("dbt_project.yml", "dbt_project.yaml", "packages.yml", "dependencies.yml"),
    *("package-lock.yml", "selectors.yml", ".dbtignore", "dbt_loom.config.yml"),
)
_MADE = frozenset({"target", "logs"})  # by dbt, from the rest


def project_files(project: Path) -> dict[str, Path]:
    """Return the files that dbt reads of a project, packages included, by their relative path.

    Where the project says its folders in a way that only dbt understands, every file counts that
    does not look like somebody's environment or database.
    """
    return {file.relative_to(project).as_posix(): file for file in sorted(set(_files(project)))}


def _files(project: Path) -> Iterator[Path]:
    yield from (project / name for name in _ROOT if (project / name).is_file())
    folders = _folders(project)
    if folders is None:
        yield from _everything(project)
        return
    for folder in folders:
        for file in (project / folder).rglob("*"):
            if file.is_file() and not file.name.startswith(".") and "__pycache__" not in file.parts:
                yield file


def _folders(project: Path) -> tuple[str, ...] | None:
    """Return the folders that dbt looks into; None where only dbt knows, or it is the project."""
    said = _said(project)
    found = [str(said.get(_PACKAGES) or "dbt_packages")]
    for key, default in _FOLDERS.items():
        paths = said.get(key, said.get(key.replace("-", "_"), default))
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
    environments = {file.parent for file in project.rglob("pyvenv.cfg")}
    for file in project.rglob("*"):
        relative = file.relative_to(project)
        hidden = any(part.startswith(".") for part in relative.parts)
        made = relative.parts[0] in _MADE or file.name.endswith((".duckdb", ".duckdb.wal"))
        if file.is_file() and not (hidden or made or environments & {*file.parents}):
            yield file
