"""What the commands take that are about trying something without touching what others read."""

from __future__ import annotations

from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Names, Output, Partitions
from dataops_mesh.cli.output import Format
from dataops_mesh.cli.planning import PlanFormat

sandbox = typer.Typer(
    help="Try something on the whole mesh, without touching what others read.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="of the sandbox")]
Lease = Annotated[str, typer.Option(help="for how long: 12h, 7d, 2w")]
Why = Annotated[str, typer.Option(help="what for, for the record")]


def add_sandbox_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    sandbox.command()(up)
    sandbox.command("list")(list_all)
    sandbox.command()(run)
    sandbox.command("test")(try_change)
    sandbox.command()(diff)
    sandbox.command()(refresh)
    sandbox.command()(renew)
    sandbox.command()(promote)
    sandbox.command()(down)
    app.add_typer(sandbox, name="sandbox", rich_help_panel="Try")


def up(  # noqa: PLR0913, PLR0917 - what the command takes
    name: Name,
    origin: Annotated[
        str, typer.Option("--from", help="production, a sandbox, a release, or a time")
    ] = "production",
    subset: Annotated[
        str, typer.Option(help="only a part of the rows, 5%, and what these refer to")
    ] = "",
    parameters: Annotated[
        str, typer.Option(metavar="SET", help="build with this set of parameters")
    ] = "",
    lease: Lease = "7d",
    reason: Why = "",
) -> None:
    """Open a sandbox: it shows what production shows, and what is built in it is its own."""
    from dataops_mesh.cli.sandbox.sandboxes import open_one

    open_one(name, origin, lease, reason, subset=subset, parameters=parameters)


def list_all(output: Output = Format.TABLE) -> None:
    """List the sandboxes: whose, from what, until when, and what was built in each."""
    from dataops_mesh.cli.sandbox.sandboxes import list_sandboxes

    list_sandboxes(output)


def run(
    name: Name,
    names: Names = None,
    partition: Partitions = None,
    *,
    changed: Annotated[
        bool, typer.Option("--changed", help="only what differs from what is published")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Build and check in a sandbox; `mesh run --sandbox NAME` takes more options."""
    from dataops_mesh.cli.run import running
    from dataops_mesh.cli.sandbox.entering import enter

    enter(name)
    raise typer.Exit(running.run_products(names or [], output, partition or [], changed=changed))


def try_change(  # noqa: PLR0913 - what the command takes
    names: Names = None,
    *,
    changed: Annotated[
        bool, typer.Option("--changed", help="what differs; so it is when nothing is named")
    ] = False,
    against: Annotated[
        str, typer.Option(help="compare with `published`, or with a git ref")
    ] = "published",
    samples: Annotated[
        int, typer.Option(help="how many keys of changed rows to show", min=0, max=100)
    ] = 0,
    all_partitions: Annotated[
        bool, typer.Option("--all-partitions", help="of what changed, not only the newest 12")
    ] = False,
    keep: Annotated[str, typer.Option(help="keep the sandbox, under this name")] = "",
    output: Annotated[PlanFormat, typer.Option("--format")] = PlanFormat.TABLE,
) -> None:
    """Build what changed and all that reads it, and say what that does to data; touch nothing."""
    from dataops_mesh.cli.sandbox.impact import show_impact

    if changed and names:
        raise typer.BadParameter("--changed finds them itself; name products, or none")
    raise typer.Exit(
        show_impact(names or [], against, output, samples=samples, every=all_partitions, keep=keep)
    )


def diff(name: Name, output: Output = Format.TABLE) -> None:
    """Show what a sandbox shows otherwise than production does now."""
    from dataops_mesh.cli.sandbox.sandboxes import show_differences

    show_differences(name, output)


def refresh(
    name: Name,
    to: Annotated[int | None, typer.Option("--to", help="a release; the newest if absent")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Read what was not built in the sandbox from production as it is now."""
    from dataops_mesh.cli.sandbox.sandboxes import refresh_one

    refresh_one(name, to, output)


def renew(name: Name, lease: Lease = "7d") -> None:
    """Keep a sandbox for longer, from now."""
    from dataops_mesh.cli.sandbox.sandboxes import renew_one

    renew_one(name, lease)


def promote(
    name: Name, names: Names = None, reason: Why = "", output: Output = Format.TABLE
) -> None:
    """Publish what was built in a sandbox, without building it again; all of it, or nothing."""
    from dataops_mesh.cli.sandbox.promoting import promote_from

    promote_from(name, names or [], reason, output)


def down(name: Name, reason: Why = "") -> None:
    """Take a sandbox down; `mesh store gc` deletes what was built in it."""
    from dataops_mesh.cli.sandbox.sandboxes import close_one

    close_one(name, reason)
