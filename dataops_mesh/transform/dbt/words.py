"""What may be told of dbt's errors: its own words where they cannot be data, and what to do."""

from __future__ import annotations

import builtins
import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Location, Problem
from dataops_mesh.quality.redact import shown
from dataops_mesh.spec.types.casts import cast_in
from dataops_mesh.transform.dbt.files import installed, project_files
from dataops_mesh.transform.dbt.lines import line_of
from dataops_mesh.transform.dbt.project import INCREMENTAL

LONGEST = 500
# Errors of DuckDB that speak of names, syntax and files.
_NAMES = re.compile(r"(Binder|Catalog|Parser|IO|Permission|Out of Memory) Error: ")
_KIND = re.compile(r"([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)? Error): |(Compilation Error) in ")
_ENGINE = re.compile(r"^_?duckdb\.\w+Exception: ")  # before DuckDB's words in a model in Python
_CLASS = re.compile(r"([A-Z][A-Za-z]+): ")
_TEMPLATE = re.compile(
    r"' is undefined|has no attribute '|depends on a node named|No such file or directory"
    r"|^PermissionError: \[Errno 13\] Permission denied: '|^NameError: name '\w+' is not defined$"
)
_REF = re.compile(r"depends on a node named '(\w+)' in package or project '(\w+)' which was not")
_ENV = re.compile(r"Env var required but not provided: '([A-Za-z0-9_]+)'")
_VAR = re.compile(r"Required var '(\w+)' not found in config")
_MODULE = re.compile(r"No module named '[\w.]+'")
_CONTRACT = "This model has an enforced contract that failed"
_FILE = re.compile(r"\(([\w./ -]+\.(?:sql|py|ya?ml|csv|md))\)")
_PART = re.compile(r"\b[\w-][\w./-]*\.(?:ya?ml|py(?=, line \d))")  # often the last part alone
_OUT_OF_SYNC = "The source and target schemas on this incremental model are out of sync"
_OTHER_COLUMNS = re.compile(rf"Binder Error: |{_OUT_OF_SYNC}")
_CLOSED = re.compile(
    r"IO Error: (Cannot open file|No files found that match)"
    r"|^\s*(?:PermissionError: \[Errno 13\]|FileNotFoundError: \[Errno 2\])",
    re.MULTILINE,
)


def not_parsed(said: str, project: Path, where: Location, node: Any = None) -> Problem:
    """Return why dbt could not parse a project: its words, its file, and what mends it.

    Args:
        said: dbt's words.
        project: its folder.
        where: its dbt_project.yml.
        node: what dbt could not parse; absent where it does not say.
    """
    missing, foreign, unset = _ENV.search(said), _REF.search(said), _VAR.search(said)
    inside = _package(node, project)
    files = [posixpath.join(inside, file) for file in _FILE.findall(said)] + _PART.findall(said)
    where = _place(files, project, where, said)
    if foreign is not None:
        address = f"{foreign[2]}.{foreign[1]}"
        what = f"the dbt project reads ref('{foreign[2]}', '{foreign[1]}'), which is no input port"
        then = f"declare `- name: {address}` under inputPorts of product.odps.yaml"
        return Problem(what, where, next=then)
    if missing is not None:
        what = f'the dbt project reads env_var("{missing[1]}"), which the product does not declare'
        then = f"add it to `transform` in product.odps.yaml: {{dbt: {{..., env: [{missing[1]}]}}}}"
        return Problem(what, where, next=then)
    if unset is not None:
        return Problem(_no_value(unset[1]), where, next=_give(unset[1]))
    then = f"dbt parse --project-dir {project.resolve()}"
    if 'Run "dbt deps"' in said:
        then = (
            f"dbt deps --project-dir {project.resolve()} where there is a network; a gate fetches "
            "nothing, so dbt_packages must lie where it runs"
        )
    return Problem(f"dbt cannot parse the project: {said}", where, next=then)


def not_built(rows: Sequence[Any], project: Path, where: Location, product: str) -> list[Problem]:
    """Say which nodes were not built, where they are written, and what dbt said without data.

    Those that were skipped for want of them are only counted.
    """
    skipped = [row for row in rows if str(row.status) == "skipped"]
    causes = [row for row in rows if row not in skipped] or skipped
    problems = [_broken(row, project, where, product) for row in causes]
    if len(causes) < len(rows):
        count = len(rows) - len(causes)
        what = f"dbt skipped {count} node{'s' * (count != 1)} that need what could not be built"
        problems.append(Problem(what, where))
    return problems


