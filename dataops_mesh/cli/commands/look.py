"""What the commands take that are about what is published, from what, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Names, Output, Product, Sandbox
from dataops_mesh.cli.output import Format

PANEL = "Look"


def add_look_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.command(rich_help_panel=PANEL)(status)
    app.command(rich_help_panel=PANEL)(query)
    app.command(rich_help_panel=PANEL)(show)
    app.command(
        rich_help_panel=PANEL,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(ui)
    app.command(rich_help_panel=PANEL)(serve)
    app.command(hidden=True)(history)
    app.command(hidden=True)(incidents)


def status(
    names: Names = None,
    *,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="only what is wrong: open incidents; exit 1 if any")
    ] = False,
    closed: Annotated[bool, typer.Option("--all", help="with --wrong: closed ones too")] = False,
    sandbox: Sandbox = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what is published, and how each last run ended."""
    del sandbox  # it was entered
    if closed and not wrong:
        raise typer.BadParameter("--all is of incidents: mesh status --wrong --all")
    if wrong:
        from dataops_mesh.cli.watching import show_incidents

        raise typer.Exit(show_incidents(names or [], output, closed=closed))
    from dataops_mesh.cli.looking import show_status

    raise typer.Exit(show_status(names or [], output))


def query(  # noqa: PLR0913, PLR0917 - the options of a command
    sql: Annotated[str, typer.Argument(metavar="SQL", help="one SELECT on domain.port")],
    release: Annotated[int | None, typer.Option(help="a release number", min=0, max=10**15)] = None,
    candidate: Annotated[
        str | None, typer.Option(help="a candidate of your own, also a refused one; on record")
    ] = None,
    role: Annotated[str, typer.Option(help="read unmasked what this role of yours may")] = "",
    sandbox: Sandbox = None,
    output: Output = Format.TABLE,
) -> None:
    """Run one SELECT; every domain.port is a view."""
    del sandbox  # it was entered
    from dataops_mesh.cli.looking import run_query
    from dataops_mesh.cli.showing import query_candidate

    if candidate is not None and release is not None:
        raise typer.BadParameter("a candidate is in no release: say one of both")
    if candidate is not None and role:
        raise typer.BadParameter("a candidate is not read by a role: say one of both")
    if candidate is not None:
        raise typer.Exit(query_candidate(candidate, sql, output))
    raise typer.Exit(run_query(sql, release, output, role))


def show(
    thing: Annotated[
        str, typer.Argument(metavar="PRODUCT|N|CANDIDATE|INCIDENT", help="N is a publication")
    ],
    *,
    history: Annotated[bool, typer.Option("--history", help="of a product: all that was")] = False,
    down: Annotated[bool, typer.Option("--down", help="what was built from it")] = False,
    sandbox: Sandbox = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what one is, from what, by whom."""
    del sandbox  # it was entered
    from dataops_mesh.cli.showing import show_thing

    raise typer.Exit(show_thing(thing, output, history=history, below=down))


def ui(context: typer.Context, sandbox: Sandbox = None) -> None:
    """Start the Dagster UI; takes options of `dagster dev`."""
    del sandbox  # it was entered
    from dataops_mesh.cli.ui import start_ui

    raise typer.Exit(start_ui(context.args))


def serve(
    port: Annotated[int, typer.Option(help="the port", min=1, max=65_535)] = 8765,
    *,
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    socket: Annotated[
        Path | None, typer.Option(help="a UNIX socket instead, for a proxy before it")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="a name by which people reach it; may be repeated"),
    ] = None,
) -> None:
    """Start the mesh's own pages; they only show."""
    from dataops_mesh.cli.report.serving import start_pages

    raise typer.Exit(start_pages(host, port, socket, name or []))


def history(product: Product, output: Output = Format.TABLE) -> None:
    """Show what happened to a product, newest first; `mesh show PRODUCT --history`."""
    from dataops_mesh.cli.looking import show_history

    raise typer.Exit(show_history(product, output))


def incidents(
    names: Names = None,
    closed: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,  # noqa: FBT002 - a flag
    output: Output = Format.TABLE,
) -> None:
    """Show what is wrong now; `mesh status --wrong`."""
    from dataops_mesh.cli.watching import show_incidents

    raise typer.Exit(show_incidents(names or [], output, closed=closed))
