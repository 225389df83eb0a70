"""`mesh hold add`, `lift` and `list`: what is not published until somebody says so."""

from __future__ import annotations

import typer

from dataops_mesh.cli.commands.shared import Output, Partition, Product, Reason
from dataops_mesh.cli.output import Format, say, show

COLUMNS = ("product", "partition", "by", "person", "since", "release", "reason", "ends")
ENDS = {
    "hold": "when lifted",
    "withdrawal": "when lifted",
    "rollback": "when lifted, or when other code brings other rows",
}
hold = typer.Typer(help="Keep a product from being published.", no_args_is_help=True)


def add_hold_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.add_typer(hold, name="hold", rich_help_panel="Decide")


@hold.command()
def add(product: Product, reason: Reason, partition: Partition = None) -> None:
    """Let nothing of a product be published until it is lifted; consumers read on."""
    from dataops_mesh.cli.near import open_near
    from dataops_mesh.cli.workspace import one
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.word.hold import hold_product

    settings, mesh, _ = open_near([product])
    found = one(mesh, product)
    release = hold_product(found, open_environment(settings), reason, partition)
    piece = f"partition {partition} of " if partition else ""
    say(f"{piece}{product} is held since release {release.number}: {reason}")


@hold.command()
def lift(product: Product, reason: Reason, partition: Partition = None) -> None:
    """Let a product, or one partition, be published again."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.word.hold import lift_hold
    from dataops_mesh.settings import load_settings

    release = lift_hold(product, open_environment(load_settings()), reason, partition)
    piece = f"partition {partition} of " if partition else ""
    say(f"{piece}{product} is free since release {release.number}: {reason}")


@hold.command("list")
def list_(output: Output = Format.TABLE) -> None:
    """Show what is held, by whom, why, and what ends it."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.word.held import holds_by_product
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.release import latest

    found = holds_by_product(latest(open_environment(load_settings()).store).holds)
    rows = [
        {
            "product": one.product,
            "partition": one.partition,
            "by": one.kind,
            "person": one.person,
            "since": one.at,
            "release": one.release,
            "reason": one.reason,
            "ends": ENDS[one.kind] + (" or the inputs" if one.until else ""),
        }
        for one in found
    ]
    show(rows, output, columns=COLUMNS, empty="nothing is held", wrap=("reason", "ends"))
