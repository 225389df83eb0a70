"""`mesh withdraw`: take what is published away from consumers."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated

import typer

from dataops_mesh.cli.output import REFUSED, Format, say, show

Name = Annotated[
    str | None, typer.Argument(metavar="PRODUCT|PORT", help="domain.product or domain.port")
]
COLUMNS = ("port", "partition", "release", "readers")


def add_withdraw_command(app: typer.Typer) -> None:
    """Add the command to `mesh`."""
    app.command()(withdraw)


def withdraw(  # noqa: PLR0913 - what the command takes
    name: Name = None,
    reason: Annotated[str, typer.Option(help="why, for the record")] = "",
    partition: Annotated[str | None, typer.Option(help="only this partition")] = None,
    *,
    due: Annotated[
        bool, typer.Option("--due", help="what has ended; with a PRODUCT also what is still read")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    output: Annotated[
        Format, typer.Option("--format", help="for people or machines")
    ] = Format.TABLE,
) -> None:
    """Take a product, a port or a partition away from consumers, and hold it."""
    if due:
        if partition is not None:
            raise typer.BadParameter("--due says itself which partitions have ended")
        from dataops_mesh.cli.ending import withdraw_due

        raise typer.Exit(withdraw_due(name or "", reason, output, yes=yes))
    if name is None or not reason:
        raise typer.BadParameter("say PRODUCT or PORT, and --reason; or --due")
    raise typer.Exit(_withdraw(name, reason, partition, output, yes=yes))


def _withdraw(name: str, reason: str, partition: str | None, output: Format, *, yes: bool) -> int:
    from dataops_mesh.cli.workspace import open_readable
    from dataops_mesh.errors import DeclarationError
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.withdrawals import tell_withdrawals
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.word.withdraw import taking, withdraw_product
    from dataops_mesh.settings import load_settings
    from dataops_mesh.spec.model import Product

    settings = load_settings()
    products: tuple[Product, ...] = ()
    with suppress(DeclarationError):  # what is broken may be what has to go
        products = open_readable()[1].products
    environment = open_environment(settings)
    what = taking(name, environment, products)
    piece = f"partition {partition} of " if partition else ""
    say(f"takes {piece}{', '.join(map(str, what.addresses))} away from consumers")
    for reader in what.readers:
        say(f"  {reader} reads it; it keeps its last publication and is not built any more")
    if not yes and sys.stdin.isatty() and not typer.confirm("withdraw it?", err=True):
        return REFUSED
    release = withdraw_product(what, environment, reason, partition)
    with open_instance(settings) as instance:
        tell_withdrawals(instance, release)
    rows = [
        {
            "port": str(address),
            "partition": partition or "",
            "release": release.number,
            "readers": list(what.readers),
        }
        for address in release.changed
    ]
    show(rows, output, columns=COLUMNS)
    say(f'held from now on; to publish it again: mesh hold lift {what.product} --reason "..."')
    return 0
