"""What a run would trip over before it reads a row, `mesh check` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, an_input, mesh, write_workspace

from dataops_mesh.cli.examine import examine_all
from dataops_mesh.cron import cron_problem
from dataops_mesh.errors import Problem
from dataops_mesh.transform.dry.session import known_types
from dataops_mesh.transform.dry.transforms import bound

UP = a_product(
    {"up": ["{name: k, logicalType: integer}", "{name: seen, logicalType: timestamp}"]},
    files={"up.sql": "select 1 as k, timestamp '2026-01-01' as seen"},
)
WRONG = {
    "select nosuch as k from d.up": "nosuch",
    "select ndv(k) as k from d.up": "ndv",
    "select k, sum(k) as s from d.up": "GROUP BY",
    "select seen as other from d.up": 'column "k" is promised and not returned',
    "select k, seen from d.up": 'column "seen" is not declared',
    "select k from d.up where seen > 'x' || k + seen": "BinderException",
}


def problems(tmp_path: Path, query: str) -> str:
    down = a_product(
        {"down": ["{name: k, logicalType: integer}"]}, inputs=["- name: d.up\n"],
        files={"down.sql": query},
    )  # fmt: skip
    found = mesh(write_workspace(tmp_path, {"d": {"up": UP, "down": down}}))
    told = [
        p
        for product in found.products
        for p in bound(product, known_types(product, found)).problems
    ]
    assert all(str(problem.where).startswith("domains/d/down/down.sql") for problem in told)
    return "\n".join(map(str, told))


@pytest.mark.parametrize("query", WRONG)
def test_sql_that_cannot_bind_is_said(tmp_path: Path, query: str):
    assert WRONG[query] in problems(tmp_path, query)


@pytest.mark.parametrize(
    "query", ["select k from d.up where seen < mesh_now();", "from d.up select k -- all"]
)
def test_sql_that_binds_is_not(tmp_path: Path, query: str):
    assert problems(tmp_path, query) == ""


NEVER = ["0 6 30 2 *", "0 6 31 4 *", "0 6 31 apr,jun,9-9 *", "0 0 30-31 feb *"]
SOME_DAY = [
    "0 6 29 2 *",
    "0 6 31 * *",
    "0 6 30 2 mon",
    "0 6 31 4-5 *",
    "0 6 */7 2 *",
    "0 6 31 */2 *",
]


@pytest.mark.parametrize("cron", [*NEVER, *SOME_DAY])
def test_a_cron_that_never_comes_is_said(cron: str):
    assert (cron_problem(cron) is not None) == (cron in NEVER)


def told(tmp_path: Path, made: dict[str, str]) -> tuple[list[Problem], list[str]]:
    """Return the errors that `mesh check` tells, and the warnings about sources."""
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    found = mesh(settings)
    problems, notes = examine_all(found, found.products, settings)
    return problems, [note.what for level, note in notes if level == "warning"]


SOURCE = [a_source("src", "src.csv")]
COLUMNS = ["{name: k, logicalType: integer}"]
CONTRACT = {"inputs/src.odcs.yaml": a_contract("src", COLUMNS)}
FROM_SOURCES = {
    "a column of the delivery": ("select\n  nosuch as k\nfrom src", {}, "p.sql:2", "nosuch"),
    "a column of its contract": ("select k\nfrom src\nwhere v = 1", CONTRACT, "p.sql:3", '"v"'),
    "a function": ("select ndv(k) as k from src", CONTRACT, "p.sql:1", "ndv"),
    "a column that is missing": ("select k as x from src", CONTRACT, "p.sql:1", 'column "k"'),
    "one that is too many": ("select k, 1 as x from src", CONTRACT, "p.sql:1", 'column "x"'),
}  # fmt: skip


@pytest.mark.parametrize("case", FROM_SOURCES)
def test_sql_over_a_source_that_cannot_bind_is_said(tmp_path: Path, case: str):
    query, more, where, said = FROM_SOURCES[case]
    made = a_product({"p": COLUMNS}, inputs=SOURCE,
                     files={"p.sql": query, "src.csv": "k,v\n1,a\n", **more})  # fmt: skip
    problems, _ = told(tmp_path, made)
    assert all(f"domains/d/p/{where}" in str(problem) for problem in problems)
    assert any(said in problem.what for problem in problems)


RULES = {
    "{id: r, type: sql, query: 'select count(*) from {object} where nosuch is null', mustBe: 0}":
        "nosuch",
    "{id: r, type: sql, query: 'select ndv(k) from {object}', mustBe: 0}": "ndv",
    "{id: r, type: sql, query: 'select k, count(*) from {object}', mustBe: 0}": "GROUP BY",
    "{id: r, type: sql, query: 'select min(k), max(k) from {object}', mustBe: 0}": "one column",
    "{id: r, type: sql, query: \"select 'x' from {object} limit 1\", mustBe: 0}": "about a number",
    "{id: r, type: sql, query: 'select max(current_date) from {object}', mustBe: 0}": "a number",
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("of", ["port", "source"])
def test_a_rule_that_cannot_run_is_said(tmp_path: Path, rule: str, of: str):
    contract = a_contract("p", COLUMNS, rule) if of == "port" else COLUMNS
    promised = a_contract("src", COLUMNS, *([rule] if of == "source" else []))
    made = a_product({"p": contract}, inputs=SOURCE, files={
        "p.sql": "select k from src", "src.csv": "k\n1\n", "inputs/src.odcs.yaml": promised,
    })  # fmt: skip
    [problem], _ = told(tmp_path, made)
    assert RULES[rule] in problem.what
    file = "p.odcs.yaml:" if of == "port" else "inputs/src.odcs.yaml:"
    assert file in str(problem)


def test_a_source_that_is_not_there_is_a_warning(tmp_path: Path):
    made = a_product({"p": COLUMNS}, inputs=SOURCE, files={"p.sql": "select k from src"})
    errors, warnings = told(tmp_path, made)
    assert errors == []
    assert any("no file at" in warning for warning in warnings)


IMPORTS = {
    "import nosuch_package\n": "ModuleNotFoundError",
    "x = y\n": "NameError",
    "\n\nraise SystemExit(3)\n": "",
}


@pytest.mark.parametrize("line", IMPORTS, ids=repr)
def test_a_transform_that_does_not_import_is_said(tmp_path: Path, line: str):
    made = a_product({"p": COLUMNS}, inputs=SOURCE, files={
        "transform.py": f"{line}\n\ndef transform(src):\n    return src\n", "src.csv": "k\n1\n",
    })  # fmt: skip
    for _ in range(2):
        [problem], _ = told(tmp_path, made)
        assert IMPORTS[line] in problem.what
        assert "domains/d/p/transform.py" in str(problem)


TYPES = [
    "{name: n, logicalType: integer}",
    "{name: t, logicalType: string}",
    "{name: d, logicalType: date}",
    "{name: at, logicalType: timestamp}",
]
READ = a_product(
    {"up": TYPES},
    files={"up.sql": "select 1 as n, 'x' as t, date '2026-01-01' as d, now()::timestamp as \"at\""},
)
MISTYPED = {
    "select 'x' as v from d.up": ("integer", 'column "v" is VARCHAR, and BIGINT is promised'),
    "select t as v from d.up": ("date", "VARCHAR"),
    "select d as v from d.up": ("integer", "DATE"),
    "select n > 1 as v from d.up": ("integer", "BOOLEAN"),
    "select [n] as v from d.up": ("integer", "[]"),
    "select n as v from d.up": ("time", "BIGINT"),
    'select "at" as v from d.up': ("string", "TIMESTAMP"),
}


@pytest.mark.parametrize("query", MISTYPED)
def test_a_type_that_no_value_can_become_is_said(tmp_path: Path, query: str):
    logical, words = MISTYPED[query]
    made = a_product(
        {"p": [f"{{name: v, logicalType: {logical}}}"]},
        inputs=["- name: d.up\n"], files={"p.sql": query},
    )  # fmt: skip
    found = mesh(write_workspace(tmp_path, {"d": {"up": READ, "p": made}}))
    [problem] = [p for one in found.products for p in bound(one, known_types(one, found)).problems]
    assert words in problem.what
    assert str(problem.where) == "domains/d/p/p.sql:1"


CONVERTED = {
    'select "at" as v from d.up': "date",
    "select n as v from d.up": "number",
    "select n::double as v from d.up": "integer",
    "select n as v from d.up ": "string",
    "select d as v from d.up": "timestamp",
    "select null as v from d.up": "date",
    "select n as v from d.up  ": "integer",
}


@pytest.mark.parametrize("query", CONVERTED)
def test_what_may_be_exact_or_null_is_left_to_the_run(tmp_path: Path, query: str):
    made = a_product(
        {"p": [f"{{name: v, logicalType: {CONVERTED[query]}}}"]},
        inputs=["- name: d.up\n"], files={"p.sql": query},
    )  # fmt: skip
    found = mesh(write_workspace(tmp_path, {"d": {"up": READ, "p": made}}))
    assert not [p for one in found.products for p in bound(one, known_types(one, found)).problems]


def test_a_delivery_of_another_type_is_a_warning(tmp_path: Path):
    """Tomorrow's may be of the right one; a run of today's would fail."""
    made = a_product({"p": ["{name: d, logicalType: date}"]}, inputs=SOURCE,
                     files={"p.sql": "select d from src", "src.csv": "d\nabc\n"})  # fmt: skip
    errors, warnings = told(tmp_path, made)
    assert errors == []
    assert any('column "d" is VARCHAR, and DATE is promised' in one for one in warnings)


def custom(kind: str, given: str) -> str:
    made = f"{{type: {kind}, kwargs: {given}}}"
    return f"{{id: r, type: custom, engine: greatExpectations, implementation: {made}}}"


PAIRS = "expect_column_pair_values_to_be_in_set"
NOT_FOR_ITS_COLUMNS = {
    "a pair with an unquoted NO": (
        custom(PAIRS, "{column_A: n, column_B: t, value_pairs_set: [[1, SE], [2, NO]]}"),
        "no VARCHAR, as t is; write text in quotes",
    ),
    "text for a number in a pair": (
        custom(PAIRS, "{column_A: n, column_B: t, value_pairs_set: [[one, SE]]}"),
        "no BIGINT, as n is",
    ),
    "a set on a column that is named": (
        custom("expect_column_distinct_values_to_contain_set", "{column: n, value_set: [y]}"),
        "no BIGINT",
    ),
    "a pattern on a number": (
        custom("expect_column_values_to_match_regex", "{column: n, regex: a}"), "no text",
    ),
    "a deviation of text": (
        custom("expect_column_stdev_to_be_between", "{column: t, max_value: 1}"), "no number",
    ),
    "a mean of text": (
        custom("expect_column_mean_to_be_between", "{column: t, max_value: 1}"), "No function",
    ),
    "a sum of days": (custom("expect_multicolumn_sum_to_equal",
                             "{column_list: [n, d], sum_total: 1}"), "No function"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_FOR_ITS_COLUMNS)
def test_an_expectation_that_is_not_for_its_columns_is_said(tmp_path: Path, case: str):
    rule, words = NOT_FOR_ITS_COLUMNS[case]
    made = a_product({"p": a_contract("p", TYPES, rule)}, files={"p.sql": READ["up.sql"]})
    [problem], _ = told(tmp_path, made)
    assert "the rule cannot run" in problem.what
    assert words in problem.what
    assert "p.odcs.yaml:" in str(problem)


EXPECTED = {
    "a metric": "{metric: nullValues, column: zz, mustBe: 0}",
    "SQL": "{id: r, type: sql, query: 'select count(*) from {object} where zz < 0', mustBe: 0}",
    "an expectation": custom("expect_column_values_to_be_unique", "{column: zz}"),
    "a set": custom("expect_column_values_to_be_in_set", "{column: zz, value_set: [1]}"),
}


@pytest.mark.parametrize("case", EXPECTED)
@pytest.mark.parametrize("of", ["port", "source"])
def test_an_expectation_of_a_column_that_the_input_has_not_is_said(
    tmp_path: Path, case: str, of: str
):
    port = an_input("d.up", EXPECTED[case]) if of == "port" else a_source(
        "src", "src.csv", EXPECTED[case])  # fmt: skip
    name = "d.up" if of == "port" else "src"
    made = a_product({"p": COLUMNS}, inputs=[port],
                     files={"p.sql": f"select k from {name}", "src.csv": "k\n1\n"})  # fmt: skip
    settings = write_workspace(tmp_path, {"d": {"up": UP, "p": made}})
    found = mesh(settings)
    [problem], _ = examine_all(found, found.products, settings)
    assert "zz" in problem.what
    assert "domains/d/p/product.odps.yaml:" in str(problem)
