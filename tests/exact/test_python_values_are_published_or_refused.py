"""A value that a transform returned in a column of Python objects is published as it is, or not."""

from __future__ import annotations

import itertools
import tempfile
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import a_product, a_source, read, run, write_workspace
from hypothesis import given
from hypothesis import strategies as st

from dataops_mesh.engine.session import session
from dataops_mesh.engine.write import write_port
from dataops_mesh.errors import MeshError, TransformError
from dataops_mesh.spec.model import Address
from dataops_mesh.spec.types.shape import read_shape
from dataops_mesh.store.store import open_store

EAST = timezone(timedelta(hours=5))
NEW_YORK = ZoneInfo("America/New_York")
FINE = "2026-01-01T00:00:00.123456789"
_at = datetime.fromisoformat
# Each value, and what it is when it is read again; None is what no column can hold.
POOL: tuple[tuple[Any, Any], ...] = (
    (None, None), (float("nan"), None), (pd.NaT, None), (pd.NA, None), (Decimal("NaN"), None),
    (1, ("number", Fraction(1))), (2**53 + 1, ("number", Fraction(2**53 + 1))),
    (2**64, ("number", Fraction(2**64))), (1.5, ("number", Fraction(3, 2))),
    (True, ("truth", True)), (np.True_, ("truth", True)), (np.int8(3), ("number", Fraction(3))),
    (np.float32(0.5), ("number", Fraction(1, 2))),
    (np.uint64(2**64 - 1), ("number", Fraction(2**64 - 1))),
    (Decimal("1.50"), ("number", Fraction(3, 2))), (Decimal("9.5367431640625E-7"), ("number", Fraction(1, 2**20))),
    (Decimal("1E+25"), ("number", Fraction(10**25))),
    ("a", ("text", "a")), ("1", ("text", "1")), (b"a", ("bytes", b"a")),
    (date(2026, 1, 1), ("moment", _at("2026-01-01T00:00"))),
    (_at("2026-01-02T23:59"), ("moment", _at("2026-01-02T23:59"))),
    (datetime(2026, 1, 2, tzinfo=EAST), ("moment", _at("2026-01-01T19:00"))),
    (datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK, fold=1), ("moment", _at("2026-11-01T06:30"))),
    (pd.Timestamp("2026-01-02T10:00"), ("moment", _at("2026-01-02T10:00"))),
    (pd.Timestamp("2026-07-01T10:00", tz="Europe/Berlin"), ("moment", _at("2026-07-01T08:00"))),
    (pd.Timestamp(FINE), ("moment", FINE)),
    (time(10), ("time", time(10))), (time(3, tzinfo=EAST), ("time", time(22))),
    (time(23, 30, tzinfo=timezone(-timedelta(hours=3))), ("time", time(2, 30))),
    (time(10, tzinfo=NEW_YORK), ("time", "of no day")),
    (uuid.UUID(int=5), ("text", str(uuid.UUID(int=5)))),
)  # fmt: skip
KINDS = (None, "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME", "DOUBLE", "BIGINT",
         "DECIMAL(38,2)", "BOOLEAN", "BLOB")  # fmt: skip
ADDRESS = Address("d", "p")


@pytest.fixture(scope="module")
def written():
    """Return what writes a column and returns its type and values; None of one that is refused."""
    with tempfile.TemporaryDirectory() as name:
        store, count = open_store(Path(name) / "store"), itertools.count()
        with session(store, memory_limit="500MB", threads=2, now=datetime(2026, 1, 1, tzinfo=UTC)) as con:  # fmt: skip

            def write(frame: Any, kind: str | None) -> tuple[str, list[Any]] | None:
                folder = Path(name) / str(next(count))
                shape = read_shape(kind) if kind else None
                try:
                    port = write_port(con, frame, folder, ADDRESS, {"v": shape} if shape else None)
                except TransformError as error:
                    return None if 'column "v"' in str(error) else pytest.fail(str(error))
                files = [folder / file.path for file in port.files]
                return port.columns[0][1], pq.read_table(files).column("v").to_pylist()

            yield write


def seen(value: Any) -> Any:
    """Return what a value is that was read again: by the meaning of it, whatever its type."""
    match value:
        case None:
            return None
        case bool():
            return ("truth", value)
        case int() | float() | Decimal():
            return None if value != value else ("number", Fraction(value))  # noqa: PLR0124 - NaN
        case datetime():
            return ("moment", value.replace(tzinfo=None))
        case date():
            return ("moment", _at(value.isoformat()))
        case time():
            return ("time", value)
        case bytes():
            return ("bytes", value)
        case list():
            return [seen(one) for one in value]
        case dict():
            return {key: seen(one) for key, one in value.items()}
    return ("text", str(value))


def objects(values: list[Any]) -> pd.DataFrame:
    cells = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        cells[at] = value
    return pd.DataFrame({"v": pd.Series(cells, dtype=object)})


WRAPPED = {
    "plain": (lambda v: v, lambda s: s),
    "in a list": (lambda v: [v], lambda s: [s]),
    "in a dictionary": (lambda v: {"a": v}, lambda s: {"a": s}),
    "deep": (lambda v: [{"a": [v]}], lambda s: [{"a": [s]}]),
}


