"""Microbatch models hold what plain dbt holds; a partition is what they are told to build."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dbt_state_cases import BARE, COLUMNS, Plain, a_mesh, build, deliver, published
from helpers import environment, product, read

from dataops_mesh.errors import DeclarationError
from dataops_mesh.run.product import run_product

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
DAYS = [TODAY - timedelta(days=before) for before in (2, 1, 0)]
SOURCES = (
    "version: 2\nsources:\n  - {name: shop, database: mesh, schema: shop, "
    "tables: [{name: orders, config: {event_time: changed}}]}\n"
)
BATCHES = (
    "{{ config(materialized='incremental', incremental_strategy='microbatch', "
    f"event_time='changed', begin='{DAYS[0].date()}', batch_size='day', lookback=1) }}}}\n"
    "select id, amount, changed from {{ source('shop', 'orders') }}\n"
)
PAGE = (Path(__file__).parents[2] / "docs" / "dbt.md").read_text("utf-8")
TABLE = PAGE.split("-- project/models/days.sql\n")[1].split("```")[0]
DAY_COLUMNS = [*COLUMNS[:2], "{name: day, logicalType: date}"]
CUT = (
    "customProperties:\n  - {property: partitions, vendor: dataops_mesh, "
    f"value: {{cadence: daily, start: {DAYS[0].date()}}}}}\n"
)


def rows(*given: tuple[int, int, int]) -> list[list[object]]:
    return [[key, amount, f"{DAYS[day] + timedelta(hours=3)}"] for key, amount, day in given]


def cut(settings, port, column):
    """Let a port be published by days of a column."""
    file = settings.domains_folder / "books" / "all" / f"{port}.odcs.yaml"
    text = file.read_text()
    file.write_text(text.replace(f"{{name: {column}", f"{{name: {column}, partitioned: true") + CUT)


def run_day(settings, day):
    return run_product(
        product(settings, "books.all"),
        environment(settings),
        run_id=uuid.uuid4().hex[:12],
        partition=str(DAYS[day].date()),
    )


def test_batches_are_those_of_plain_dbt(tmp_path):
    project = {**BARE, "models/sources.yml": SOURCES, "models/batches.sql": BATCHES}
    ports = {"batches": COLUMNS}
    settings = a_mesh(tmp_path, project, ports)
    with Plain(tmp_path / "plain", project, tuple(ports)) as plain:
        for given in (
            rows((1, 10, 0), (2, 20, 1), (3, 30, 2)),
            rows((2, 21, 1), (4, 40, 2)),  # the first day is gone from the source, and is kept
            rows((1, 11, 0)),  # too late for a lookback of one
        ):
            assert build(settings, given).published
            held = plain.build(given)
            assert not plain.failed
            assert published(settings, ports) == held
        # Whatever day it has become meanwhile, the first day is as it was built.
        assert held["batches"][0]["amount"] == "10"


def test_a_partition_is_built_of_its_variables(tmp_path):
    project = {**BARE, "models/sources.yml": SOURCES, "models/days.sql": TABLE}
    settings = a_mesh(tmp_path, project, {"days": DAY_COLUMNS})
    cut(settings, "days", "day")
    deliver(settings, rows((1, 10, 0), (2, 20, 1), (3, 30, 2)))
    for day in (1, 0):
        assert run_day(settings, day).published
    deliver(settings, rows((1, 11, 0), (2, 22, 1)))
    assert run_day(settings, 1).published
    assert read(settings, "select id, amount from books.days order by id") == [(1, 10), (2, 22)]


def test_a_microbatch_model_builds_the_partition_and_nothing_else(tmp_path):
    project = {**BARE, "models/sources.yml": SOURCES, "models/batches.sql": BATCHES}
    settings = a_mesh(tmp_path, project, {"batches": COLUMNS})
    cut(settings, "batches", "changed")
    deliver(settings, rows((1, 10, 0), (2, 20, 1), (3, 30, 2)))
    for day in (1, 0):
        assert run_day(settings, day).published
    assert read(settings, "select id from books.batches order by id") == [(1,), (2,)]


def test_other_state_of_a_product_in_partitions_is_told_before_a_run(tmp_path):
    model = "{{ config(materialized='incremental', unique_key='id') }}\n" + TABLE
    settings = a_mesh(
        tmp_path,
        {**BARE, "models/sources.yml": SOURCES, "models/days.sql": model},
        {"days": DAY_COLUMNS},
    )
    cut(settings, "days", "day")
    deliver(settings, rows((1, 10, 0)))
    with pytest.raises(DeclarationError, match=r'(?s)"days" keeps what it has.*microbatch'):
        run_day(settings, 0)
