"""What the commands take that are about a person's word."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Output, Partition, Reason
from dataops_mesh.cli.output import Format

PANEL = "Decide"


class Until(StrEnum):
    """What else ends the hold of a rollback."""

    INPUTS = "inputs"


def add_decide_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.command(rich_help_panel=PANEL)(rollback)
    app.command(rich_help_panel=PANEL)(accept)


def rollback(  # noqa: PLR0913 - what the command takes
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PRODUCT|DOMAIN]...", help="what to roll back")
    ] = None,
    reason: Reason = "",
    to: Annotated[int | None, typer.Option(help="publication; the one before if absent")] = None,
    partition: Partition = None,
    until: Annotated[
        Until | None, typer.Option(help="inputs: other inputs end the hold, not only other code")
    ] = None,
    *,
    at: Annotated[str, typer.Option(help="to what was read at this time, 2013-01-31T12:00")] = "",
    everything: Annotated[bool, typer.Option("--all", help="every product declared here")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="several products: do not ask")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Publish what was read before again, and hold it; of several products as at one moment."""
    from dataops_mesh.cli import rolling

    ends = until.value if until else ""
    if bool(names) == everything:
        raise typer.BadParameter("name products or domains, or say --all")
    if at and to is not None:
        raise typer.BadParameter("say --at or --to")
    if len(names or ()) == 1 and not at and (to is None or "." in (names or [""])[0]):
        (name,) = names or [""]
        code = rolling.roll_back(name, to, reason, output, partition=partition, until=ends)
        raise typer.Exit(code)
    if not at and to is None:
        raise typer.BadParameter("say --at TIME (or --to RELEASE): several go back to one moment")
    if partition is not None:
        raise typer.BadParameter("--partition belongs to one product, without --at")
    several = names or []
    code = rolling.roll_back_several(several, to, at, reason, output, until=ends, yes=yes)
    raise typer.Exit(code)


def accept(
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="domain.product")],
    product: Annotated[str, typer.Option("--for", metavar="PRODUCT", help="what it reads")],
    warn: Annotated[bool, typer.Option("--warn", help="a failure only tells")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Let a product's own gate check what a consumer expects of it."""
    from dataops_mesh.cli import pacts

    raise typer.Exit(pacts.accept(consumer, product, warn=warn))
