"""What the commands take that are about a person's word."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Output, Partition, Product, Reason
from dataops_mesh.cli.output import Format

PANEL = "Decide"


class Until(StrEnum):
    """What else ends the hold of a rollback."""

    INPUTS = "inputs"


def add_decide_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.command(rich_help_panel=PANEL)(rollback)
    app.command(rich_help_panel=PANEL)(accept)


def rollback(  # noqa: PLR0913, PLR0917 - what the command takes
    product: Product,
    reason: Reason,
    to: Annotated[int | None, typer.Option(help="publication; the one before if absent")] = None,
    partition: Partition = None,
    until: Annotated[
        Until | None, typer.Option(help="inputs: other inputs end the hold, not only other code")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Publish an earlier publication again and hold it."""
    from dataops_mesh.cli.running import roll_back

    ends = until.value if until else ""
    raise typer.Exit(roll_back(product, to, reason, output, partition=partition, until=ends))


def accept(
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="domain.product")],
    product: Annotated[str, typer.Option("--for", metavar="PRODUCT", help="what it reads")],
    warn: Annotated[bool, typer.Option("--warn", help="a failure only tells")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Let a product's own gate check what a consumer expects of it."""
    from dataops_mesh.cli import pacts

    raise typer.Exit(pacts.accept(consumer, product, warn=warn))
