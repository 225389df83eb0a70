"""`mesh`: one file per command family; each imports what it needs when it is called.

Exit codes: 0 all is well; 1 a gate closed or a check found problems; 2 the call, a declaration
or a setting is not valid.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dataops_mesh.cli.output import WRONG, Format, say_problems
from dataops_mesh.errors import MeshError

app = typer.Typer(
    name="mesh",
    help="Data products behind a gate: declare, run, look, roll back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PRODUCT|DOMAIN]...", help="domain.product or domain; all if absent"),
]
Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="domain.product")]
Output = Annotated[Format, typer.Option("--format", help="for people or for machines")]


@app.command()
def check(names: Names = None, output: Output = Format.TABLE) -> None:
    """Validate declarations and transforms, all problems at once."""
    from dataops_mesh.cli.declarations import check_declarations

    raise typer.Exit(check_declarations(names or [], output))


@app.command()
def run(names: Names = None, output: Output = Format.TABLE) -> None:
    """Build, check and publish products in order across domains; exit 1 if a gate closed."""
    from dataops_mesh.cli.running import run_products

    raise typer.Exit(run_products(names or [], output))


@app.command()
def status(names: Names = None, output: Output = Format.TABLE) -> None:
    """Show what is published now, since when, and how the last run ended."""
    from dataops_mesh.cli.looking import show_status

    raise typer.Exit(show_status(names or [], output))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar='"SQL"', help="one SELECT on domain.port")],
    release: Annotated[int | None, typer.Option(help="a release number")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Query published data; every domain.port is a view."""
    from dataops_mesh.cli.looking import run_query

    raise typer.Exit(run_query(sql, release, output))


@app.command()
def history(product: Product, output: Output = Format.TABLE) -> None:
    """Show the publications, refusals and rollbacks of a product, newest first."""
    from dataops_mesh.cli.looking import show_history

    raise typer.Exit(show_history(product, output))


@app.command()
def rollback(
    product: Product,
    to: Annotated[int | None, typer.Option(help="publication; the one before if absent")] = None,
    reason: Annotated[str, typer.Option(help="why, for the record")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Publish an earlier publication of a product again; nothing is rebuilt."""
    from dataops_mesh.cli.running import roll_back

    raise typer.Exit(roll_back(product, to, reason, output))


@app.command()
def workspace() -> None:
    """Write workspace.yaml: one Dagster code location per domain."""
    from dataops_mesh.cli.declarations import write_workspace_file

    raise typer.Exit(write_workspace_file())


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def ui(context: typer.Context) -> None:
    """Start the Dagster UI (`dagster dev`) on this workspace; options are handed on."""
    from dataops_mesh.cli.running import start_ui

    raise typer.Exit(start_ui(context.args))


def main() -> None:
    """Run the command line and turn problems into messages."""
    try:
        app()
    except MeshError as error:
        say_problems(error)
        sys.exit(WRONG)
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    main()
