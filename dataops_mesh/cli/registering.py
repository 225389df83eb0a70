"""`mesh domain register`: tell the mesh what the domains of this repository own and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataops_mesh.cli.examine import require_sound
from dataops_mesh.cli.output import Format, say, show
from dataops_mesh.cli.workspace import named, open_readable, require_readable
from dataops_mesh.errors import Problem, UnknownNameError

if TYPE_CHECKING:
    from dataops_mesh.spec.model import Domain, Mesh

COLUMNS = ("product", "version", "status", "reads", "repository", "registered", "person")


def register_domains(names: Sequence[str], output: Format, *, move: bool = False) -> int:
    """Put the named domains on record, or all of this repository, and show what was news."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.registry.elsewhere import find_elsewhere, read_by
    from dataops_mesh.run.registry.register import register, said_of

    settings, mesh = open_readable()
    require_readable(mesh, names)
    domains = _domains(mesh, names)
    products = [product for domain in domains for product in domain.products]
    require_sound(mesh, products, settings)
    declared = (*read_by(mesh, find_elsewhere(settings, mesh)), *mesh.products)
    ports = {port.address: port for product in declared for port in product.outputs}
    environment = open_environment(settings)
    news = [one for domain in domains for one in register(domain, environment, ports, move=move)]
    show(said_of(news), output, columns=COLUMNS, empty="nothing new: all of it is on record")
    return 0


def show_registered(names: Sequence[str], output: Format) -> int:
    """Print what is on record of all repositories."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.registry.declared import registered
    from dataops_mesh.run.registry.register import said_of
    from dataops_mesh.settings import load_settings

    found = registered(open_environment(load_settings()))
    chosen = [one for one in found if not names or one.domain in names or one.product in names]
    show(
        said_of(chosen),
        output,
        columns=COLUMNS,
        empty="nothing is registered: mesh domain register",
    )
    if output is Format.TABLE and chosen:
        say(f"\n{len({one.repository for one in chosen})} repositories")
    return 0


def _domains(mesh: Mesh, names: Sequence[str]) -> list[Domain]:
    """Return the domains of this repository that were named; a domain is registered whole."""
    own = [domain for domain in mesh.domains if domain.root is None]
    if not names:
        return own
    domains = {domain.name for domain in own}
    strangers = [name for name in names if name not in domains]
    if strangers:
        named(mesh, strangers)  # says so if there is no such thing at all
        raise UnknownNameError(_whole(strangers[0], domains))
    return [domain for domain in own if domain.name in names]


def _whole(name: str, domains: set[str]) -> Problem:
    what = f'"{name}" is no domain of this repository: domains are registered as a whole'
    return Problem(what, choices=tuple(sorted(domains)))
