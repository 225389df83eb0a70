"""The commands that look after the store: `mesh store verify`, `gc` and `catalog rebuild`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.output import Format

Output = Annotated[Format, typer.Option("--format", help="for people or for machines")]
store = typer.Typer(help="Look after the store.", no_args_is_help=True)
catalog = typer.Typer(
    help="The DuckDB files of views, one a domain, derived from the log.", no_args_is_help=True
)


def add_store_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    for command in (verify, gc):
        store.command()(command)
        app.command(hidden=True)(command)  # the name of an older version
    store.command()(upgrade)
    store.command()(backup)
    store.command()(restore)
    store.add_typer(catalog, name="catalog")
    app.add_typer(store, name="store", rich_help_panel="Keep")
    app.add_typer(catalog, name="catalog", hidden=True)


def gc(
    *,
    delete: Annotated[
        bool, typer.Option("--yes", "--delete", help="delete it; without it, only say what")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Delete what nobody reads and no product can be rolled back to; a dry run without --yes."""
    from dataops_mesh.cli.keeping import collect_garbage

    raise typer.Exit(collect_garbage(output, delete=delete))


def verify(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="also what can only be rolled back to")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="write damaged releases again, from the record")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Compare the store with its checksums; exit 1 if anything is damaged."""
    from dataops_mesh.cli.keeping import verify_store

    raise typer.Exit(verify_store(output, everything=everything, repair=repair))


def upgrade() -> None:
    """Bring a store of an older version to this version's format; again, it goes on."""
    from dataops_mesh.cli.keeping import upgrade_store

    raise typer.Exit(upgrade_store())


def backup(
    target: Annotated[Path, typer.Argument(help="a new folder, or an earlier copy")],
) -> None:
    """Copy the store elsewhere, while it is used; into an earlier copy, only what is new."""
    from dataops_mesh.cli.keeping import back_up_store

    raise typer.Exit(back_up_store(target))


def restore(
    source: Annotated[Path, typer.Argument(help="a copy that `mesh store backup` made")],
) -> None:
    """Make the workspace's store from a copy, and erase again what the copy says was erased."""
    from dataops_mesh.cli.keeping import restore_store

    raise typer.Exit(restore_store(source))


@catalog.command()
def rebuild() -> None:
    """Write catalogs/<domain>.duckdb again, as after a store was moved; runs write what is new."""
    from dataops_mesh.cli.keeping import rebuild_catalogs

    raise typer.Exit(rebuild_catalogs())
