"""What the commands take that are about building, checking and publishing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Names, Output, Partition, Partitions, Product, Sandbox
from dataops_mesh.cli.output import Format

PANEL = "Run"


def add_run_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.command(rich_help_panel=PANEL)(run)
    app.command(rich_help_panel=PANEL)(publish)
    app.command(rich_help_panel=PANEL)(monitor)
    app.command(rich_help_panel=PANEL)(export)
    app.command("test", rich_help_panel="Write")(try_examples)


def run(  # noqa: PLR0913 - what the command takes
    names: Names = None,
    partition: Partitions = None,
    *,
    all_partitions: Annotated[
        bool, typer.Option("--all-partitions", help="every partition, not only those due")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="all partitions of one product, in one commit")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="without what a product itself published last (self)")
    ] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="only what differs from what is published")
    ] = False,
    again: Annotated[
        int | None,
        typer.Option("--reproduce", metavar="N", help="build publication N again, and compare"),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="show what would be built, and why")
    ] = False,
    sandbox: Sandbox = None,
    output: Output = Format.TABLE,
) -> None:
    """Build, check and publish, inputs first."""
    del sandbox  # it was entered
    from dataops_mesh.cli.run import running

    if again is not None:
        if len(names or []) != 1 or dry or changed or rebuild or full or all_partitions:
            raise typer.BadParameter("--reproduce takes one product, and --partition")
        from dataops_mesh.cli.run.reproducing import reproduce

        raise typer.Exit(reproduce((names or [])[0], again, output, partition or []))
    if rebuild:
        if len(names or []) != 1 or dry or changed or partition or all_partitions:
            raise typer.BadParameter("--rebuild takes one product, and --full")
        raise typer.Exit(running.rebuild((names or [])[0], output, full=full))
    if partition and all_partitions:
        raise typer.BadParameter("--partition names some, --all-partitions means every one")
    if full and (changed or dry or not names):
        raise typer.BadParameter("--full takes the names of what to build, and no --changed")
    asked = {"every": all_partitions, "full": full, "changed": changed, "dry": dry}
    raise typer.Exit(running.run_products(names or [], output, partition or [], **asked))


def publish(  # noqa: PLR0913 - what the command takes
    product: Product,
    *,
    file: Annotated[
        Path | None, typer.Option("--from", help="a file in the source's format")
    ] = None,
    query: Annotated[str, typer.Option(help="a SELECT of DuckDB instead of a file")] = "",
    port: Annotated[
        str, typer.Option("--input", help="which source, where there are several")
    ] = "",
    partition: Partition = None,
    output: Output = Format.TABLE,
) -> None:
    """Deliver what another tool made to a product's source, then build, check and publish."""
    from dataops_mesh.cli.run import publishing

    if (file is None) == (not query):
        raise typer.BadParameter("say either --from FILE or --query SELECT")
    raise typer.Exit(
        publishing.publish(product, output, file=file, query=query, port=port, partition=partition)
    )


def monitor(names: Names = None, output: Output = Format.TABLE) -> None:
    """Test what is published again, without building; exit 1 if it breaks its contract."""
    from dataops_mesh.cli.watching import monitor_products

    raise typer.Exit(monitor_products(names or [], output))


def export(names: Names = None, output: Output = Format.TABLE) -> None:
    """Bring the copies of published ports to what the log says; exit 1 if one cannot be."""
    from dataops_mesh.cli.copying import export_products

    raise typer.Exit(export_products(names or [], output))


def try_examples(names: Names = None, output: Output = Format.TABLE) -> None:
    """Build products from the rows of their examples; exit 1 if other rows come out."""
    from dataops_mesh.cli.write.trying import run_examples

    raise typer.Exit(run_examples(names or [], output))
