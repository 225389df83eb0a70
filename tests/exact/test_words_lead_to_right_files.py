"""What a message proposes can be written; what is only spelled differently is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    mesh,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import Location, MeshError
from dataops_mesh.gate import Publish
from dataops_mesh.plan.compare import compare
from dataops_mesh.plan.lineage.product import Lineage
from dataops_mesh.plan.plan import Target, Version, make_plan
from dataops_mesh.run.product import run_product
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.sql import rule_query

INTEGER = "{name: v, logicalType: integer}"
# Written for another system -> logicalType and the type that it is here.
TYPES = {
    "serial": ("integer", "INTEGER"),
    "int(11)": ("integer", "INTEGER"),
    "bit": ("boolean", "BOOLEAN"),
    "datetime2(7)": ("timestamp", "TIMESTAMP"),
}


def refused(tmp_path: Path, text: str) -> str:
    files = {"p.sql": "select 1 as v"}
    settings = write_workspace(tmp_path, {"d": {"p": a_product({"p": text}, files=files)}})
    with pytest.raises(MeshError) as error:
        mesh(settings)
    return str(error.value)


@pytest.mark.parametrize("written", TYPES)
def test_a_type_of_another_database_is_the_one_that_is_meant(tmp_path: Path, written: str):
    logical, meant = TYPES[written]
    column = f'{{name: v, logicalType: {logical}, physicalType: "{written}"}}'
    made = a_product({"p": a_contract("p", [column])}, files={"p.sql": "select 1 as v"})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    (found,) = product(settings, "d.p").outputs[0].contract.columns
    assert found.physical_type == meant


def test_a_type_of_nobody_is_refused_with_the_closest(tmp_path: Path):
    column = '{name: v, logicalType: integer, physicalType: "VARCHARR"}'
    assert 'did you mean "VARCHAR"' in refused(tmp_path, a_contract("p", [column]))


@pytest.mark.parametrize("name", ["p", "P", "d.p", "p as x", '"p"'])
def test_a_rule_may_name_its_own_relation(tmp_path: Path, name: str):
    called = "x" if " as " in name else name.rpartition(".")[2]
    query = f"select count(*) from {name} where {called}.v > (select min(v) - 1 from {{object}})"
    rule = f"{{type: sql, query: '{query}', mustBe: 2}}"
    files = {"p.sql": "select unnest([1, 2]) as v"}
    made = a_product({"p": a_contract("p", [INTEGER], rule)}, files=files)
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)


def test_a_rule_that_names_another_relation_is_still_refused(tmp_path: Path):
    rule = "{type: sql, query: 'select count(*) from other join p using (v)', mustBe: 2}"
    assert "reads other" in refused(tmp_path, a_contract("p", [INTEGER], rule))


LISTS = [
    "[v] is null",
    "not [v] is not null",
    "([v]) is null",
    "[v] is not distinct from null",
    "coalesce([v]) is null",
    "{'a': v} is null",
    "nullif([v], [1]) is null",
]
ROWS = [
    "(v, v) is null",
    "((v, v)) is not null",
    "(v, v) isnull",
    "row(v, v) is null",
    "(v, v) is not distinct from null",
    "coalesce((v, v), (1, 2)) = (1, 2)",
]
GOOD_ROWS = ["(v, v) in ((1, 2))", "(v, v) is not distinct from (1, null)", "(v is null and v = 1)"]


@pytest.mark.parametrize("condition", LISTS)
def test_a_column_in_brackets_is_a_list_and_never_null(tmp_path: Path, condition: str):
    rule = f'{{type: sql, query: "select count(*) from {{object}} where {condition}", mustBe: 0}}'
    said = refused(tmp_path, a_contract("p", [INTEGER], rule))
    assert "is a list or a struct to DuckDB, which is never null" in said
    assert "in double quotes" in said


@pytest.mark.parametrize("condition", ROWS)
def test_columns_in_a_row_are_a_struct_and_never_null(tmp_path: Path, condition: str):
    rule = f'{{type: sql, query: "select count(*) from {{object}} where {condition}", mustBe: 0}}'
    said = refused(tmp_path, a_contract("p", [INTEGER], rule))
    assert "is a list or a struct to DuckDB, which is never null" in said
    assert "of each column" in said


@pytest.mark.parametrize("condition", GOOD_ROWS)
def test_columns_in_a_row_are_compared_with_others(condition: str):
    query = f"select count(*), count(distinct (v, v)) from {{object}} where {condition}"
    assert rule_query(query, Location("c.yaml", 1), has_column=False) == query


def test_counting_a_list_counts_every_row(tmp_path: Path):
    rule = "{type: sql, query: 'select count(*) - count([v]) from {object}', mustBe: 0}"
    assert "is a list or a struct" in refused(tmp_path, a_contract("p", [INTEGER], rule))


def test_combinations_may_be_counted(tmp_path: Path):
    rule = "{type: sql, query: 'select count(distinct [v, v]) from {object}', mustBe: 2}"
    files = {"p.sql": "select unnest([1, 2]) as v"}
    made = a_product({"p": a_contract("p", [INTEGER], rule)}, files=files)
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    assert isinstance(run(settings, "d.p").decision, Publish)


SAME = [
    "SELECT count(*)  FROM {object} where v < 2",
    "select COUNT( * ) from ${table} WHERE (v < 2) -- all",
    "select count(*) from p where v < 2",
    "select count(*) from d.p where p.v < 2",
    'select count(*) as n from {object} as "O" where o.V < 2',
    'select count(*) from "P" where (("v")) < (2)',
]
OTHER = [
    "select count(*) from {object} where v < 3",
    "select count(*) from {object} where v <= 2",
    "select count(v) from {object} where v < 2",
    "select count(distinct v) from {object} where v < 2",
]


@pytest.mark.parametrize("query", [*SAME, *OTHER])
def test_a_query_that_is_only_spelled_differently_is_the_same_rule(tmp_path: Path, query: str):
    found = []
    for at, text in enumerate(("select count(*) from {object} where v < 2", query)):
        root = tmp_path / str(at)
        root.mkdir()
        rule = f"{{id: rows, type: sql, query: '{text}', mustBe: 1}}"
        made = a_product({"p": a_contract("p", [INTEGER], rule)}, files={"p.sql": "select 1 as v"})
        found.append(product(write_workspace(root, {"d": {"p": made}}), "d.p"))
    kinds = {one.kind for one in compare(found[0], found[1])}
    assert (kinds <= {"documentation"}) == (query in SAME)


ENDLESS = {"2026-01-01": True, "infinity": False, "-infinity": False}


@pytest.mark.parametrize("day", ENDLESS)
def test_what_has_no_end_belongs_to_no_partition(tmp_path: Path, day: str):
    window = "{cadence: monthly, start: '2026-01-01'}"
    extra = f"customProperties: [{{property: partitions, vendor: dataops_mesh, value: {window}}}]\n"
    column = "{name: day, logicalType: date, required: true, partitioned: true}"
    text = a_contract("p", [column], extra=extra)
    files = {"p.sql": f"select date '{day}' as day"}
    settings = write_workspace(
        tmp_path, {"d": {"p": a_product({"p": text}, files=files)}},
        settings='now = "2026-11-25T12:00:00Z"\n',
    )  # fmt: skip
    made = load_product(settings.domains_folder / "d" / "p", settings.root)
    report = run_product(made, environment(settings), run_id="r", partition="2026-01-01")
    assert isinstance(report.decision, Publish) == ENDLESS[day]


def test_the_plan_names_readers_that_ask_for_the_old_major_version(tmp_path: Path):
    files = {"up.sql": "select 1 as v", "down.sql": "select v from d.up"}
    up = a_product({"up": [INTEGER]}, files={"up.sql": files["up.sql"]},
                   extra="outputPorts: [{name: up, version: 1.4.0}]\n")  # fmt: skip
    down = a_product({"down": [INTEGER]}, files={"down.sql": files["down.sql"]},
                     inputs=[an_input("d.up").rstrip("\n") + "\n  version: 1.0.0\n"])  # fmt: skip
    settings = write_workspace(tmp_path, {"d": {"up": up, "down": down}})
    before = {one.qualified_name: Version(one) for one in mesh(settings).products}
    text = str(up["product.odps.yaml"]).replace("1.4.0", "2.0.0")
    contract = a_contract("up", [INTEGER]).replace("version: 1.0.0", "version: 2.0.0")
    write_product(tmp_path, "d", "up", {"product.odps.yaml": text, "up.odcs.yaml": contract})
    target = Target(mesh(settings), {}, lambda _: Lineage(), lambda _: ())
    (planned,) = make_plan(before, target, "published").products
    (said,) = [one for one in planned.refusals if "d.down" in one]
    assert "d.down asks for version 1.0.0 of d.up, which becomes 2.0.0" in said


@pytest.mark.parametrize("text", ["0.00001", "10:00:00.50", "2026-02-28T10:00:00+02:00"])
def test_a_text_that_was_read_as_a_value_has_a_cure_that_keeps_it(tmp_path: Path, text: str):
    def made(more: str = "") -> dict:
        return a_product(
            {"p": a_contract("p", ["{name: v, logicalType: string}"])},
            inputs=[a_source("rows_csv", "rows.csv", more=more)],
            files={"p.sql": "select v from rows_csv", "rows.csv": f"v\n{text}\n"},
        )

    settings = write_workspace(tmp_path, {"d": {"p": made()}})
    (reason,) = run(settings, "d.p").decision.reasons
    cure = "types: {v: VARCHAR}"
    assert cure in reason
    write_product(settings.root, "d", "p", made(f"options: {{{cure}}}"))
    assert run(settings, "d.p").published
    assert read(settings, "select v from d.p") == [(text,)]
