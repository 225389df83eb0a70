"""`mesh`: one file per command family; each imports what it needs when it is called.

Exit codes: 0 all is well; 1 a gate closed or a check found problems; 2 the call, a declaration
or a setting is not valid; 3 a bug in mesh itself.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.domains import add_domain_commands
from dataops_mesh.cli.holding import add_hold_commands
from dataops_mesh.cli.importing import add_import_commands
from dataops_mesh.cli.output import (
    BUG,
    INTERRUPTED,
    WRONG,
    Format,
    say_bug,
    say_disk,
    say_problems,
)
from dataops_mesh.cli.planning import PlanFormat
from dataops_mesh.cli.reports import add_report_commands
from dataops_mesh.cli.store import add_store_commands
from dataops_mesh.cli.withdrawing import add_withdraw_command
from dataops_mesh.errors import DISK, MeshError

app = typer.Typer(
    name="mesh",
    help="Data products behind a gate: declare, run, look, roll back.",
    epilog="Exit codes: 0 all is well; 1 a gate closed or a check found problems; 2 the call, a "
    "declaration or a setting is not valid; 3 a bug in mesh itself.",
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


class Until(StrEnum):
    """What else ends the hold of a rollback."""

    INPUTS = "inputs"


Output = Annotated[Format, typer.Option("--format", help="for people or for machines")]


@app.command()
def check(names: Names = None, output: Output = Format.TABLE) -> None:
    """Find every problem of the declarations."""
    from dataops_mesh.cli.declarations import check_declarations

    raise typer.Exit(check_declarations(names or [], output))


@app.command()
def run(
    names: Names = None,
    partition: Annotated[
        list[str] | None, typer.Option(help="only this partition; may be repeated")
    ] = None,
    *,
    all_partitions: Annotated[
        bool, typer.Option("--all-partitions", help="every partition, not only those due")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="all partitions of one product, in one commit")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Build, check and publish, inputs first."""
    from dataops_mesh.cli import running

    if rebuild:
        if len(names or []) != 1:
            raise typer.BadParameter("--rebuild takes one product: domain.product")
        raise typer.Exit(running.rebuild((names or [])[0], output))
    raise typer.Exit(
        running.run_products(names or [], output, partition or [], every=all_partitions)
    )


