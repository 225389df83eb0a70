"""`mesh report metrics`: how often, how fast and how well the mesh changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from dataops_mesh.cli.output import Format, plain_facts, say, show
from dataops_mesh.cli.workspace import named, open_readable, say_unreadable
from dataops_mesh.watch.dataops.measures import History, Measures, measures, periods

COLUMNS = ("of", "publications", "deployments", "lead", "failed", "restore", "caught", "escaped",
           "downtime", "coverage")  # fmt: skip
LENGTHS = {"day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=30)}
_TWO_DAYS = 48


def show_metrics(
    names: Sequence[str], since: datetime, until: datetime, by: str, output: Format
) -> int:
    """Print the numbers of the mesh, of each domain and each product; in JSON also over time."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.record import open_record
    from dataops_mesh.watch.dataops.history import histories

    settings, mesh = open_readable()
    say_unreadable(mesh, names)
    with open_record(open_environment(settings)) as ledger:
        found = histories(named(mesh, names), ledger, settings, since, until)
    groups = _groups(found)
    if output is Format.JSON:
        spans = periods(since, until, LENGTHS[by])
        told = [
            {
                "of": name,
                **asdict(measures(some, since, until)),
                "over_time": [
                    {"begin": begin, "end": end, **asdict(measures(some, begin, end))}
                    for begin, end in spans
                ],
            }
            for name, some in groups
        ]
        print(json.dumps(plain_facts(told), default=str, indent=1))  # noqa: T201 - the CLI's output
        return 0
    rows = [_row(name, measures(some, since, until)) for name, some in groups]
    show(rows, output, columns=COLUMNS)
    say(f"\n{since:%Y-%m-%d} to {until:%Y-%m-%d}, UTC; what they mean: docs/metrics.md")
    return 0


def _groups(found: Sequence[History]) -> list[tuple[str, list[History]]]:
    domains = sorted({one.product.partition(".")[0] for one in found})
    groups: list[tuple[str, list[History]]] = [("all", list(found))]
    for domain in domains:
        mine = [one for one in found if one.product.partition(".")[0] == domain]
        groups.append((domain, mine))
        groups += [(one.product, [one]) for one in mine]
    return groups


def _row(name: str, found: Measures) -> dict[str, Any]:
    return {
        "of": name,
        "publications": found.publications,
        "deployments": found.deployments,
        "lead": _hours(found.lead_time_hours),
        "failed": _share(found.change_failure),
        "restore": _hours(found.restore_hours),
        "caught": found.caught,
        "escaped": found.escaped,
        "downtime": _share(found.downtime_share),
        "coverage": _share(found.coverage),
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.3g} %"


def _hours(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g} h" if value < _TWO_DAYS else f"{value / 24:.3g} d"
