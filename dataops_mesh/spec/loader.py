"""Loads declarations from folders: `domains/<domain>/<product>/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.checks.masked import masked_problems
from dataops_mesh.spec.model import Domain, Mesh, Product
from dataops_mesh.spec.names import NAME_RULE, SHARED, is_name, suggestion
from dataops_mesh.spec.parameters import DEFAULT, sets_of, with_values
from dataops_mesh.spec.paths import is_inside, shown
from dataops_mesh.spec.read.product import CONTRACT_SUFFIX, PRODUCT_FILE, read_product

Broken = Mapping[str, tuple[Problem, ...]]
Load = Callable[[Path, Path], Product]

_DECLARATIONS = (".odps.yaml", ".odps.yml", ".odcs.yaml", ".odcs.yml")


def load_product(folder: Path, root: Path) -> Product:
    """Load the product in a folder.

    Args:
        folder: `domains/<domain>/<product>`.
        root: the workspace; paths are shown relative to it and may not leave it.

    Raises:
        DeclarationError: with every problem of every file of the product.
    """
    folder = folder.absolute()
    problems = _misplaced(folder, root) if folder.is_dir() else []
    if not is_inside(folder, root):
        what = "the product's folder is outside the workspace"
        raise DeclarationError(Problem(what, Location(shown(folder / PRODUCT_FILE, root), 1)))
    try:
        product = read_product(folder, root)
    except DeclarationError as error:
        raise DeclarationError([*error.problems, *problems]) from None
    if problems := [*problems, *masked_problems(product)]:
        raise DeclarationError(problems)
    return with_values(product, sets_of(root), DEFAULT) if product.takes else product


def read_domain(folder: Path, base: Path, load: Load = load_product) -> tuple[Domain, Broken]:
    """Read what can be read of a domain, and say what cannot.

    Args:
        folder: `domains/<domain>`.
        base: the workspace.
        load: reads one product.

    Returns:
        The domain with its readable products; the problems of the others, by name.
    """
    folder = folder.absolute()
    where = Location(shown(folder, base), 1)
    broken: dict[str, tuple[Problem, ...]] = {}
    if not folder.is_dir():
        problem = Problem("the domain's folder does not exist", where)
        return Domain(folder.name, folder, ()), {folder.name: (problem,)}
    problems: list[Problem] = []
    if not is_name(folder.name):
        what = f'the domain "{folder.name}" {NAME_RULE}'
        problems.append(Problem(what, where, next=suggestion(folder.name)))
    problems += [
        Problem("belongs into a folder of its own, one per product", Location(shown(f, base), 1))
        for f in _declarations(folder)
    ]
    products = []
    for inner in _folders(folder):
        if not (inner / PRODUCT_FILE).is_file() and (
            inner.name == SHARED or not _suspicious(inner, base, problems)
        ):
            continue
        try:
            products.append(load(inner, base))
        except DeclarationError as error:
            broken[f"{folder.name}.{inner.name}"] = tuple(dict.fromkeys(error.problems))
    if problems:
        broken[folder.name] = tuple(dict.fromkeys(problems))
    return Domain(folder.name, folder, tuple(products)), broken


def load_mesh(root: Path, domains_folder: str = "domains") -> Mesh:
    """Load every domain of a workspace.

    What holds between products is checked by `check_mesh`, which needs no files.

    Raises:
        DeclarationError: with every problem of every domain.
    """
    return whole(read_mesh(root, domains_folder))


def whole(mesh: Mesh) -> Mesh:
    """Return a mesh of which everything could be read.

    Raises:
        DeclarationError: with every problem of what could not.
    """
    if mesh.broken:
        raise DeclarationError(dict.fromkeys(p for found in mesh.broken.values() for p in found))
    return mesh


def read_mesh(root: Path, domains_folder: str = "domains", load: Load = load_product) -> Mesh:
    """Read what can be read of a workspace: one team's mistake is not the others'.

    Args:
        root: the workspace.
        domains_folder: where its domains are.
        load: reads one product.

    Raises:
        DeclarationError: there is no folder of domains.
    """
    root = root.absolute()
    parent = root / domains_folder
    if not parent.is_dir():
        where = Location(shown(parent, root), 1)
        what = "the folder of domains does not exist"
        raise DeclarationError(Problem(what, where, next="create it, or set `domains`"))
    broken: dict[str, tuple[Problem, ...]] = {}
    domains = []
    for folder in _folders(parent):
        if parent == root and folder.name == SHARED and not any(folder.glob(f"*/{PRODUCT_FILE}")):
            continue
        domain, wrong = read_domain(folder, root, load)
        domains.append(domain)
        broken |= wrong
    return Mesh(root, tuple(domains), broken)


def _folders(parent: Path) -> list[Path]:
    return sorted(f for f in parent.iterdir() if f.is_dir() and f.name[0] not in "._")


def _declarations(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.name.endswith(_DECLARATIONS))


def _suspicious(folder: Path, root: Path, problems: list[Problem]) -> bool:
    """Tell whether a folder without a product was meant to be one, and say so."""
    if _declarations(folder):
        return True  # loading it says what is missing or misnamed
    deep = [file for inner in _folders(folder) for file in _declarations(inner)]
    problems += [
        Problem("a product is a folder directly in its domain", Location(shown(file, root), 1))
        for file in deep
    ]
    return False


def _misplaced(folder: Path, root: Path) -> list[Problem]:
    """Report declarations that no loader would read."""
    wrong = [
        file
        for file in _declarations(folder)
        if file.name != PRODUCT_FILE and not file.name.endswith(CONTRACT_SUFFIX)
    ]
    return [_misnamed(file, root) for file in wrong]


def _misnamed(file: Path, root: Path) -> Problem:
    kind = PRODUCT_FILE if ".odps." in file.name else f"<port>{CONTRACT_SUFFIX}"
    what = "is not read under this name"
    return Problem(what, Location(shown(file, root), 1), next=f"rename it to {kind}")