@app.command()
def status(
    names: Names = None,
    *,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="only what is wrong: open incidents; exit 1 if any")
    ] = False,
    closed: Annotated[bool, typer.Option("--all", help="with --wrong: closed ones too")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show what is published, and how each last run ended."""
    if closed and not wrong:
        raise typer.BadParameter("--all is of incidents: mesh status --wrong --all")
    if wrong:
        from dataops_mesh.cli.watching import show_incidents

        raise typer.Exit(show_incidents(names or [], output, closed=closed))
    from dataops_mesh.cli.looking import show_status

    raise typer.Exit(show_status(names or [], output))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="one SELECT on domain.port")],
    release: Annotated[int | None, typer.Option(help="a release number", min=0, max=10**15)] = None,
    candidate: Annotated[
        str | None, typer.Option(help="a candidate of your own, also a refused one; on record")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Run one SELECT; every domain.port is a view."""
    from dataops_mesh.cli.looking import run_query
    from dataops_mesh.cli.showing import query_candidate

    if candidate is not None and release is not None:
        raise typer.BadParameter("a candidate is in no release: say one of both")
    if candidate is not None:
        raise typer.Exit(query_candidate(candidate, sql, output))
    raise typer.Exit(run_query(sql, release, output))


@app.command()
def show(
    thing: Annotated[
        str, typer.Argument(metavar="PRODUCT|N|CANDIDATE|INCIDENT", help="N is a publication")
    ],
    *,
    history: Annotated[bool, typer.Option("--history", help="of a product: all that was")] = False,
    down: Annotated[bool, typer.Option("--down", help="what was built from it")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show what one is, from what, by whom."""
    from dataops_mesh.cli.showing import show_thing

    raise typer.Exit(show_thing(thing, output, history=history, below=down))


@app.command(hidden=True)
def history(product: Product, output: Output = Format.TABLE) -> None:
    """Show what happened to a product, newest first; `mesh show PRODUCT --history`."""
    from dataops_mesh.cli.looking import show_history

    raise typer.Exit(show_history(product, output))


@app.command()
def rollback(  # noqa: PLR0913, PLR0917 - what the command takes
    product: Product,
    to: Annotated[int | None, typer.Option(help="publication; the one before if absent")] = None,
    partition: Annotated[str | None, typer.Option(help="only this partition")] = None,
    reason: Annotated[str, typer.Option(help="why, for the record")] = "",
    until: Annotated[
        Until | None, typer.Option(help="inputs: other inputs end the hold, not only other code")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Publish an earlier publication again and hold it."""
    from dataops_mesh.cli.running import roll_back

    ends = until.value if until else ""
    raise typer.Exit(roll_back(product, to, reason, output, partition=partition, until=ends))


@app.command()
def monitor(names: Names = None, output: Output = Format.TABLE) -> None:
    """Test what is published again, without building; exit 1 if it breaks its contract."""
    from dataops_mesh.cli.watching import monitor_products

    raise typer.Exit(monitor_products(names or [], output))


@app.command(hidden=True)
def incidents(
    names: Names = None,
    closed: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,  # noqa: FBT002 - a flag
    output: Output = Format.TABLE,
) -> None:
    """Show what is wrong now; `mesh status --wrong`."""
    from dataops_mesh.cli.watching import show_incidents

    raise typer.Exit(show_incidents(names or [], output, closed=closed))


@app.command()
def plan(
    names: Names = None,
    against: Annotated[str, typer.Option(help="published, or a git ref")] = "published",
    output: Annotated[PlanFormat, typer.Option("--format", help="for whom")] = PlanFormat.TABLE,
) -> None:
    """Show what publishing the working tree would change, for whom; exit 1 if it is refused."""
    from dataops_mesh.cli.planning import show_plan

    raise typer.Exit(show_plan(names or [], against, output))


@app.command()
def accept(
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="domain.product")],
    product: Annotated[str, typer.Option("--for", metavar="PRODUCT", help="what it reads")],
    warn: Annotated[bool, typer.Option("--warn", help="a failure only tells")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Let a product's own gate check what a consumer expects of it."""
    from dataops_mesh.cli import pacts

    raise typer.Exit(pacts.accept(consumer, product, warn=warn))


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option(help="a folder; .mesh/schemas if absent")] = None,
) -> None:
    """Write JSON schemas, with which editors complete and validate the YAML."""
    from dataops_mesh.cli.schemas import write_schemas

    raise typer.Exit(write_schemas(output))


@app.command()
def workspace(
    production: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option(help="write deploy/: PostgreSQL, a code server per domain")
    ] = False,
) -> None:
    """Write workspace.yaml, which Dagster loads."""
    from dataops_mesh.cli import declarations, watching

    write = watching.write_production_files if production else declarations.write_workspace_file
    raise typer.Exit(write())


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def ui(context: typer.Context) -> None:
    """Start the Dagster UI; takes options of `dagster dev`."""
    from dataops_mesh.cli.ui import start_ui

    raise typer.Exit(start_ui(context.args))


add_domain_commands(app)
add_hold_commands(app)
add_withdraw_command(app)
add_store_commands(app)
add_report_commands(app)
add_import_commands(app)


def main() -> None:
    """Run the command line and turn problems into messages."""
    # A library below dbt puts a handler on the root logger unless there is one.
    logging.getLogger().addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no bug
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both stop what runs, and say so
    try:
        app(prog_name="mesh")
    except MeshError as error:
        say_problems(error)
        sys.exit(WRONG)
    except BrokenPipeError:
        # Who reads has read enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in DISK:
            say_bug(error)
            sys.exit(BUG)
        say_disk(error)
        sys.exit(WRONG)
    except Exception as error:  # noqa: BLE001 - a bug: said in one line, with the place of the rest
        say_bug(error)
        sys.exit(BUG)


if __name__ == "__main__":
    main()
