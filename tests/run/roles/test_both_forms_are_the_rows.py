"""The masked form and the clear values together are the rows as they were built, of any type."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.engine.clear import Keep
from dataops_mesh.engine.mask import Masked, mask_port
from dataops_mesh.engine.whole import whole
from dataops_mesh.engine.write import ONE_FILE
from dataops_mesh.errors import RunError
from dataops_mesh.spec.mask import Mask, MaskKind
from dataops_mesh.spec.model import Address

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
AT = Address("hr", "people")
NULL = Mask(MaskKind.CONSTANT)
TEXT = Mask(MaskKind.HASH)
TEN, DAY = Mask(MaskKind.BUCKET, bucket=10), Mask(MaskKind.BUCKET, bucket="month")
PART = Mask(MaskKind.PARTIAL, first=1, last=1)
# A type, a value of it made of a number `i`, and a mask that it may have.
TYPES = [
    ("VARCHAR", "'v' || i", TEXT), ("VARCHAR", "chr((65 + i % 26)::int) || i", PART),
    ("BOOLEAN", "i % 2 = 0", NULL), ("BLOB", "('b' || i)::BLOB", NULL), ("UUID", "uuid()", NULL),
    *((kind, "i % 100", TEN) for kind in (
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
        "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL(9,2)", "DECIMAL(38,0)",
    )),
    ("HUGEINT", "i", NULL), ("DATE", "date '2026-01-01' + (i % 90)::int", DAY),
    ("TIMESTAMP", "timestamp '2026-01-01' + to_days((i % 90)::int)", DAY),
    ("TIMESTAMPTZ", "timestamptz '2026-01-01 00:00:00+00' + to_days((i % 90)::int)", DAY),
    ("TIMESTAMP_NS", "timestamp_ns '2026-01-01 00:00:00.123456789'", NULL),
    ("TIME", "time '04:05:06' + to_seconds(i % 60)", NULL), ("INTERVAL", "to_days(i::int)", NULL),
    ("STRUCT(a INTEGER, b VARCHAR[])", "{'a': i::int, 'b': ['x' || i, NULL]}", NULL),
    ("MAP(VARCHAR, INTEGER)", "map {'k' || i: i::int}", NULL), ("DOUBLE[3]", "[i, NULL, 2]", NULL),
]  # fmt: skip
NAMES = [f"c{number}" for number in range(len(TYPES))]


def made(folder: Path, files: list[int], nulls: int) -> list[Path]:
    """Write files of so many rows as a build would, with a column of each type."""
    (folder / "people").mkdir()
    found, begin = [], 0
    for number, rows in enumerate(files):
        path = folder / f"people/part-{number}.parquet"
        columns = ", ".join(
            f"(CASE WHEN (i + {at}) % 7 < {nulls} THEN NULL ELSE {value} END)::{kind} AS c{at}"
            for at, (kind, value, _) in enumerate(TYPES)
        )
        query = f"SELECT i AS id, {columns} FROM range({begin}, {begin + rows}) t(i)"
        duckdb.sql(f"COPY ({query}) TO '{path}' ({ONE_FILE}, ROW_GROUP_SIZE 2048)")
        found.append(path)
        begin += rows
    return found


def rows_of(relation: str) -> list[tuple[object, ...]]:
    told = ", ".join(f"{name}::VARCHAR, hash({name})" for name in NAMES)
    return duckdb.sql(f"SELECT id, {told} FROM {relation} ORDER BY id").fetchall()


@settings(max_examples=100 if LONG else 5, deadline=None)
@given(
    files=st.lists(st.integers(0, 40) | st.just(5000), min_size=1, max_size=3),
    nulls=st.integers(0, 7),
    threads=st.sampled_from([1, 4]),
)
def test_masked_and_restricted_are_the_clear_rows(files, nulls, threads):
    with TemporaryDirectory() as made_here, duckdb.connect() as con:
        root, apart = Path(made_here) / "ref", Path(made_here) / "apart"
        root.mkdir(), apart.mkdir()
        paths = made(root, files, nulls)
        shown = [path.as_posix() for path in paths]
        before = rows_of(f"read_parquet({shown})")
        con.execute(f"SET preserve_insertion_order = true; SET threads = {threads}")
        masks = [Masked(f"c{at}", mask, b"k" * 16) for at, (_, _, mask) in enumerate(TYPES)]
        keep = Keep({name: apart / name for name in NAMES})
        for place in keep.places.values():
            place.mkdir()
        mask_port(con, root, AT, masks, keep=keep)
        assert sorted((root / "people").iterdir()) == paths
        assert rows_of(whole([keep.pair(path, ["id", *NAMES]) for path in paths])) == before
        for path in paths:
            for name, place in keep.places.items():
                kept = duckdb.sql(f"SELECT * FROM '{place / path.name}' LIMIT 0").columns
                assert kept == [name], "nothing but one masked column is kept there"
        assert [row[0] for row in rows_of(f"read_parquet({shown})")] == [row[0] for row in before]


def test_rows_in_another_order_are_noticed(tmp_path: Path, monkeypatch):
    (tmp_path / "ref").mkdir()
    (tmp_path / "apart").mkdir()
    made(tmp_path / "ref", [50], 0)

    def shuffled(con, keep, before) -> None:
        for path in before:
            target = keep.places["c0"] / path.name
            query = f"SELECT c0 FROM '{path}' ORDER BY hash(c0)"
            con.execute(f"COPY ({query}) TO '{target}' ({ONE_FILE})").fetchall()

    monkeypatch.setattr("dataops_mesh.engine.mask.keep_clear", shuffled)
    keep, masks = Keep({"c0": tmp_path / "apart"}), [Masked("c0", TEXT, b"k" * 16)]
    with duckdb.connect() as con, pytest.raises(RunError, match="not in the order"):
        mask_port(con, tmp_path / "ref", AT, masks, keep=keep)
