"""`mesh import`: declarations for what is there already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.commands.new import PANEL, From, Owner, Support, Team
from dataops_mesh.cli.output import Format, say, show

importing = typer.Typer(help="Write declarations for what is there already.", no_args_is_help=True)

To = Annotated[str, typer.Option("--to", metavar="DOMAIN.PRODUCT", help="the new product")]


def add_import_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.add_typer(importing, name="import", rich_help_panel=PANEL)


@importing.command("dbt")
def import_dbt(  # noqa: PLR0913, PLR0917 - what the command takes
    project: Annotated[Path, typer.Argument(metavar="PATH", help="the folder of the dbt project")],
    domain: Annotated[str, typer.Option(help="that receives it; the project's name")] = "",
    port: Annotated[
        list[str] | None, typer.Option(help="a model that becomes a port; may be repeated")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE.TABLE=FILE|DOMAIN.PORT", help="what a source of dbt is"),
    ] = None,
    select: Annotated[str, typer.Option(help="dbt's selection of nodes; all if absent")] = "",
    target: Annotated[str, typer.Option(help="the name of dbt's target")] = "",
    variables: Annotated[str, typer.Option("--vars", help="dbt's --vars, as JSON")] = "",
    env: Annotated[
        list[str] | None, typer.Option(help="a variable that the project may read")
    ] = None,
    team: Team = None,
    owner: Owner = None,
    output: Annotated[Format, typer.Option("--format", help="for people or for machines")] = (
        Format.TABLE
    ),
) -> None:
    """Write a product, contracts, and products of its sources for a dbt project."""
    from dataops_mesh.cli.workspace import load_workspace
    from dataops_mesh.cli.write.init import typist
    from dataops_mesh.factory.workspace import write_definitions
    from dataops_mesh.scaffold.dbt.project import Wish, import_project
    from dataops_mesh.scaffold.files import write_new
    from dataops_mesh.scaffold.product import People
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.dbt import DbtOptions
    from dataops_mesh.spec.model import Mesh
    from dataops_mesh.spec.paths import shown

    settings = load_settings()
    options = DbtOptions(target, _variables(variables), tuple(sorted(env or ())))
    who = People(team or "", owner or typist())
    wish = Wish(project, domain, tuple(port or ()), _sources(source or ()), select, options, who)
    known = settings.domains_folder.is_dir() or settings.locations
    mesh = load_workspace(settings) if known else Mesh(settings.root)
    made = import_project(wish, settings, mesh)
    write_new(made.files)
    files = [*made.files, *write_definitions(load_workspace(settings))]
    rows = [{"file": shown(file, settings.root)} for file in files]
    if output is Format.JSON:
        show([*rows, *({"note": note} for note in made.notes)], output, columns=())
        return
    for row in rows:
        say(f"{row['file']}: written")
    for note in made.notes:
        say(f"note: {note}")
    name = made.name.partition(".")[0]
    say(f"next: mesh check {name}; mesh run {name}")


@importing.command("odcs")
def import_odcs(  # noqa: PLR0913 - what the command takes
    contract: Annotated[Path, typer.Argument(metavar="CONTRACT", help="an ODCS file")],
    to: To,
    *,
    file: From = None,
    team: Team = None,
    owner: Owner = None,
    support: Support = None,
) -> None:
    """Write a product around a contract that you have, unchanged."""
    from dataops_mesh.cli.write.bring import import_contract

    raise typer.Exit(import_contract(contract, to, file, (team, owner, support)))


@importing.command("sql")
def import_sql(  # noqa: PLR0913 - what the command takes
    statements: Annotated[Path, typer.Argument(metavar="FILE", help="CREATE TABLE statements")],
    to: To,
    *,
    dialect: Annotated[str, typer.Option("--dialect", help="whose SQL: postgres, tsql, ...")] = "",
    team: Team = None,
    owner: Owner = None,
    support: Support = None,
) -> None:
    """Write a product with a port and a contract for each table."""
    from dataops_mesh.cli.write.bring import import_tables

    raise typer.Exit(import_tables(statements, to, dialect, (team, owner, support)))


def _variables(text: str) -> str:
    if not text:
        return ""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise typer.BadParameter('a JSON object, as {"name": 1}', param_hint="--vars")
    return json.dumps(found, sort_keys=True)


def _sources(given: list[str] | tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or name.count(".") != 1 or not value:
            what = "<source>.<table>=<a file>, or <source>.<table>=<domain>.<port>"
            raise typer.BadParameter(what, param_hint="--source")
        found[name] = value
    return found