def _broken(row: Any, project: Path, where: Location, product: str) -> Problem:
    message, node = str(row.message or ""), row.node
    inside = _package(node, project)
    name = f"{node.package_name}.{node.name}" if inside else node.name
    what = f"dbt could not build {name} ({row.status})"
    said = said_of(message, str(getattr(node, "compiled_code", None) or ""))
    unset = _VAR.search(message)
    then = ""
    if unset is not None:
        then = _give(unset[1])
    elif _CLOSED.search(message):
        then = (
            "a file that is delivered comes in as the source of an input port, a small table as a "
            "seed; a model that is kept in a file needs no `location`"
        )
    elif _OTHER_COLUMNS.search(message) and _keeps_rows(node):
        then = (
            "if its columns are others than those that it has, say so with on_schema_change, or "
            f"begin anew: mesh run {product} --full"
        )
    place = _place([posixpath.join(inside, node.original_file_path)], project, where, message)
    return Problem(f"{what}: {said}" if said else what, place, next=then)


def _package(node: Any, project: Path) -> str:
    """Return where the package of a node lies in the project; nothing for its own nodes."""
    name = getattr(node, "package_name", None)
    package = installed(project) / str(name)
    return os.path.relpath(package, project) if name and package.is_dir() else ""


def _keeps_rows(node: Any) -> bool:
    return str(node.config.materialized) == INCREMENTAL


def _place(files: Iterable[str], project: Path, where: Location, said: str) -> Location:
    """Return the file of the project that dbt names, and its line; else its dbt_project.yml."""
    folder = posixpath.dirname(where.file)
    for name in map(posixpath.normpath, files):
        if not name.startswith(("/", "..")) and (file := _whole(name, project)):
            return Location(posixpath.join(folder, file), line_of(said, project / file))
    return where


def _whole(name: str, project: Path) -> str:
    """Return the one file of the project that has this name, or ends with it; nothing if none."""
    if (project / name).is_file():
        return name
    same = [file for file in project_files(project) if file.endswith(f"/{name}")]
    return same[0] if len(same) == 1 else ""


def said_of(message: str, code: str = "") -> str:
    """Return what a message says of names and files, and never of rows.

    Args:
        message: dbt's, with the adapter's words.
        code: what was run.
    """
    lines = [_ENGINE.sub("", line.strip()) for line in message.splitlines()]
    if (unset := _VAR.search(message)) is not None:
        return _no_value(unset[1])
    if _CONTRACT in message:
        rows = [line.strip("| ") for line in lines if line.startswith("|")][2:]
        return shown(f"{_CONTRACT}: {'; '.join(rows)}", LONGEST) or ""
    if _OUT_OF_SYNC in message:
        return "the columns of this incremental model are not those that it has"
    told = [line for line in lines if _NAMES.match(line) or _TEMPLATE.search(line)]
    if told:
        return shown(told[0], LONGEST) or ""
    if (module := _MODULE.search(message)) is not None:
        return module[0]
    kinds = [found[1] or found[2] for line in lines if (found := _KIND.match(line))]
    kinds += [found[1] for line in lines if (found := _CLASS.match(line)) and _is_known(found[1])]
    # dbt puts lines of its own before those of the model.
    if (
        kinds
        and kinds[-1] == "Conversion Error"
        and (cast := cast_in(_bare(message), code, line=False))
    ):
        return f"{kinds[-1]}: {cast}"
    return f"{kinds[-1]} (its words may repeat data)" if kinds else ""


def _bare(message: str) -> str:
    """Return a message without the spaces with which dbt begins each line."""
    return "\n".join(line.removeprefix("  ") for line in message.splitlines())


def _is_known(name: str) -> bool:
    """Tell whether a name is that of an exception of Python's own, and no text of somebody's."""
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, Exception)


def _no_value(name: str) -> str:
    return f'the dbt project reads var("{name}"), which has no value'


def _give(name: str) -> str:
    return f"add it to `transform` in product.odps.yaml: {{dbt: {{..., vars: {{{name}: ...}}}}}}"
