"""The workspace that a command works on: its settings, its mesh, and what was named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataops_mesh.cli.output import say
from dataops_mesh.errors import (
    DeclarationError,
    Problem,
    SettingsError,
    UnknownNameError,
    did_you_mean,
)
from dataops_mesh.settings import CodeLocation, Settings, find_root, load_settings
from dataops_mesh.spec.loader import Broken, Load, load_product, read_domain, read_mesh, whole
from dataops_mesh.spec.model import Domain, Mesh, Product

RUNNABLE = frozenset({"active", "deprecated"})


def open_workspace() -> tuple[Settings, Mesh]:
    """Return the settings and the declarations around the working folder.

    Raises:
        DeclarationError: with every problem of every domain.
        SettingsError: a setting or a location is not valid.
    """
    settings = load_settings()
    return settings, whole(load_workspace(settings))


def open_readable() -> tuple[Settings, Mesh]:
    """Return the settings and what can be read of the declarations: `named` tells the rest.

    Raises:
        SettingsError: a setting or a location is not valid.
    """
    settings = load_settings()
    return settings, load_workspace(settings)


def load_workspace(settings: Settings, load: Load = load_product) -> Mesh:
    """Return the domains of the workspace, and those that the setting `locations` joins to it.

    What cannot be read of them is said in the mesh.

    Args:
        settings: of the workspace.
        load: reads one product.

    Raises:
        DeclarationError: there is no folder of domains.
        SettingsError: a location that is none.
    """
    broken: dict[str, tuple[Problem, ...]] = {}
    domains: dict[str, Domain] = {}
    joined = {name for name, one in settings.locations.items() if one.folder is not None}
    if settings.domains_folder.is_dir() or not joined:
        mesh = read_mesh(settings.root, settings.domains, load)
        domains = {domain.name: domain for domain in mesh.domains}
        broken |= mesh.broken
    for name, location in settings.locations.items():
        where = f"tool.dataops_mesh.locations.{name}"
        if location.python is not None and not (settings.root / location.python).is_file():
            raise SettingsError(Problem(f"there is no {location.python}", key=f"{where}.python"))
        found, wrong = _located(settings, name, location, domains, load)
        domains[name] = replace(found, python=location.python)
        broken |= wrong
    return Mesh(settings.root, tuple(domains.values()), broken)


def _located(
    settings: Settings, name: str, location: CodeLocation, domains: dict[str, Domain], load: Load
) -> tuple[Domain, Broken]:
    """Return the domain of a location, and what could not be read of it."""
    key = f"tool.dataops_mesh.locations.{name}"
    own = settings.domains_folder / name
    if location.folder is None:
        if not own.is_dir():
            what = f'there is no domain "{name}" here{did_you_mean(name, domains)}'
            raise SettingsError(Problem(what, key=key, next="add `folder`, its place elsewhere"))
        return domains[name], {}
    folder = Path(os.path.abspath(settings.root / location.folder))  # noqa: PTH100 # keeps links
    if own.is_dir():
        raise SettingsError(Problem(f"{own} is a domain of that name too", key=key))
    what = f"{location.folder} is not the folder of a domain {name}"
    if folder.name != name:
        raise SettingsError(Problem(what, key=f"{key}.folder"))
    # What is wrong in another team's repository stops that team alone.
    if not folder.is_dir():
        return Domain(name, folder, ()), {name: (Problem(what, key=f"{key}.folder"),)}
    try:
        root = find_root(folder)
        load_settings(root)  # its own settings are the team's too
    except SettingsError as error:
        return Domain(name, folder, ()), {name: error.problems}
    found, wrong = read_domain(folder, root, load)
    return found if root == settings.root else replace(found, root=root), wrong


def named(mesh: Mesh, names: Sequence[str], *, runnable: bool = False) -> list[Product]:
    """Return the products that were named, each once, in the order of the mesh.

    Args:
        mesh: all domains.
        names: `domain` or `domain.product`; empty means all.
        runnable: leave out what is not active, unless the product itself was named.

    Raises:
        DeclarationError: the declarations of something that was named cannot be read.
        UnknownNameError: a name matches nothing, or matches nothing that can run.
    """
    domains = {domain.name for domain in mesh.domains}
    products = {product.qualified_name: product for product in mesh.products}
    known = (*sorted(domains), *sorted(products))
    if names:
        require_readable(mesh, names)
    problems = [
        Problem(
            f'no domain or product "{name}"{did_you_mean(name, known)}',
            choices=known,
            next="mesh status",
        )
        for name in names
        if name not in domains and name not in products
    ]
    problems += [
        Problem(f"{name} is retired and does not run any more", products[name].where, key="status")
        for name in names
        if runnable and name in products and products[name].status == "retired"
    ]
    if problems:
        raise UnknownNameError(problems)
    found = [
        product
        for name, product in products.items()
        if name in names
        or ((not names or product.domain in names) and (not runnable or _active(product)))
    ]
    if not found:
        raise UnknownNameError(
            Problem("no product matches", choices=known, next="add one below domains/")
        )
    return found


def one(mesh: Mesh, name: str, *, of_domain: str = "") -> Product:
    """Return the one product of that name, or say which there are; of a domain, what to type."""
    require_readable(mesh, [name])
    found = {product.qualified_name: product for product in mesh.products}
    if name not in found:
        what = f'no product "{name}"{did_you_mean(name, found)}'
        following = "" if "." in name else of_domain
        raise UnknownNameError(Problem(what, choices=tuple(sorted(found)), next=following))
    return found[name]


def say_unreadable(mesh: Mesh, names: Sequence[str] = ()) -> bool:
    """Tell, on stderr, what could not be read; the others go on without it.

    Args:
        mesh: what could be read.
        names: what was asked for: where that is something, the rest is one line.

    Returns:
        Whether something that was asked for is missing.
    """
    if not mesh.broken:
        return False
    if not names:
        for problem in dict.fromkeys(one for found in mesh.broken.values() for one in found):
            say(f"error: {problem}")
    what = f"the declarations of {', '.join(sorted(mesh.broken))} cannot be read"
    say(f"note: {what}; everything else goes on (`mesh check` says all)")
    return not names


def require_readable(mesh: Mesh, names: Sequence[str]) -> None:
    """Make sure that the declarations of what was named could be read; of all if nothing was.

    Raises:
        DeclarationError: with what is wrong with them.
    """
    if found := _wrong(mesh, names):
        raise DeclarationError(found)


def readable(mesh: Mesh, names: Sequence[str]) -> tuple[list[Product], tuple[Problem, ...]]:
    """Return what can be read of the products that were named, and what is wrong with the rest.

    Raises:
        UnknownNameError: a name matches nothing.
    """
    wrong = _wrong(mesh, names)
    if not wrong:
        return named(mesh, names), ()
    unread = {part for name in mesh.broken for part in (name, name.partition(".")[0])}
    if asked := [name for name in names if name not in unread]:
        named(mesh, asked)
    wanted = set(names)
    found = [
        product
        for product in mesh.products
        if not names or {product.qualified_name, product.domain} & wanted
    ]
    return found, wrong


def _wrong(mesh: Mesh, names: Sequence[str]) -> tuple[Problem, ...]:
    """Return why declarations of what was named cannot be read; of all if nothing was."""
    found = [
        problem
        for name, problems in mesh.broken.items()
        if not names or {name, name.partition(".")[0]} & set(names)
        for problem in problems
    ]
    return tuple(dict.fromkeys(found))


def _active(product: Product) -> bool:
    return product.status in RUNNABLE
