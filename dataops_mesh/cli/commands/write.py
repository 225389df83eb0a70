"""What the commands take that are about declarations: check, plan, schemas, workspace files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Names, Output
from dataops_mesh.cli.output import Format
from dataops_mesh.cli.planning import PlanFormat

PANEL = "Write"


def add_write_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.command(rich_help_panel=PANEL)(check)
    app.command(rich_help_panel=PANEL)(plan)
    app.command(rich_help_panel=PANEL)(schema)
    app.command(rich_help_panel=PANEL)(workspace)


def check(
    names: Names = None,
    explain: Annotated[
        str, typer.Option("--explain", metavar="RULE", help="one policy, and all it found")
    ] = "",
    output: Output = Format.TABLE,
) -> None:
    """Find every problem of the declarations."""
    if explain:
        from dataops_mesh.cli.explaining import explain_rule

        raise typer.Exit(explain_rule(explain, names or [], output))
    from dataops_mesh.cli.declarations import check_declarations

    raise typer.Exit(check_declarations(names or [], output))


def plan(
    names: Names = None,
    against: Annotated[str, typer.Option(help="published, or a git ref")] = "published",
    output: Annotated[PlanFormat, typer.Option("--format", help="for whom")] = PlanFormat.TABLE,
) -> None:
    """Show what publishing the working tree would change, for whom; exit 1 if it is refused."""
    from dataops_mesh.cli.planning import show_plan

    raise typer.Exit(show_plan(names or [], against, output))


def schema(
    output: Annotated[Path | None, typer.Option(help="a folder; .mesh/schemas if absent")] = None,
) -> None:
    """Write JSON schemas, with which editors complete and validate the YAML."""
    from dataops_mesh.cli.schemas import write_schemas

    raise typer.Exit(write_schemas(output))


def workspace(
    production: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option(help="write deploy/: PostgreSQL, a code server per domain")
    ] = False,
) -> None:
    """Write workspace.yaml, which Dagster loads."""
    from dataops_mesh.cli import declarations, watching

    write = watching.write_production_files if production else declarations.write_workspace_file
    raise typer.Exit(write())
