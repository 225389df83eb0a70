"""Several files are one delivery: none is read by the types of another, or not at all."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from helpers import a_contract, a_product, a_source, read, run, write_workspace

from dataops_mesh.errors import SourceError

KEY = "{name: k, logicalType: integer}"
ALL = [a_source("src", "'day/*.parquet'")]
# The types of two files, what a contract promises, and what is read; None is a refusal.
CASES = {
    "a fraction after whole numbers": ("1::bigint", "1.5::double", "integer", None),
    "a fraction that was promised": ("1::bigint", "1.5::double", "number", [1.0, 1.5]),
    "a text of digits": ("1::bigint", "'0012'", "integer", None),
    "a time of day after dates": (
        "date '2026-01-01'",
        "timestamp '2026-01-01 10:00'",
        "date",
        None,
    ),
    "a number that no double holds": ("0.5::double", "9007199254740993", "number", None),
    "a wider integer": ("1::integer", "9007199254740993", "integer", [1, 9007199254740993]),
    "a narrower integer": ("9007199254740993", "1::tinyint", "integer", [9007199254740993, 1]),
    "more digits": (
        "9.99::decimal(4,2)",
        "12.345::decimal(6,3)",
        "number, physicalType: 'DECIMAL(4,2)'",
        None,
    ),
}


def delivered(folder: Path, *queries: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for number, query in enumerate(queries):
            con.execute(f"COPY ({query}) TO '{folder / f'{number}.parquet'}'")


@pytest.mark.parametrize("by", ["guess", "contract"])
@pytest.mark.parametrize("case", CASES)
def test_no_file_is_read_by_the_types_of_another(tmp_path: Path, case: str, by: str):
    first, second, logical, expected = CASES[case]
    columns = [KEY, f"{{name: v, logicalType: {logical}}}"]
    files: dict[str, str | bytes] = {"p.sql": "select * from src"}
    if by == "contract":
        files["inputs/src.odcs.yaml"] = a_contract("src", columns)
    settings = write_workspace(
        tmp_path, {"d": {"p": a_product({"p": columns}, inputs=ALL, files=files)}}
    )
    day = tmp_path / "domains" / "d" / "p" / "day"
    delivered(day, f"SELECT 1::bigint AS k, {first} AS v", f"SELECT {second} AS v, 2::bigint AS k")
    guessed = by == "guess" and case == "a fraction that was promised"
    if expected is None or guessed:
        with pytest.raises(SourceError, match=r'1\.parquet.*"v"'):
            run(settings, "d.p")
    else:
        assert run(settings, "d.p").published
        assert [v for (v,) in read(settings, "select v from d.p order by k")] == expected


def test_a_column_that_one_file_has_not_is_said_with_the_file(tmp_path: Path):
    made = a_product({"p": [KEY]}, inputs=ALL, files={"p.sql": "select k from src"})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    delivered(tmp_path / "domains/d/p/day", "SELECT 1 AS k, 2 AS v", "SELECT 3 AS v")
    with pytest.raises(SourceError, match=r'1\.parquet has no column "k", which 0\.parquet has'):
        run(settings, "d.p")


@pytest.mark.parametrize("promised", [False, True])
@pytest.mark.parametrize(("name", "text"), [("s.csv", ""), ("s.jsonl", "\n"), ("s.json", "[]")])
def test_a_delivery_of_nothing_is_said_in_words(
    tmp_path: Path, name: str, text: str, *, promised: bool
):
    more = {"inputs/src.odcs.yaml": a_contract("src", [KEY])} if promised else {}
    made = a_product({"p": [KEY]}, inputs=[a_source("src", name)],
                     files={"p.sql": "select k from src", name: text, **more})  # fmt: skip
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    if promised and name != "s.csv":
        assert not run(settings, "d.p").published  # read as no rows, which no contract allows here
        return
    with pytest.raises(SourceError, match="is empty"):
        run(settings, "d.p")


PYTHON = "import pyarrow as pa\ndef transform(src: pa.Table):\n    return src\n"


@pytest.mark.parametrize("place", ["data/s[1].csv", "data/eu [1]/s.csv", "data/eu [1]/*.csv"])
@pytest.mark.parametrize("transform", ["p.sql", "transform.py"])
def test_a_name_is_a_name_outside_the_products_folder(tmp_path: Path, place: str, transform: str):
    (file := tmp_path / place.replace("*", "s")).parent.mkdir(parents=True)
    file.write_text("k\n7\n")
    (tmp_path / "data/s1.csv").write_text("k\n8\n")
    body = "select * from src" if transform == "p.sql" else PYTHON
    made = a_product({"p": [KEY]}, inputs=[a_source("src", f'"../../../{place}"')],
                     files={transform: body})  # fmt: skip
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert run(settings, "d.p").published
    assert read(settings, "select * from d.p") == [(7,)]


UNLIKE = {
    "a column more": ("k,v\n1,2\n", "k,v,w\n3,4,5\n"),
    "a column less": ("k,v,w\n1,2,3\n", "k,v\n3,4\n"),
    "another name": ("k,v\n1,2\n", "k,w\n3,4\n"),
    "a third file": ("k,v\n1,2\n", "v,k\n4,3\n", "k,v,w\n3,4,5\n"),
}


def csv_product(tmp_path: Path, texts: tuple[str, ...], more: str = ""):
    made = a_product(
        {"p": [KEY, "{name: v, logicalType: integer}"]},
        inputs=[a_source("src", "'day/*.csv'", more=more)],
        files={
            "p.sql": "select k, v from src",
            **{f"day/{n}.csv": text for n, text in enumerate(texts)},
        },
    )
    return write_workspace(tmp_path, {"d": {"p": made}})


@pytest.mark.parametrize("case", UNLIKE)
@pytest.mark.parametrize("back", [False, True])
def test_csv_files_that_name_other_columns_are_told(tmp_path: Path, case: str, *, back: bool):
    texts = UNLIKE[case][::-1] if back else UNLIKE[case]
    with pytest.raises(SourceError, match=r"\d\.csv has (not )?the column \"[vw]\", unlike"):
        run(csv_product(tmp_path, texts), "d.p")


def test_csv_files_with_the_columns_in_another_order_are_one_delivery(tmp_path: Path):
    settings = csv_product(tmp_path, ("k,v\n1,2\n", "v,k\n4,3\n"))
    assert run(settings, "d.p").published
    assert read(settings, "select k, v from d.p order by k") == [(1, 2), (3, 4)]


def test_csv_files_that_are_said_to_differ_are_read_by_name(tmp_path: Path):
    settings = csv_product(tmp_path, UNLIKE["a column more"], "options: {union_by_name: true}")
    assert run(settings, "d.p").published
    assert read(settings, "select k, v from d.p order by k") == [(1, 2), (3, 4)]


def test_a_column_that_a_later_parquet_file_has_is_said_with_the_file(tmp_path: Path):
    made = a_product({"p": [KEY]}, inputs=ALL, files={"p.sql": "select k from src"})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    delivered(tmp_path / "domains/d/p/day", "SELECT 1 AS k", "SELECT 3 AS k, 4 AS w")
    with pytest.raises(SourceError, match=r'1\.parquet has a column "w", which 0\.parquet has not'):
        run(settings, "d.p")
