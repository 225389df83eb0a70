"""`mesh report`: what the record says, as files for those who have to answer for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dataops_mesh.cli.commands.shared import Names, Output
from dataops_mesh.cli.output import Format, say

report = typer.Typer(help="Write what the record says, as files.", no_args_is_help=True)


def add_report_commands(app: typer.Typer) -> None:
    """Add the commands to `mesh`."""
    app.add_typer(report, name="report", rich_help_panel="Look")


@report.callback()
def _reports() -> None:
    """Write what the record says, as files."""


DAY = ["%Y-%m-%d"]


@report.command()
def evidence(
    since: Annotated[datetime, typer.Option("--from", formats=DAY, help="first day, UTC")],
    to: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="last day; today if absent")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="a new folder; evidence-FROM-TO if absent")
    ] = None,
) -> None:
    """Write publications, refusals, checks, operations, approvals, waivers, policies: CSV, HTML."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.watch.account import write_account

    first, last = since.date(), to.date() if to else datetime.now(UTC).date()
    if last.year == date.max.year:
        raise typer.BadParameter(
            f"{last} has not come yet: say a day of this century", param_hint="--to"
        )
    if last < first:
        raise typer.BadParameter(f"{last} is before {first}")
    target = output or Path(f"evidence-{first}-{last}")
    environment = open_environment(load_settings())
    counts = write_account(environment, _midnight(first), _midnight(last + timedelta(1)), target)
    say(f"{target}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@report.command()
def pii(output: Output = Format.TABLE) -> None:
    """Show the columns that are about people: where they come in, who sees and who reads them."""
    from dataops_mesh.cli.report.personal import report_pii

    raise typer.Exit(report_pii(output))


@report.command()
def docs(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="where they go")] = Path(
        "mesh-pages"
    ),
) -> None:
    """Write the mesh's pages as files, with links among themselves."""
    from dataops_mesh.cli.report.serving import write_files

    raise typer.Exit(write_files(out))


class By(StrEnum):
    """How long a period of `over_time` is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@report.command()
def metrics(
    names: Names = None,
    *,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAY, help="first day, UTC; twelve weeks ago if absent"),
    ] = None,
    to: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="last day; today if absent")
    ] = None,
    by: Annotated[By, typer.Option(help="in JSON, over time by")] = By.WEEK,
    output: Output = Format.TABLE,
) -> None:
    """Show how often, how fast and how well the mesh changes: DataOps metrics."""
    from dataops_mesh.cli.report.measuring import show_metrics

    end = _midnight(to.date() + timedelta(1)) if to else datetime.now(UTC)
    begin = _midnight(since.date()) if since else end - timedelta(weeks=12)
    if begin >= end:
        raise typer.BadParameter(f"{begin:%Y-%m-%d} is not before {end:%Y-%m-%d}")
    raise typer.Exit(show_metrics(names or [], begin, end, by.value, output))


@report.command()
def dashboards(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="where they go")] = Path(
        "monitoring"
    ),
    target: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="where `mesh serve` answers")
    ] = "127.0.0.1:8765",
) -> None:
    """Write rules for Prometheus and dashboards for Grafana, for /metrics of `mesh serve`."""
    from dataops_mesh.web.metrics.write import write

    for file in write(out, target):
        say(f"{file}: written")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
