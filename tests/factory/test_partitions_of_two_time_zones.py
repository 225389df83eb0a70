"""What is cut in one time zone reads what is cut in another: by moments, or dates by dates."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    product,
    read,
    write_product,
    write_workspace,
)

from dataops_mesh.factory.assets import product_asset
from dataops_mesh.run.due import due_partitions
from dataops_mesh.run.product import run_product
from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product

LATER = 'now = "2026-04-20T12:00:00Z"\n'
KEY = "{name: k, logicalType: integer, primaryKey: true}"
MOMENT = (
    "{name: t, logicalType: timestamp, partitioned: true, required: true, "
    "logicalTypeOptions: {timezone: true}}"
)
DATE = "{name: t, logicalType: date, partitioned: true, required: true}"
NEW_YORK = ", timezone: America/New_York"
DAYS = "start: '2026-03-01', end: '2026-03-04'"
# Name -> column, how it is cut above, how below, the piece above that changes, and what is due below.
EDGES = {
    "days of UTC into days of New York": (
        MOMENT, f"daily, {DAYS}", f"daily, {DAYS}{NEW_YORK}",
        "2026-03-02", {"2026-03-01", "2026-03-02"},
    ),
    "hours of UTC into days of New York": (
        MOMENT, "hourly, start: '2026-03-02', end: '2026-03-03'", f"daily, {DAYS}{NEW_YORK}",
        "2026-03-02T05", {"2026-03-02"},
    ),
    "days of New York into days of Tokyo": (
        MOMENT, f"daily, {DAYS}{NEW_YORK}", f"daily, {DAYS}, timezone: Asia/Tokyo",
        "2026-03-02", {"2026-03-02", "2026-03-03"},
    ),
    "dates of New York into months of UTC": (
        DATE, f"daily, {DAYS}{NEW_YORK}", "monthly, start: '2026-03-01', end: '2026-04-01'",
        "2026-03-02", {"2026-03-01"},
    ),
}  # fmt: skip
HOURS = ("2026-03-02T04", "2026-03-02T05")
WINDOW = "t >= partition_start() and t < partition_end()"


def a_cut(port: str, column: str, cut: str, reads: str, **files: str):
    text = a_contract(port, [KEY, column]) + "customProperties:\n"
    text += a_setting("partitions", f"{{cadence: {cut}}}")
    given = a_source("src", "src.csv") if reads == "src" else an_input(reads)
    query = f"select * from {reads} where {WINDOW}"
    return a_product({port: text}, inputs=[given], files={f"{port}.sql": query, **files})


def rows(column: str, extra: str = "") -> str:
    moments = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(72)]
    shown = "%Y-%m-%d" if column == DATE else "%Y-%m-%dT%H:30:00Z"
    return "k,t\n" + "".join(f"{n},{at:{shown}}\n" for n, at in enumerate(moments)) + extra


@pytest.mark.parametrize("edge", EDGES)
def test_a_piece_is_published_in_dagster_and_is_due_when_what_it_overlaps_changes(
    tmp_path, instance, edge
):
    column, above, below, changed, due = EDGES[edge]
    settings = write_workspace(
        tmp_path,
        {
            "up": {"days": a_cut("days", column, above, "src", **{"src.csv": rows(column)})},
            "down": {"report": a_cut("report", column, below, "up.days")},
        },
        settings=LATER,
    )
    days, report = (product(settings, name) for name in ("up.days", "down.report"))
    assets = [product_asset(one, settings) for one in (days, report)]
    pieces = due_partitions(days, environment(settings))
    for key in HOURS if "hourly" in above else pieces:
        assert build(days, settings, key).published
    *earlier, last = due_partitions(report, environment(settings))
    for key in earlier:
        assert build(report, settings, key).published
    done = dg.materialize(assets, selection=assets[1:], partition_key=last, instance=instance)
    assert done.success
    published = f"select count(*) from up.days where {inside(column, report)}"
    assert read(settings, "select count(*) from down.report") == read(settings, published)
    assert due_partitions(report, environment(settings)) == ()
    extra = "99,2026-03-02\n" if column == DATE else "99,2026-03-02T05:59:00Z\n"
    write_product(tmp_path, "up", "days", {"src.csv": rows(column, extra)})
    assert build(days, settings, changed).published
    assert set(due_partitions(report, environment(settings))) == due


def build(one: Product, settings: Settings, key: str) -> Report:
    run_id = f"{one.name}-{uuid.uuid4().hex[:8]}"
    return run_product(one, environment(settings), run_id=run_id, partition=key)


def inside(column: str, found: Product) -> str:
    """Return the condition of what the pieces of a product have in all, by the calendar."""
    cut = found.partitioning
    assert cut is not None
    assert cut.end is not None
    if column == DATE:
        return f"t >= '{cut.start}' and t < '{cut.end}'"
    zone = ZoneInfo(cut.zone)
    ends = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (cut.start, cut.end))
    first, last = (f"'{end.isoformat()}'::timestamptz" for end in ends)
    return f"t >= {first} and t < {last}"
