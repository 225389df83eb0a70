"""JSON as delivered: no quotes around text, no text that becomes a day, no number that is rounded.

The oracle is Python's own reader of JSON, with decimals for numbers that have a point.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from helpers import a_product, a_source, environment, write_workspace
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.engine.session import bind_source, session_in
from dataops_mesh.errors import Location, SourceError
from dataops_mesh.spec.model import Source, SourceFormat

HERE = Location("product.odps.yaml", 3)


def delivered(folder: Path, text: str, **options: Any) -> tuple[dict[str, str], list[dict]]:
    file = folder / "src.json"
    file.write_text(text, encoding="utf-8")
    source = Source("src.json", SourceFormat.JSON, HERE, options=tuple(sorted(options.items())))
    from datetime import UTC, datetime

    with session_in(folder, memory_limit="1GB", threads=1, now=datetime.now(UTC)) as con:
        bind_source(con, "src", [file], source)
        types = {row[0]: row[1] for row in con.execute("DESCRIBE src").fetchall()}
        found = con.execute("FROM src")
        names = [column[0] for column in found.description]
        return types, [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def oracle(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal, parse_int=int) for line in text.splitlines()]


def same(value: Any, said: Any, raw: str) -> bool:
    """Tell whether a value that was read is the value that was delivered."""
    if said is None or isinstance(said, bool):
        return value is said or value == raw
    if isinstance(value, str):
        return value == (said if isinstance(said, str) else raw)
    if isinstance(value, float):
        return Decimal(repr(value)) == Decimal(raw)
    return Decimal(value) == Decimal(raw)


NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.integers(-(2**66), 2**66).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str).filter(
        lambda text: "E" not in text
    ),
    st.sampled_from(["0", "-0", "1.10", "5.0", "1e400", "9007199254740993", "1E5", "0.1e-7",
                     "123456789012345678901234567890.12345678", "0.10000000000000000001"]),
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["2026-01-02", "2026-01-02T03:04:05", "10:00:00", "1.10", "007", "true", "",
                     "null", "00000000-0000-0000-0000-00000000000A", 'say "1.5"', "back\\slash",
                     "9007199254740993.5", "{}", "[1]", " 1"]),
).map(json.dumps)  # fmt: skip
PLAIN = st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null"]))
COLUMN = st.one_of(
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.lists(TEXTS, min_size=1, max_size=4),
    st.lists(PLAIN, min_size=1, max_size=4),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(COLUMN, min_size=1, max_size=3))
def test_every_plain_value_is_the_one_that_was_delivered(
    tmp_path_factory: pytest.TempPathFactory, columns: list[list[str]]
):
    rows = max(map(len, columns))
    raws = [
        {f"c{at}": column[row] for at, column in enumerate(columns) if row < len(column)}
        for row in range(rows)
    ]
    text = "\n".join(
        "{" + ", ".join(f'"{name}": {raw}' for name, raw in line.items()) + "}" for line in raws
    )
    types, read = delivered(tmp_path_factory.mktemp("json"), text)
    assert len(read) == rows
    assert set(types) == {f"c{at}" for at in range(len(columns))}
    for line, said, raw in zip(read, oracle(text), raws, strict=True):
        for name, value in line.items():
            assert same(value, said.get(name), raw.get(name, "null")), (types, name, value, raw)


CASES = [
    (["1", "2"], "BIGINT"), (["1.5", "2"], "DOUBLE"), (['"x"', "null"], "VARCHAR"),
    (["null", "null"], "VARCHAR"), (["true", "false"], "BOOLEAN"), (['"x"', "1.10"], "VARCHAR"),
    (["9223372036854775808"], "HUGEINT"), (["9007199254740993", "5.0"], "DECIMAL(38,1)"),
    (["1e400"], "VARCHAR"), (["0.30000000000000004", "1"], "DOUBLE"),
    (['"2026-01-01"'], "VARCHAR"), (['"00000000-0000-0000-0000-00000000000A"'], "VARCHAR"),
    (["12345678901234567890.123456789012345678"], "DECIMAL(38,18)"),
]  # fmt: skip


@pytest.mark.parametrize(("raws", "kind"), CASES, ids=str)
@pytest.mark.parametrize("form", ["array", "lines"])
def test_the_kinds_of_values_decide_the_type(tmp_path: Path, raws: list[str], kind: str, form: str):
    lines = [f'{{"v": {raw}}}' for raw in raws]
    text = f"[{', '.join(lines)}]" if form == "array" else "\n".join(lines)
    assert delivered(tmp_path, text)[0] == {"v": kind}


def test_texts_inside_objects_stay_texts_and_numbers_numbers(tmp_path: Path):
    line = '{"o": {"d": "2026-01-02", "n": 9007199254740993, "l": ["007", "x"]}, "v": "a"}'
    types, [row] = delivered(tmp_path, line)
    assert types["o"] == "STRUCT(d VARCHAR, n BIGINT, l VARCHAR[])"
    assert row["o"] == {"d": "2026-01-02", "n": 9007199254740993, "l": ["007", "x"]}
    long = line.replace('"a"', "1.23456789012345678901")
    types, [row] = delivered(tmp_path, long)
    assert types["o"] == "STRUCT(d VARCHAR, n BIGINT, l VARCHAR[])"
    assert row["o"]["n"] == 9007199254740993
    assert str(row["v"]) == "1.23456789012345678901"


UNCLEAR = {
    "objects and text": ('{"v": {"a": 1}}\n{"v": "secret"}', 'column "v" has objects'),
    "an object and an array": ('{"v": {"a": 1}}\n{"v": [1]}', 'column "v" has objects'),
    "a number inside": ('{"v": {"a": 1.00000000000000000001}}', 'column "v" has a number inside'),
    "a whole one inside": ('{"v": [1.5, 9007199254740993]}', 'column "v" has a number inside'),
    "two spellings": ('{"v": 1}\n{"V": 2}', 'the keys of "v" differ by case'),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_no_type_holds_is_refused_by_name(tmp_path: Path, case: str):
    text, said = UNCLEAR[case]
    with pytest.raises(SourceError, match=said) as error:
        delivered(tmp_path, text)
    assert "secret" not in str(error.value)


def test_a_key_and_a_kind_far_behind_the_sample_are_seen(tmp_path: Path):
    lines = [f'{{"k": {k}, "v": {k}}}' for k in range(30_000)]
    text = "\n".join([*lines, '{"k": -1, "v": "007", "late": 1.50}'])
    types, rows = delivered(tmp_path, text)
    assert types == {"k": "BIGINT", "v": "VARCHAR", "late": "DOUBLE"}
    [last] = [row for row in rows if row["k"] == -1]
    assert last == {"k": -1, "v": "007", "late": 1.5}


def test_a_file_of_values_has_one_column(tmp_path: Path):
    assert [row["json"] for row in delivered(tmp_path, '[1, 2.5, "x"]')[1]] == ["1", "2.5", "x"]
    assert [row["json"] for row in delivered(tmp_path, "[1, 2]")[1]] == [1, 2]


def test_texts_are_published_without_quotes(tmp_path: Path):
    from helpers import read, run

    made = a_product(
        {"p": ["{name: v, logicalType: string}"]},
        inputs=[a_source("src", "src.json")],
        files={"p.sql": "select * from src", "src.json": '[{"v": "x"}, {"v": 1.10}]'},
    )
    found = write_workspace(tmp_path, {"d": {"p": made}})
    assert environment(found)
    run(found, "d.p")
    assert sorted(read(found, "select v from d.p")) == [("1.10",), ("x",)]
