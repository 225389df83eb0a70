"""`mesh init` and `mesh new`: what they take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PANEL = "Write"
new = typer.Typer(help="Write a new domain, product or contract.", no_args_is_help=True)

Team = Annotated[str | None, typer.Option("--team", help="who answers for it")]
Owner = Annotated[str | None, typer.Option("--owner", help="the team's owner: a user name")]
Support = Annotated[str | None, typer.Option("--support", help="where questions go: mail or URL")]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help='CSV, Parquet, JSON or DuckDB file with the rows, or "data/*.csv"',
    ),
]
_MORE = {"allow_extra_args": True}  # what a shell makes of a pattern without quotes
Table = Annotated[str, typer.Option("--table", help="of a DuckDB file, which table")]
Select = Annotated[str, typer.Option("--select", metavar="SQL", help="a SELECT on domain.port")]


def add_new_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.command(rich_help_panel=PANEL)(init)
    app.add_typer(new, name="new", rich_help_panel=PANEL)


def init(  # noqa: PLR0913 - what the command takes
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="here if absent")] = Path(),
    *,
    domain: Annotated[str | None, typer.Option("--domain", help="the first domain")] = None,
    team: Team = None,
    owner: Owner = None,
    support: Support = None,
    empty: Annotated[bool, typer.Option("--empty", help="without the sample product")] = False,
) -> None:
    """Write a workspace that runs, with one small product."""
    from dataops_mesh.cli.write.init import init_workspace

    raise typer.Exit(init_workspace(folder, domain, (team, owner, support), sample=not empty))


@new.command("domain")
def new_domain(name: Annotated[str, typer.Argument(metavar="DOMAIN")]) -> None:
    """Write the folder of a domain and its `definitions.py`, and tell Dagster."""
    from dataops_mesh.cli.write.new import write_domain

    raise typer.Exit(write_domain(name))


@new.command("product", context_settings=_MORE)
def new_product(  # noqa: PLR0913 - what the command takes
    context: typer.Context,
    product: Annotated[str, typer.Argument(metavar="DOMAIN.PRODUCT")],
    *,
    file: From = None,
    select: Select = "",
    port: Annotated[str, typer.Option("--port", help="its output port; the product's name")] = "",
    source: Annotated[
        bool, typer.Option("--source", help="also a contract for what comes in")
    ] = False,
    python: Annotated[bool, typer.Option("--python", help="transform.py instead of SQL")] = False,
    team: Team = None,
    owner: Owner = None,
    support: Support = None,
) -> None:
    """Write a product that publishes a file's rows, or those of a SELECT."""
    from dataops_mesh.cli.write.new import write_product
    from dataops_mesh.scaffold.make import Origin, Place, Request
    from dataops_mesh.scaffold.product import People

    _one_file(context, file)

    def made(place: Place, people: People) -> Request:
        name, origin = port or place.product, Origin(file, select=select)
        return Request(place, name, origin, people, python=python, source=source)

    raise typer.Exit(write_product(product, made, (team, owner, support)))


@new.command("contract", context_settings=_MORE)
def new_contract(  # noqa: PLR0913 - what the command takes
    context: typer.Context,
    port: Annotated[str, typer.Argument(metavar="DOMAIN.PRODUCT.PORT")],
    *,
    file: From = None,
    table: Table = "",
    select: Select = "",
    source: Annotated[
        bool, typer.Option("--source", help="of an input port, for what comes in")
    ] = False,
    shown: Annotated[bool, typer.Option("--print", help="write no file")] = False,
) -> None:
    """Write a contract of what is in a file, a table or a SELECT."""
    from dataops_mesh.cli.write.new import write_contract
    from dataops_mesh.scaffold.make import Origin

    _one_file(context, file)
    origin = Origin(file, table, select)
    raise typer.Exit(write_contract(port, origin, source=source, shown=shown))


def _one_file(context: typer.Context, file: Path | None) -> None:
    """Refuse more files than one, which a shell has made of a pattern.

    Raises:
        SettingsError: there are more.
    """
    if context.args:
        from dataops_mesh.errors import Problem, SettingsError

        what = f"there is more than was asked for: {', '.join(context.args[:3])}"
        suffix = file.suffix if file else ".csv"
        then = f'name one file, or a pattern in quotes: --from "data/*{suffix}"'
        raise SettingsError(Problem(what, next=then))
