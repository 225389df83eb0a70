"""Finds the transform of a product: declared, or inferred from the files in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Transform, TransformKind
from dataops_mesh.spec.paths import path_problem
from dataops_mesh.spec.read.dbt import read_options
from dataops_mesh.spec.read.extras import Settings
from dataops_mesh.spec.read.node import Node

PYTHON_FILE = "transform.py"
DBT_FILE = "dbt_project.yml"


def read_transform(
    node: Node, settings: Settings, ports: Sequence[str], place: tuple[Path, Path],
    problems: list[Problem],
) -> Transform:  # fmt: skip
    """Return the transform of a product.

    Args:
        node: the product.
        settings: the product's settings; `transform` is one of them.
        ports: the names of the output ports.
        place: the product's folder and the workspace's root.
        problems: receives what is wrong.
    """
    folder, setting = place[0], settings.get("transform")
    if setting is None:
        # What is inferred beside a wrong setting is not worth a word.
        heard = [] if "transform" in settings else problems
        return _inferred(node, ports, folder, heard)
    ((kind, _),) = setting.value.items()
    value = setting.child(kind) or setting
    match kind:
        case "python":
            file = _existing(value, value.value, place, problems)
            return Transform(TransformKind.PYTHON, (file,))
        case "dbt":
            project = value.child("project") or value
            file = _existing(project, f"{project.value}/{DBT_FILE}", place, problems)
            if _in_another_domain(file.parent, folder):
                what = f'"{project.value}" lies in another domain\'s folder'
                then = "give the project a folder of its own, as dbt_projects/<name>"
                problems.append(project.problem(what, then=then))
            select, options = value.text("select") or "", read_options(value, problems)
            return Transform(TransformKind.DBT, (file,), select=select, dbt=options)
    return _declared_sql(value, ports, place, problems)


def _in_another_domain(project: Path, folder: Path) -> bool:
    """Tell whether a dbt project is another domain's; one around all domains is nobody's."""
    project, domain = project.resolve(), folder.parent.resolve()
    if domain.parent == project:
        return False
    return project.is_relative_to(domain.parent) and not project.is_relative_to(domain)


def _declared_sql(
    value: Node, ports: Sequence[str], place: tuple[Path, Path], problems: list[Problem]
) -> Transform:
    if isinstance(value.value, str):
        if len(ports) != 1:
            what = f"one SQL file builds one port, and there are {len(ports)}"
            problems.append(value.problem(what, then="write a mapping of ports to files"))
        file = _existing(value, value.value, place, problems)
        return Transform(TransformKind.SQL, (file,), tuple(ports[:1]))
    for port in value.value:
        if port not in ports:
            child = value.child(port) or value
            what = f'no output port "{port}"{did_you_mean(port, ports)}'
            problems.append(child.problem(what, ports))
    problems += [
        value.problem(f'no SQL file for the output port "{port}"')
        for port in ports
        if port not in value.value
    ]
    pairs = [(port, value.child(port)) for port in ports]
    found = [(port, child) for port, child in pairs if child is not None]
    files = tuple(_existing(child, child.value, place, problems) for _, child in found)
    return Transform(TransformKind.SQL, files, tuple(port for port, _ in found))


def _inferred(node: Node, ports: Sequence[str], folder: Path, problems: list[Problem]) -> Transform:
    python = folder / PYTHON_FILE
    files = tuple(folder / f"{port}.sql" for port in ports)
    present = [file for file in files if file.is_file()]
    strays = sorted(file.name for file in folder.glob("*.sql") if file not in files)
    if python.is_file() and not present and not strays:
        return Transform(TransformKind.PYTHON, (python,))
    transform = Transform(TransformKind.SQL, files, tuple(ports))
    wanted = ", ".join(file.name for file in files) or "<port>.sql"
    where = Problem("", node.where, key="transform")
    if python.is_file():
        both = ", ".join([file.name for file in present] or strays)
        what = f"there are {PYTHON_FILE} and {both}, and only one can build the product"
        problems.append(_about(where, what, "remove one, or add the setting `transform`"))
    elif not present:
        hint = did_you_mean(files[0].name, strays) if files else ""
        what = f"nothing builds the product: looked for {wanted} or {PYTHON_FILE}{hint}"
        problems.append(_about(where, what, "add one, or add the setting `transform`"))
    elif len(present) < len(files):
        missing = ", ".join(file.name for file in files if file not in present)
        problems.append(_about(where, f"no {missing}: each output port needs its SQL file"))
    elif strays:
        known = [file.name for file in files]
        hint = did_you_mean(strays[0], known)
        what = f"{', '.join(strays)} would build nothing: no output port has the name{hint}"
        problems.append(_about(where, what, "remove it, or add its contract"))
    return transform


def _about(where: Problem, what: str, then: str = "") -> Problem:
    return Problem(what, where.where, where.key, next=then)


def _existing(node: Node, text: str, place: tuple[Path, Path], problems: list[Problem]) -> Path:
    folder, root = place
    what = path_problem(text, folder, root)
    if what:
        problems.append(node.problem(f'"{text}" {what}'))
        return folder
    if not (folder / text).is_file():
        problems.append(node.problem(f'"{text}" does not exist'))
    return folder / text