@pytest.mark.parametrize("wrapped", WRAPPED)
@given(cells=st.lists(st.sampled_from(POOL), min_size=1, max_size=4), kind=st.sampled_from(KINDS))
def test_every_value_is_published_as_it_is_or_none_is(written, wrapped: str, cells, kind):
    wrap, shown = WRAPPED[wrapped]
    kind = kind if wrapped == "plain" else None
    found = written(objects([wrap(value) for value, _ in cells]), kind)
    if found is not None and kind in {None, found[0]}:  # another type is refused by `schema`
        assert [seen(value) for value in found[1]] == [shown(meaning) for _, meaning in cells]


TAKEN = {
    "dates and moments": ([date(2026, 1, 1), _at("2026-01-02T23:59")], "TIMESTAMP"),
    "moments and dates": ([pd.Timestamp("2026-01-02T23:59"), pd.NaT, date(2026, 1, 1)], "TIMESTAMP"),
    "a moment of a zone after a date": ([date(2026, 1, 1), pd.Timestamp("2026-01-01", tz="Asia/Tokyo")], "TIMESTAMP"),
    "midnights among dates": ([date(2026, 1, 1), _at("2026-01-02T00:00")], "DATE"),
    "moments of numpy": ([np.datetime64("2026-01-02T10:00", "s"), np.datetime64("2026-01-02T10:01", "s")], "TIMESTAMP"),
    "a time with an offset": ([time(3, tzinfo=EAST), None, time(10)], "TIME"),
    "a whole number among others": ([None, 1, 1.5], "DOUBLE"),
    "decimals of two scales": ([Decimal("1.1"), Decimal("1.12"), 1], "DECIMAL(38,2)"),
    "texts and nothing": (["a", float("nan"), None, pd.NA], "VARCHAR"),
    "lists and no list": ([[1, 2], None, []], "BIGINT[]"),
    "arrays": ([np.array([1.5, 2.5]), None], "DOUBLE[]"),
    "a key that only some have": ([{"a": 1}, {"b": "x"}], "STRUCT(a BIGINT, b VARCHAR)"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_what_people_write_is_taken(written, case: str):
    values, kind = TAKEN[case]
    found = written(objects(values), kind)
    assert found is not None
    assert found[0] == kind


REFUSED = {
    "a moment after a date": (objects([date(2026, 1, 1), _at("2026-01-02T23:59")]), "DATE"),
    "in a category": (pd.DataFrame({"v": pd.Categorical([date(2026, 1, 1), _at("2026-01-02T10:00")])}), None),
    "a whole number after a date": (objects([date(2026, 1, 1), 1]), None),
    "a number after a duration": (objects([timedelta(days=1), 1]), None),
    "nanoseconds of pandas": (objects([pd.Timestamp(FINE)]), None),
    "true among numbers": (objects([1.5, True]), None),
    "text among bytes": (objects([b"a", "b"]), None),
    "a time of a zone": (objects([time(10, tzinfo=NEW_YORK)]), None),
    "a map with a key twice": (objects([[("a", 1), ("a", 2)]]), "MAP(VARCHAR, BIGINT)"),
    "a text for a map": (objects([{"a": 1}, "b"]), "MAP(VARCHAR, BIGINT)"),
    "a moment after a date in a map": (objects([{"a": date(2026, 1, 1), "b": _at("2026-01-02T10:00")}]), "MAP(VARCHAR, DATE)"),
    "numbers and texts in a map": (objects([{"a": 1, "b": "x"}]), "MAP(VARCHAR, BIGINT)"),
    "objects of polars": (pl.DataFrame({"v": pl.Series([1, "a"], dtype=pl.Object)}), None),
    "lazy objects of polars": (pl.LazyFrame({"v": pl.Series([1, "a"], dtype=pl.Object)}), None),
    "a union": (pa.table({"v": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1]), pa.array(["x"])])}), None),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_cut_is_refused_with_the_name_of_its_column(written, case: str):
    frame, kind = REFUSED[case]
    found = written(frame, kind)
    assert found is None or found[0] != kind  # and then `schema` refuses it


RUNS = {
    "timestamp": ("[D.date(2026, 1, 1), D.datetime(2026, 1, 2, 23, 59)]",
                  [_at("2026-01-01T00:00"), _at("2026-01-02T23:59")]),
    "date": ("[D.date(2026, 1, 1), D.datetime(2026, 1, 2, 23, 59)]", None),
    "time": ("[D.time(10, tzinfo=D.timezone(D.timedelta(hours=5))), None]", [time(5), None]),
    "string": ("[[D.date(2026, 1, 1)], [D.datetime(2026, 1, 2, 10)]]", None),
}  # fmt: skip


@pytest.mark.parametrize("logical", RUNS)
def test_a_run_publishes_it_exactly_or_is_refused(tmp_path: Path, logical: str):
    values, expected = RUNS[logical]
    code = (
        "import datetime as D\nimport pandas as pd\ndef transform(src):\n"
        f"    return pd.DataFrame({{'k': [1, 2], 'v': pd.Series({values}, dtype=object)}})\n"
    )
    columns = ["{name: k, logicalType: integer}", f"{{name: v, logicalType: {logical}}}"]
    made = a_product(
        {"p": columns},
        inputs=[a_source("src", "src.csv")],
        files={"transform.py": code, "src.csv": "k\n1\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    try:
        published = run(settings, "d.p").published
    except MeshError as error:
        published = 'column "v"' not in str(error)
    assert published is (expected is not None)
    if published:
        assert [v for (v,) in read(settings, "select v from d.p order by k")] == expected
