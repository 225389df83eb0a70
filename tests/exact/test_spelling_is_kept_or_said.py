"""Text that SQL reads as a value and makes text again keeps its spelling, or `mesh check` says so."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, mesh, read, run, write_workspace

from dataops_mesh.cli.examine import examine_all
from dataops_mesh.settings import load_settings
from dataops_mesh.transform.dry.session import known_types
from dataops_mesh.transform.dry.spelling import spelling_notes

FIVE = "v,at,k,t\n2,2026-01-02T10:00:00,1,10:00:00.50\n2.5,2026-01-02 11:00:00,2,11:00:00\n"
SPELLED = {  # what DuckDB makes of it is in `test_a_cast_that_is_told_changes_the_text`
    "select v::text as s from src": "v",
    "select cast((src.at) as varchar) as s from src": "at",
    "select try_cast(a.t as string) as s from src a": "t",
    "select v || '' as s from src": "v",
    "with x as (select concat(v, 'EUR') as s from src) select s from x": "v",
    "select V::text as s from src": "V",
    "select k::text as s from src": "",  # 1 is 1
    "select (v + 1)::text as s from src": "",  # somebody computes
    "select round(v, 2)::text as s from src": "",
    "select 'a' as s from src where v > 2": "",
}


def spelled(root: Path, query: str, more: str = "") -> list[str]:
    made = a_product(
        {"p": ["{name: s, logicalType: string}"]},
        inputs=[a_source("src", "src.csv", more=more)],
        files={"p.sql": query, "src.csv": FIVE},
    )
    found = mesh(write_workspace(root, {"d": {"p": made}}))
    (made_of,) = found.products
    return [str(p) for p in spelling_notes(made_of, known_types(made_of, found))]


@pytest.mark.parametrize("query", SPELLED)
def test_a_value_made_text_in_another_spelling_is_said(tmp_path: Path, query: str):
    notes = spelled(tmp_path, query)
    column = SPELLED[query]
    assert [f'"{column}" of src' in note for note in notes] == ([True] if column else [])
    assert all("domains/d/p/p.sql:1" in note for note in notes)


@pytest.mark.parametrize("query", list(SPELLED)[:3])
def test_a_cast_that_is_told_changes_the_text(tmp_path: Path, query: str):
    """And the advice keeps it."""
    column = SPELLED[query].lower()
    for kept in (False, True):
        root = tmp_path / str(kept)
        root.mkdir()
        more = f"options: {{types: {{{column}: VARCHAR}}}}" if kept else ""
        notes = spelled(root, query, more=more)
        assert bool(notes) is not kept
        settings = load_settings(root)
        run(settings, "d.p")
        rows = {value.removesuffix("EUR") for (value,) in read(settings, "select s from d.p")}
        delivered = {row[column] for row in csv.DictReader(io.StringIO(FIVE))}
        assert (rows == delivered) is kept


def test_a_whole_number_of_a_source_that_is_promised_as_text_is_said(tmp_path: Path):
    contract = a_contract("src", ["{name: s, logicalType: integer}"])
    made = a_product(
        {"p": ["{name: s, logicalType: string}"]},
        inputs=[a_source("src", "src.csv")],
        files={
            "p.sql": "select s from src",
            "src.csv": "s\n007\n",
            "inputs/src.odcs.yaml": contract,
        },
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    found = mesh(settings)
    notes = [note.what for _, note in examine_all(found, found.products, settings)[1]]
    assert len([note for note in notes if "007 becomes 7" in note]) == 1
    run(settings, "d.p")
    assert read(settings, "select s from d.p") == [("7",)]
