"""`mesh incident ack` and `unack`: who looks at what is wrong, and until when."""

from __future__ import annotations

from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Reason

Named = Annotated[
    str, typer.Argument(metavar="INCIDENT|PRODUCT", help="of a product, all that is wrong with it")
]
incident = typer.Typer(help="Say that you look at what is wrong.", no_args_is_help=True)


def add_incident_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.add_typer(incident, name="incident", rich_help_panel="Decide")


@incident.command()
def ack(
    named: Named,
    reason: Reason,
    until: Annotated[str, typer.Option(help="4h, 2d, or a moment: 2026-01-31T12:00")],
) -> None:
    """Say that you look at it: no reminder and no escalation until then, or until it changes."""
    from dataops_mesh.cli import acknowledging

    raise typer.Exit(acknowledging.acknowledge_named(named, reason, until))


@incident.command()
def unack(named: Named, reason: Reason) -> None:
    """Say that nobody looks at it any more."""
    from dataops_mesh.cli import acknowledging

    raise typer.Exit(acknowledging.take_back_named(named, reason))
