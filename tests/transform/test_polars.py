"""polars in and out of Python transforms: lazily, with the same rows as everybody else gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from helpers import a_product, a_source, product, read, run, write_workspace

from dataops_mesh.transform import python
from dataops_mesh.transform.validate import transform_problems

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: price, logicalType: number, physicalType: 'DECIMAL(12, 2)'}",
    "{name: day, logicalType: date}",
    "{name: moment, logicalType: timestamp, logicalTypeOptions: {timezone: true}}",
    "{name: word, logicalType: string}",
]
ROWS = """
SELECT i AS id, CASE WHEN i % 7 <> 0 THEN (i / 100)::DECIMAL(12, 2) END AS price,
  DATE '2013-01-01' + (i % 365)::INTEGER AS day,
  (TIMESTAMP '2013-01-01' + to_seconds(i * 61)) AT TIME ZONE 'UTC' AS moment,
  CASE WHEN i % 5 <> 0 THEN 'w' || (i % 11) END AS word
FROM range({rows}) AS t(i)
"""
HEAD = "import polars as pl\nfrom datetime import UTC, date, datetime\n"
FILTERS = {
    "a number": ("pl.col('id') > 17", "id > 17"),
    "a decimal": ("pl.col('price') >= 1.5", "price >= 1.5"),
    "a date": ("pl.col('day') < date(2013, 3, 1)", "day < '2013-03-01'"),
    "an instant": (
        "pl.col('moment') > datetime(2013, 1, 1, 5, tzinfo=UTC)",
        "moment > '2013-01-01 05:00:00+00'",
    ),
    "a word": ("pl.col('word') == 'w3'", "word = 'w3'"),
    "a quote in a word": ("pl.col('word') != \"w'3\"", "word <> 'w''3'"),
    "a set": ("pl.col('word').is_in(['w1', 'w2'])", "word in ('w1', 'w2')"),
    "null": ("pl.col('word').is_null()", "word is null"),
    "several": (
        "(pl.col('id') % 2 == 1) | ~(pl.col('price') > 3)",
        "id % 2 = 1 or not (price > 3)",
    ),
}


def shop(root: Path, transform: str, rows: int = 1000, columns=COLUMNS):
    files = a_product(
        {"events": columns},
        inputs=[a_source("events_parquet", "events.parquet")],
        files={"transform.py": HEAD + transform},
    )
    settings = write_workspace(root, {"shop": {"events": files}})
    target = root / "domains" / "shop" / "events" / "events.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY ({ROWS.format(rows=rows)}) TO '{target}' (FORMAT parquet)")
    return settings


@pytest.mark.parametrize("name", FILTERS)
def test_a_lazy_frame_means_what_the_same_sql_means(tmp_path: Path, name: str):
    expression, where = FILTERS[name]
    transform = (
        "def transform(events_parquet: pl.LazyFrame) -> pl.LazyFrame:\n"
        f"    return events_parquet.filter({expression})\n"
    )
    settings = shop(tmp_path, transform)
    report = run(settings, "shop.events")
    assert report.published, report.decision
    source = tmp_path / "domains" / "shop" / "events" / "events.parquet"
    with duckdb.connect() as con:
        expected = con.execute(f"SELECT * FROM '{source}' WHERE {where} ORDER BY id").fetchall()
    assert expected
    assert read(settings, "SELECT * FROM shop.events ORDER BY id") == expected


@pytest.mark.parametrize("given", ["pl.DataFrame", "pl.LazyFrame"])
@pytest.mark.parametrize("returned", ["", ".lazy()", ".lazy().collect()"])
def test_every_way_in_and_out_publishes_the_same(tmp_path: Path, given: str, returned: str):
    transform = (
        f"def transform(events_parquet: {given}):\n"
        "    kept = events_parquet.group_by('word').agg(pl.len().alias('id'))\n"
        f"    return kept.select('id', 'word'){returned}\n"
    )
    columns = [COLUMNS[0].replace(", primaryKey: true", ""), COLUMNS[4]]
    settings = shop(tmp_path, transform, columns=columns)
    assert run(settings, "shop.events").published
    found = read(settings, "SELECT id, word FROM shop.events ORDER BY word NULLS FIRST")
    assert found[:2] == [(200, None), (72, "w0")]
    assert sum(count for count, _ in found) == 1000
    assert not list((settings.store_folder / "candidates").rglob("tmp*"))


def test_types_that_only_polars_has_are_the_same_lazily_and_eagerly(tmp_path: Path):
    columns = [
        "{name: id, logicalType: integer}",
        "{name: kind, logicalType: string}",
        "{name: took, logicalType: string}",
    ]
    types = []
    for number, ending in enumerate(("", ".lazy()")):
        transform = (
            "def transform(events_parquet: pl.DataFrame):\n"
            "    return events_parquet.select(pl.col('id').cast(pl.UInt32),\n"
            "        kind=pl.col('word').cast(pl.Categorical),\n"
            f"        took=pl.duration(seconds=pl.col('id'))){ending}\n"
        )
        root = tmp_path / str(number)
        root.mkdir()
        settings = shop(root, transform, columns=columns)
        run(settings, "shop.events")  # refused: no contract can say INTERVAL
        (part,) = (settings.store_folder / "candidates").rglob("*.parquet")
        described = duckdb.sql(f"DESCRIBE FROM '{part}'").fetchall()
        types.append([(name, type_) for name, type_, *_ in described])
    assert types[0] == types[1]


def test_what_a_lazy_frame_raises_is_told_with_its_file(tmp_path: Path):
    transform = (
        "def transform(events_parquet: pl.LazyFrame) -> pl.LazyFrame:\n"
        "    return events_parquet.with_columns(pl.col('word').cast(pl.Int64))\n"
    )
    settings = shop(tmp_path, transform)
    with pytest.raises(Exception, match=r"shop\.events could not be computed") as raised:
        run(settings, "shop.events")
    assert "transform.py:" in str(raised.value)
    assert "w3" not in str(raised.value)  # a value of the data


def test_polars_that_is_not_installed_is_said_before_anything_runs(tmp_path: Path, monkeypatch):
    transform = "def transform(events_parquet: pl.LazyFrame): ...\n"
    settings = shop(tmp_path, transform)
    monkeypatch.setattr(python, "find_spec", lambda _: None)
    (problem,) = transform_problems(product(settings, "shop.events"))
    assert problem.what == "the transform asks for polars, which is not installed here"
    assert "dataops-mesh[polars]" in problem.next


MEASURE = """
import sys
from pathlib import Path
from helpers import run
from peak import peak_mb
from dataops_mesh.settings import load_settings
report = run(load_settings(Path(sys.argv[1])), "shop.events")
assert report.published, report.decision
print(report.rows, peak_mb())
"""


def peak(root: Path, rows: int) -> int:
    root.mkdir()
    transform = (
        "def transform(events_parquet: pl.LazyFrame) -> pl.LazyFrame:\n"
        "    return events_parquet.filter(pl.col('id') >= 0)\n"
    )
    columns = [column.replace(", primaryKey: true", "") for column in COLUMNS]
    shop(root, transform, rows, columns)
    here = Path(__file__).parent
    path = [str(here.parent), str(here.parent.parent), *sys.path]
    program = f"import sys; sys.path[:0] = {path!r}\n{MEASURE}"
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], capture_output=True, text=True, check=True
    )
    found, megabytes = done.stdout.split()
    assert int(found) == rows
    return int(float(megabytes))


@pytest.mark.timeout(600)
def test_a_lazy_frame_is_never_in_memory_as_a_whole(tmp_path: Path):
    small = peak(tmp_path / "small", 100_000)
    large = peak(tmp_path / "large", 20_000_000 if LONG else 1_000_000)
    print(f"100,000 rows: {small} MB; {'20 million' if LONG else '1 million'}: {large} MB")  # noqa: T201 - seen with -s
    assert large - small < 500
