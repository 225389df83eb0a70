"""A header with a name twice says not which column is meant: DuckDB would take the first."""

from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_source, read, run, write_workspace

from dataops_mesh.errors import SourceError

ID, TEXT, MORE = (f"{{name: {name}, logicalType: {kind}}}" for name, kind in
                  (("id", "integer"), ("t", "string"), ("u", "string")))  # fmt: skip
TWICE = {
    "as it is": "id,t,t",
    "in capitals": "id,t,T",
    "with a space": 'id,t," t"',
    "after a mark": "\ufeffid,t,ID",
}


def shop(root, csv, columns=(), sql="select id, t from s", options=""):
    files: dict[str, str | bytes] = {"p.sql": sql, "o.csv": csv}
    if columns:
        files["inputs/s.odcs.yaml"] = a_contract("s", list(columns))
    source = a_source("s", "o.csv", more=options)
    made = a_product({"p": [ID, TEXT]}, inputs=[source], files=files)
    return write_workspace(root, {"d": {"p": made}})


@pytest.mark.parametrize("columns", [(), (ID, TEXT)], ids=["guessed", "promised"])
@pytest.mark.parametrize("case", TWICE)
def test_a_name_twice_is_refused_and_no_text_of_it_told(case, columns, tmp_path):
    settings = shop(tmp_path, f"{TWICE[case]}\n1,a,b\n", columns)
    with pytest.raises(SourceError, match=r"o\.csv has the same name in columns [12] and 3"):
        run(settings, "d.p")


def test_a_file_without_a_header_tells_no_value(tmp_path):
    settings = shop(tmp_path, "1,Weiss,Weiss\n2,a,b\n")
    with pytest.raises(SourceError) as told:
        run(settings, "d.p")
    assert "weiss" not in str(told.value).lower()


@pytest.mark.parametrize("columns", [(), (ID, TEXT, MORE)], ids=["guessed", "promised"])
def test_what_the_refusal_says_helps(columns, tmp_path):
    sql = "select id, u as t from s" if columns else "select column0::bigint id, column2 t from s"
    options = "options: {header: false, skip: 1}"
    settings = shop(tmp_path, "id,t,t\n1,a,b\n", columns, sql=sql, options=options)
    assert run(settings, "d.p").published
    assert read(settings, "from d.p") == [(1, "b")]


@pytest.mark.parametrize("header", ["id,t,,", "id,t,t_1,u"], ids=["without names", "alike"])
def test_what_nobody_can_mix_up_is_read(header, tmp_path):
    settings = shop(tmp_path, f"{header}\n1,a,,\n")
    assert run(settings, "d.p").published
    assert read(settings, "from d.p") == [(1, "a")]


def test_what_stands_before_a_header_is_none(tmp_path):
    for number, (before, options) in enumerate((("t,t\n", "skip: 1"), ("#t,t\n", "comment: '#'"))):
        root = tmp_path / str(number)
        root.mkdir()
        settings = shop(root, f"{before}id,t\n1,a\n", options=f"options: {{{options}}}")
        assert run(settings, "d.p").published
