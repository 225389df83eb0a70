"""`mesh withdraw`: take what is published away from consumers, and from the disk if asked to."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_mesh.cli.commands.shared import Partition
from dataops_mesh.cli.copying import follow
from dataops_mesh.cli.output import REFUSED, Format, say, show

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment
    from dataops_mesh.run.word.withdraw import Taking
    from dataops_mesh.settings import Settings
    from dataops_mesh.spec.model import Product
    from dataops_mesh.store.release import Release

Name = Annotated[
    str | None, typer.Argument(metavar="PRODUCT|PORT", help="domain.product or domain.port")
]
COLUMNS = ("port", "partition", "release", "readers")


def add_withdraw_command(app: typer.Typer) -> None:
    """Add the command to `mesh`."""
    app.command(rich_help_panel="Decide")(withdraw)


def withdraw(  # noqa: PLR0913 - a command's options
    name: Name = None,
    reason: Annotated[str, typer.Option(help="why, for the record")] = "",
    partition: Partition = None,
    *,
    due: Annotated[
        bool, typer.Option("--due", help="what has ended; with a PRODUCT also what is still read")
    ] = False,
    erase: Annotated[
        bool, typer.Option("--erase", help="delete it too, all that it ever had here, for good")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="with --erase: do not wait for who reads or builds it")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    output: Annotated[
        Format, typer.Option("--format", help="for people or machines")
    ] = Format.TABLE,
) -> None:
    """Take a product, a port or a partition away from consumers, and hold it."""
    if now and not erase:
        raise typer.BadParameter("--now belongs to --erase")
    if due:
        if partition is not None or erase:
            raise typer.BadParameter("--due says itself what has ended, and erases nothing")
        from dataops_mesh.cli.run.ending import withdraw_due

        raise typer.Exit(withdraw_due(name or "", reason, output, yes=yes))
    if name is None or not reason.strip():
        raise typer.BadParameter("say PRODUCT or PORT, and --reason; or --due")
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings

    settings = load_settings()
    environment = open_environment(settings)
    if erase:
        code = _erase(name, environment, reason, partition or "", output, yes=yes, now=now)
    else:
        code = _withdraw(name, environment, reason, partition, output, yes=yes)
    raise typer.Exit(code)


def _withdraw(  # noqa: PLR0913 - a command's options
    name: str,
    environment: Environment,
    reason: str,
    partition: str | None,
    output: Format,
    *,
    yes: bool,
) -> int:
    from dataops_mesh.run.word.withdraw import taking, withdraw_product

    what = taking(name, environment, _declared(), partition or "")
    _say_readers(what, partition, "takes {} away from consumers")
    if not _agreed("withdraw it?", yes=yes):
        return REFUSED
    release = withdraw_product(what, environment, reason, partition)
    _tell_dagster(environment.settings, release)
    _show(what, release, output)
    piece = f" --partition {partition}" if partition else ""  # without it, all holds would end
    lift = f'mesh hold lift {what.product}{piece} --reason "..."'
    say(f"held from now on; to publish it again: {lift}")
    _follow(what, environment.settings)
    return 0


def _erase(  # noqa: PLR0913 - a command's options
    name: str,
    environment: Environment,
    reason: str,
    partition: str,
    output: Format,
    *,
    yes: bool,
    now: bool,
) -> int:
    from dataops_mesh.factory.forgetting import forget_in
    from dataops_mesh.run.word.erase import erase
    from dataops_mesh.run.word.erasing import built_of, erasing, require_partition

    what, whole = erasing(name, environment, _declared())
    notes = require_partition(what, environment, partition) if partition else ()
    all_ = ", with all versions, refused ones and samples"
    _say_readers(what, partition, f"takes {{}} away from consumers and deletes it{all_}")
    for product in built_of(what, environment):
        notes += (f"{product} was built from it and may hold its rows; it is not erased",)
    for note in notes:
        say(f"  {note}")
    if not _agreed("erase it? nothing brings it back", yes=yes):
        return REFUSED
    try:
        done = erase(
            what,
            environment,
            reason,
            partition,
            whole=whole,
            wait=not now,
            forget=forget_in(environment.settings),
            tell=say,
        )
    except KeyboardInterrupt:
        say("\nnot finished: what is on record as erased, `mesh store gc --yes` deletes")
        raise
    _tell_dagster(environment.settings, done.release)
    _show(what, done.release, output)
    for who in done.cut_off:
        say(f"cut off: {who}")
    for note in done.notes:
        say(f"note: {note}")
    again = f'mesh hold lift {what.product} --reason "..."'
    say(f"erased: {len(done.candidates)} candidates; held from now on, until {again}")
    _follow(what, environment.settings)
    return 0


def _follow(what: Taking, settings: Settings) -> None:
    """Take it away from where it was copied, too."""
    follow([one for one in _declared() if one.qualified_name == what.product], settings)


def _declared() -> tuple[Product, ...]:
    from dataops_mesh.cli.workspace import open_readable
    from dataops_mesh.errors import DeclarationError

    with suppress(DeclarationError):  # what is broken may be what has to go
        return open_readable()[1].products
    return ()


def _say_readers(what: Taking, partition: str | None, sentence: str) -> None:
    piece = f"partition {partition} of " if partition else ""
    say(sentence.format(f"{piece}{', '.join(map(str, what.addresses))}"))
    then = "goes on without it" if partition else "is not built any more"
    for reader in what.readers:
        say(f"  {reader} reads it; it keeps its last publication and {then}")


def _agreed(question: str, *, yes: bool) -> bool:
    return yes or not sys.stdin.isatty() or typer.confirm(question, err=True)


def _tell_dagster(settings: Settings, release: Release) -> None:
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.factory.withdrawals import tell_withdrawals

    with open_instance(settings) as instance:
        tell_withdrawals(instance, release)


def _show(what: Taking, release: Release, output: Format) -> None:
    rows: Iterable[dict[str, object]] = [
        {
            "port": str(address),
            "partition": release.partition,
            "release": release.number,
            "readers": list(what.readers),
        }
        for address in release.decided
    ]
    show(list(rows), output, columns=COLUMNS)
