"""A rule of another tool loads, is no check, and is told wherever its product is."""

from __future__ import annotations

import pytest
from declared import CONTRACT, PRODUCT, Workspace, checks, with_column_rule, with_rule

from dataops_mesh.plan.compare import compare
from dataops_mesh.spec.checks.coverage import coverage, unexecuted
from dataops_mesh.spec.model import Severity

FOREIGN = {
    "soda": "type: custom, engine: soda, implementation: 'duplicate_percent(x) < 5'",
    "dbt": "type: custom, engine: dbt, implementation: {test: unique}",
    "montecarlo": "type: custom, engine: montecarlo, implementation: {a: [1]}, mustBe: 0",
}
SERVERS = "servers: [{server: prod, type: mysql, host: h, port: 3306, database: d}]\n"


@pytest.mark.parametrize("engine", FOREIGN)
@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_a_rule_of_another_engine_is_no_check_and_is_told(
    workspace: Workspace, engine: str, severity: str
):
    before = set(checks(workspace))
    product = workspace.load(contract=with_rule(f"{FOREIGN[engine]}, severity: {severity}"))
    assert {
        check.name for check in checks(workspace, contract=with_rule(FOREIGN[engine])).values()
    } == before
    (one,) = unexecuted(product)
    assert one.severity is Severity(severity)
    assert f'engine "{engine}"' in str(one)
    assert one.of == "fleet.aircraft"
    found = coverage(product)
    assert (found.declared, found.executable, found.unexecuted) == (1, 0, (str(one),))


def test_a_rule_with_a_schedule_runs_with_every_build_and_its_schedule_is_told(
    workspace: Workspace,
):
    rule = "metric: nullValues, mustBe: 0"
    plain = checks(workspace, contract=with_column_rule(rule))
    timed = with_column_rule(f"{rule}, scheduler: cron, schedule: 0 20 * * *")
    found = checks(workspace, contract=timed)
    assert {n: c.fingerprint for n, c in found.items()} == {
        n: c.fingerprint for n, c in plain.items()
    }
    (one,) = unexecuted(workspace.load(contract=timed))
    assert '"cron 0 20 * * *"' in one.what
    assert "runs with every build" in one.what


def test_an_unknown_severity_refuses_also_where_nobody_executes(workspace: Workspace):
    (problem,) = workspace.problems(contract=with_rule(f"{FOREIGN['soda']}, severity: warn"))
    assert problem.key.endswith("severity")


def test_what_is_written_for_us_must_run(workspace: Workspace):
    for rule in (FOREIGN["soda"], "metric: rowCount, mustBe: 1, schedule: 0 20 * * *"):
        source = "{path: data/planes.csv}}\n      - {property: expectations, vendor: dataops_mesh, "
        text = PRODUCT.replace("{path: data/planes.csv}}\n", f"{source}value: [{{{rule}}}]}}\n")
        assert any("not supported yet" in p.what for p in workspace.problems(text)), rule


def test_sql_that_does_not_run_here_is_not_executed_only_where_it_is_for_another_system(
    workspace: Workspace,
):
    rule = with_rule("type: sql, mustBe: 0, query: 'select count(*) from `${database}.aircraft`'")
    (problem,) = workspace.problems(contract=rule)
    assert "unknown placeholder ${database}" in problem.what
    (one,) = unexecuted(workspace.load(contract=rule + SERVERS))
    assert "it is SQL for mysql" in one.what
    for query in (
        "count(*) from ${model} where getdate() > seen_at",
        "count(nothing) from aircraft",
    ):
        known = with_rule(f"type: sql, mustBe: 0, query: 'select {query}'")
        assert workspace.problems(contract=known) == ()
        (one,) = unexecuted(workspace.load(contract=known + SERVERS))
        assert "it is SQL for mysql" in one.what
    runs = with_rule("type: sql, mustBe: 0, query: 'select count(*) from aircraft where seats < 0'")
    assert unexecuted(workspace.load(contract=runs + SERVERS)) == ()
    here = "servers: [{server: prod, type: duckdb, database: a.duckdb}]\n"
    assert workspace.problems(contract=rule + here) == (problem,)


@pytest.mark.parametrize(
    "name",
    ["{object}", "{table}", "${table}", "{model}", "${model}", '"${model}"', "aircraft", "Planes",
     "fleet.aircraft"],
)  # fmt: skip
def test_a_sql_rule_calls_its_relation_as_tools_do(workspace: Workspace, name: str):
    text = CONTRACT.replace(
        "  - name: aircraft\n", "  - name: aircraft\n    physicalName: planes\n"
    )
    rule = f"type: sql, mustBe: 0, query: 'select count(*) from {name}'"
    found = checks(workspace, contract=text + f"    quality:\n      - {{{rule}}}\n")
    assert found["sql"].measure.sql.startswith(
        ("select count(*) from {object}", 'select count(*) from "{object}"')
    )


def test_the_plan_says_what_nobody_executes(workspace: Workspace):
    before = workspace.load()
    (one,) = compare(before, workspace.load(contract=with_rule(FOREIGN["soda"])))
    assert one.kind == "rule_note"
    assert "not executed" in one.what
    executed = with_rule("id: soda, metric: rowCount, mustBeGreaterThan: 1")
    (lost,) = compare(
        workspace.load(contract=executed), workspace.load(contract=with_rule(FOREIGN["soda"]))
    )
    assert (lost.kind, lost.compatibility) == ("rule_other", "breaking")


def test_a_recorded_name_changes_no_check(workspace: Workspace):
    plain = checks(workspace)
    text = CONTRACT.replace("name: seats,", "name: seats, physicalName: n_seats,")
    assert {n: c.fingerprint for n, c in checks(workspace, contract=text).items()} == {
        n: c.fingerprint for n, c in plain.items()
    }
