"""`mesh domain`: which repository owns which domain, and what each has told the mesh."""

from __future__ import annotations

from typing import Annotated

import typer

from dataops_mesh.cli.output import Format, say, show

COLUMNS = ("domain", "repository", "person", "at", "how")
Output = Annotated[Format, typer.Option("--format", help="for people or for machines")]
domain = typer.Typer(help="Who owns a domain, and what it tells the mesh.", no_args_is_help=True)


def add_domain_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.add_typer(domain, name="domain", rich_help_panel="Keep")
    app.command(hidden=True)(register)  # the name of an older version


@domain.command()
def register(
    domains: Annotated[
        list[str] | None, typer.Argument(metavar="[DOMAIN]...", help="all of them if absent")
    ] = None,
    *,
    listed: Annotated[
        bool, typer.Option("--list", help="only show what all repositories registered")
    ] = False,
    move: Annotated[
        bool, typer.Option("--move", help="the domain lives here now, not in another repository")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Tell the mesh what the domains of this repository own and read."""
    from dataops_mesh.cli import registering

    if listed:
        raise typer.Exit(registering.show_registered(domains or [], output))
    raise typer.Exit(registering.register_domains(domains or [], output, move=move))


@domain.command()
def assign(
    name: Annotated[str, typer.Argument(metavar="DOMAIN")],
    repository: Annotated[
        str, typer.Argument(metavar="REPOSITORY", help="its address, in any spelling; . for this")
    ],
    output: Output = Format.TABLE,
) -> None:
    """Make a repository the only one that publishes a domain."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.registry.owners import assign_domain
    from dataops_mesh.settings import load_settings

    owner = assign_domain(open_environment(load_settings()), name, repository)
    show([_row(owner)], output, columns=COLUMNS)


@domain.command(name="list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="earlier owners too")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show the owner of each domain."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.owners import all_owners

    settings = load_settings()
    found = list(all_owners(open_environment(settings).store))
    last = {owner.domain: owner for owner in found}
    rows = [_row(owner) for owner in (found if everything else last.values())]
    show(rows, output, columns=COLUMNS, empty="no domain has an owner")
    if output is Format.TABLE:
        said = {
            "open": "its first publication gives it one",
            "assigned": "nothing of it is published before `mesh domain assign`",
        }
        say(f"\nof a domain without an owner: {said[settings.ownership]}")


def _row(owner: object) -> dict[str, str]:
    from dataops_mesh.store.owners import Owner

    if not isinstance(owner, Owner):
        raise TypeError
    return {
        "domain": owner.domain,
        "repository": str(owner),
        "person": owner.person,
        "at": owner.at.isoformat(timespec="seconds"),
        "how": owner.how,
    }
