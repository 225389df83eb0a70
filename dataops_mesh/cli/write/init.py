"""`mesh init`."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from dataops_mesh.cli.output import say
from dataops_mesh.cli.schemas import write_schema_files
from dataops_mesh.cli.write.ask import asked
from dataops_mesh.scaffold.files import write_new
from dataops_mesh.scaffold.product import People, require_names
from dataops_mesh.scaffold.workspace import SCHEMAS, new_workspace
from dataops_mesh.settings import Settings

_NOBODY = People()
Who = tuple[str | None, str | None, str | None]  # team, owner, support


def init_workspace(folder: Path, domain: str | None, who: Who, *, sample: bool) -> int:
    """Write the files of a workspace into a folder, and say what to do next."""
    root = folder.absolute()
    name = asked(domain, "Name of the first domain", "--domain", "shop")
    require_names(domain=name)
    people = people_of(name, who)
    written = write_new(new_workspace(root, name, people, sample=sample))
    write_schema_files(root / SCHEMAS)
    _tell_dagster(root)
    say(f"{len(written)} files in {root}")
    at = os.path.relpath(root)
    first = [] if at == "." else [f"  cd {at}"]
    then = [
        *first,
        "  mesh run" if sample else f"  mesh new product {name}.NAME --from FILE",
        "  mesh status",
        *([f'  mesh query "from {name}.orders"'] if sample else []),
        "  mesh ui          # the Dagster UI",
    ]
    say("\nWhat to do next:\n" + "\n".join(then))
    return 0


def people_of(domain: str, who: Who, known: People = _NOBODY) -> People:
    """Return who answers for a product: by flags, else as asked.

    Args:
        domain: the product's.
        who: what the flags say.
        known: who answers for the domain so far; whoever types, if that is nobody.
    """
    team, owner, support = who
    mail = known.support or "data@example.com"
    return People(
        asked(team, "Team that answers for it", "--team", known.team or f"team {domain}"),
        asked(owner, "User name of its owner", "--owner", known.owner or typist()),
        asked(support, "Mail or URL for questions", "--support", mail),
    )


def people_known(settings: Settings, domain: str) -> People:
    """Return who answers for the products of a domain, or for those of the workspace's others."""
    from dataops_mesh.spec.loader import read_mesh

    products = read_mesh(settings.root, settings.domains).products
    own = next((one for one in products if one.domain == domain and one.team), None)
    any_ = own or next((one for one in products if one.team), None)
    if any_ is None or any_.team is None:
        return _NOBODY
    owners = [member.username for member in any_.team.members if member.role == "owner"]
    support = any_.support[0].url.removeprefix("mailto:") if any_.support else ""
    return People(any_.team.name if own else "", owners[0] if owners else "", support)


def typist() -> str:
    """Return the user who types, as the operating system calls them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "owner"


def _tell_dagster(root: Path) -> None:
    from dataops_mesh.factory.workspace import write_workspace
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.loader import read_mesh

    settings = load_settings(root)
    write_workspace(read_mesh(settings.root, settings.domains))
