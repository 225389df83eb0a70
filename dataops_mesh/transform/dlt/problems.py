"""What is wrong with the file of a resource, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.spec.paths import is_inside
from dataops_mesh.spec.remote import called
from dataops_mesh.transform.place import place, unread


def resource_files(product: Product) -> tuple[Path, ...]:
    """Return the files that the resources of a product are in."""
    found = (file for _, file, _ in _resources(product))
    return tuple(dict.fromkeys(found))


def resource_problems(product: Product) -> tuple[Problem, ...]:
    """Return which resources are not where they are said to be."""
    problems = list[Problem]()
    for port, file, name in _resources(product):
        where = port.source.where if port.source else port.where
        if not file.is_file() or not is_inside(file, product.folder):
            what = f"there is no file {file.relative_to(product.folder)} in the product's folder"
            then = "write it there, or correct the name"
            problems.append(Problem(what, where, "resource", next=then))
            continue
        try:
            names = set(_names(ast.parse(file.read_text("utf-8-sig"), str(file))))
        except SyntaxError as error:
            line = place(product, file, error.lineno or 1)
            problems.append(Problem(f"not Python: {error.msg}", line))
            continue
        except (OSError, UnicodeDecodeError) as error:
            problems.append(unread(product, file, error))
            continue
        if name not in names:
            what = f'{file.name} defines no "{name}"'
            problems.append(Problem(what, where, "resource", tuple(sorted(names))))
    return tuple(problems)


def _resources(product: Product) -> Iterator[tuple[InputPort, Path, str]]:
    for port in product.inputs:
        remote = port.remote
        found = called(remote.resource) if remote else None
        if found is not None:
            yield port, product.folder / found[0], found[1]


def _names(tree: ast.Module) -> Iterator[str]:
    """Yield what a module defines, and what it imports by name."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.ImportFrom):
            yield from (one.asname or one.name for one in node.names)
